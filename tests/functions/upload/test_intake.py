"""A file that is taken in: what is stored and recorded, in which order of parts."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.doors import source_of, upload_key
from schemas.facts import Expired, Withdrawn
from schemas.lifecycle import ConsentState, Status
from tests.functions.upload.forms import CONSENT, FILE, PROJECT, TYPE, form, part
from tests.functions.upload.house import FIELDS, NOW, House

REFERENCE = ("reference", "order 7")
TRUTH_FIRST = [PROJECT, CONSENT, REFERENCE, FILE]


def test_the_answer_is_202_with_the_asset(house: House) -> None:
    response = house.submit()

    (asset,) = house.assets
    assert response.status_code == 202
    assert response.json() == {"asset_id": str(asset.id), "status": "processing"}


def test_the_bytes_lie_in_quarantine_under_the_assets_key(house: House) -> None:
    asset_id = UUID(house.submit().json()["asset_id"])

    (info,) = house.objects
    assert info.ref.key == upload_key("p1", asset_id)
    assert house.bytes_of(info) == b"bytes of a cat"


def test_the_object_names_its_asset(house: House) -> None:
    asset_id = house.submit().json()["asset_id"]

    (info,) = house.objects
    assert info.metadata == {"asset-id": asset_id}
    assert str(getattr(source_of(info.ref), "asset_id", None)) == asset_id


def test_the_row_says_what_the_client_said(house: House) -> None:
    house.submit({**FIELDS, "reference": "order 7"})

    (asset,) = house.assets
    assert (asset.project_id, asset.reference, asset.filename) == (
        "p1",
        "order 7",
        "cat.png",
    )
    assert (asset.door, asset.type, asset.user_id) == ("form", "image/png", "anonymous")
    assert (asset.consent, asset.status) == (ConsentState.GIVEN, Status.PENDING)


def test_a_row_whose_bytes_never_come_expires_after_the_longest_transfer(
    house: House,
) -> None:
    house.settings = {"transfer_s": 60}

    house.submit()

    assert [asset.expires_at for asset in house.assets] == [NOW + timedelta(minutes=1)]


def test_a_slash_at_the_end_changes_nothing(house: House) -> None:
    response = house.ask("POST", "/assets/", **form(PROJECT, CONSENT, FILE))

    assert response.status_code == 202


@pytest.mark.parametrize(
    "parts",
    [p for p in itertools.permutations(TRUTH_FIRST) if p[-1] == FILE or p[0] == FILE],
)
def test_fields_may_come_in_any_order_before_or_after_the_file(
    house: House, parts: list[Any]
) -> None:
    response = house.ask("POST", "/assets", **form(*parts))

    assert response.status_code == 202
    assert [house.bytes_of(info) for info in house.objects] == [FILE[2]]
    assert [asset.reference for asset in house.assets] == ["order 7"]


@pytest.mark.parametrize("parts", [[PROJECT, FILE, CONSENT], [CONSENT, FILE, PROJECT]])
def test_a_file_between_the_fields_that_it_needs_is_taken(
    house: House, parts: list[Any]
) -> None:
    response = house.ask("POST", "/assets", **form(*parts))

    assert response.status_code == 202


def test_a_file_is_stored_as_it_came_in_many_chunks(house: House) -> None:
    data = bytes(range(256)) * 10_000

    async def body() -> AsyncIterator[bytes]:
        whole = form(PROJECT, CONSENT, ("file", "f", data))["content"]
        for start in range(0, len(whole), 9_999):
            yield whole[start : start + 9_999]

    house.ask("POST", "/assets", content=body(), headers={"content-type": TYPE})

    assert [house.bytes_of(info) for info in house.objects] == [data]


@pytest.mark.parametrize(
    ("fact", "code", "status"),
    [
        (Withdrawn(NOW), "erased", Status.ERASING),
        (Expired(NOW), "expired", Status.EXPIRED),
    ],
)
def test_an_asset_that_ended_while_its_bytes_came_in_is_not_accepted(
    house: House, refusal: Any, fact: Any, code: str, status: Status
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield part(*PROJECT) + part(*CONSENT) + part(*FILE)
        while not house.assets:
            yield b""
        house.records.note(house.assets[0].id, fact)
        yield b"--frontier--\r\n"

    response = house.ask(
        "POST", "/assets", content=body(), headers={"content-type": TYPE}
    )

    assert refusal(response) == (410, code)
    assert [asset.status for asset in house.assets] == [status]


def test_a_failed_upload_is_followed_by_a_good_one(house: House) -> None:
    house.ask("POST", "/assets", **form(PROJECT, CONSENT, FILE, FILE))

    response = house.submit()

    assert response.status_code == 202
