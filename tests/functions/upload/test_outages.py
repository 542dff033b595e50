"""Store, database or disk are down: 503 with Retry-After, and nothing half stored."""

import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from infra.database import open_records
from schemas.lifecycle import Status
from tests.functions.upload.forms import CONSENT, FILE, PROJECT, TYPE, form, part
from tests.functions.upload.house import House, nothing
from tests.functions.upload.test_consent import WISH

# A port that nobody listens on.
NO_DATABASE = "postgresql+psycopg2://u:p@127.0.0.1:1/d?connect_timeout=1"


@pytest.fixture
def without_database(fragile: House) -> House:
    fragile.records.close()
    fragile.records = open_records(
        NO_DATABASE, clock=lambda: fragile.now, grace=timedelta(0)
    )
    return fragile


@pytest.fixture
def without_store(fragile: House) -> House:
    shutil.rmtree(fragile.folder / "objects")
    return fragile


def test_without_the_database_the_body_is_not_read(
    without_database: House, refusal: Any
) -> None:
    house = without_database
    house.settings = {"linger_bytes": 0}
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield part(*PROJECT) + part(*CONSENT) + part(*FILE)[:-2]
        for number in range(1000):
            read.append(number)
            yield bytes(1000)

    response = house.ask(
        "POST", "/assets", content=body(), headers={"content-type": TYPE}
    )

    assert refusal(response) == (503, "database_unavailable")
    assert (read, house.objects) == ([], [])


@pytest.mark.parametrize(
    ("method", "path", "request_body"),
    [
        ("POST", "/assets", form(FILE, PROJECT, CONSENT)),
        ("POST", "/uploads", {"json": WISH}),
        ("GET", "/assets?project_id=p1", {}),
        ("GET", "/assets/00000000-0000-4000-8000-000000000000", {}),
        ("GET", "/readyz", {}),
    ],
)
def test_without_the_database_the_answer_is_503(
    without_database: House, refusal: Any, method: str, path: str, request_body: Any
) -> None:
    response = without_database.ask(method, path, **request_body)

    assert refusal(response) == (503, "database_unavailable")
    assert response.headers["retry-after"] == "5"


def test_without_the_store_the_answer_is_503(
    without_store: House, refusal: Any
) -> None:
    response = without_store.submit()

    assert refusal(response) == (503, "store_unavailable")
    assert response.headers["retry-after"] == "5"


def test_without_the_store_no_record_stays_pending(without_store: House) -> None:
    without_store.submit()

    found = [(asset.status, asset.reason) for asset in without_store.assets]
    assert found == [(Status.EXPIRED, "store_unavailable")]


def test_without_the_store_the_service_is_alive_and_not_ready(
    without_store: House, refusal: Any
) -> None:
    assert without_store.ask("GET", "/livez").status_code == 200
    response = without_store.ask("GET", "/readyz")
    assert refusal(response) == (503, "store_unavailable")


def test_a_store_that_goes_down_midway_stores_nothing(
    fragile: House, refusal: Any
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield part(*PROJECT) + part(*CONSENT) + part("file", "f", bytes(3_000_000))
        shutil.rmtree(fragile.folder / "objects")
        yield b"--frontier--\r\n"

    response = fragile.ask(
        "POST", "/assets", content=body(), headers={"content-type": TYPE}
    )

    assert refusal(response) == (503, "store_unavailable")
    assert [asset.status for asset in fragile.assets] == [Status.EXPIRED]


def test_an_upload_that_fails_while_the_database_is_down_keeps_its_own_error(
    fragile: House, refusal: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield part(*PROJECT) + part(*CONSENT) + part("file", "f", bytes(3_000_000))
        drop_tables(fragile)
        yield part(*FILE) + b"--frontier--\r\n"

    response = fragile.ask(
        "POST", "/assets", content=body(), headers={"content-type": TYPE}
    )

    assert refusal(response) == (422, "field_repeated")
    assert "left_pending" in [record.message for record in caplog.records]


def test_a_database_that_goes_down_after_the_bytes_does_not_bring_them_twice(
    fragile: House,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield part(*PROJECT) + part(*CONSENT) + part("file", "f", bytes(3_000_000))
        drop_tables(fragile)
        yield b"--frontier--\r\n"

    response = fragile.ask(
        "POST", "/assets", content=body(), headers={"content-type": TYPE}
    )

    assert (response.status_code, len(fragile.objects)) == (202, 1)


def test_without_room_for_a_file_that_came_first_the_answer_is_503(
    house: House, refusal: Any
) -> None:
    house.settings = {"tmp_dir": house.folder / "missing"}

    response = house.ask("POST", "/assets", **form(FILE, PROJECT, CONSENT))

    assert refusal(response) == (503, "disk_unavailable")


def test_a_bug_is_answered_without_a_word_of_it(
    fragile: House, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragile.store, "ping", nothing)

    response = fragile.ask("GET", "/readyz")

    assert refusal(response) == (500, "internal")
    assert "no business" not in response.text


def test_a_refusal_is_logged_without_what_was_sent(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    house.submit({"project_id": "a/secret", "user_consent": "true"})

    records = [r for r in caplog.records if r.name.startswith("functions.")]
    assert [(r.message, vars(r)["code"]) for r in records] == [
        ("refused", "field_invalid")
    ]


def drop_tables(house: House) -> None:
    with closing(sqlite3.connect(house.folder / "assets.db")) as database:
        for table in ("asset_events", "consents", "assets"):
            database.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
        database.commit()
