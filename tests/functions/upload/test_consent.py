"""Consent is judged before anything else, and without it nothing is kept."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.lifecycle import Status
from tests.functions.upload import forms
from tests.functions.upload.forms import CONSENT, PROJECT, TYPE, form, part
from tests.functions.upload.house import FIELDS, FILE, House

ANSWER = {"detail": "User consent is mandatory and must be explicitly set to 'true'."}
NO_CONSENT: list[Any] = [
    "false",
    "",
    "yes",
    "1",
    "on",
    " true",
    "true\x00",
    "truе",  # a Cyrillic letter
    ["true", "false"],
    ["false", "true"],
]
WISH = {
    "project_id": "p1",
    "user_consent": True,
    "filename": "cat.png",
    "content_type": "image/png",
    "size_bytes": 5,
}


@pytest.mark.parametrize("value", NO_CONSENT)
def test_a_form_without_consent_is_refused_and_leaves_nothing(
    house: House, value: Any
) -> None:
    response = house.submit({**FIELDS, "user_consent": value})

    assert (response.status_code, response.json()) == (400, ANSWER)
    assert (house.objects, house.assets) == ([], [])


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"data": {"project_id": "p1"}},
        {"data": {"project_id": "p1"}, "files": {"file": FILE}},
        {"files": {"file": FILE}},
        {
            "data": {"project_id": "../etc", "reference": "x" * 999},
            "files": {"f": FILE},
        },
        {"files": {"user_consent": ("true", b"true"), "file": FILE}},
        form(PROJECT, part("user_consent", b"\xff"), forms.FILE),
    ],
    ids=[
        "nothing",
        "no file",
        "no consent",
        "file only",
        "all wrong",
        "a file",
        "bytes",
    ],
)
def test_consent_is_judged_before_everything_else(
    house: House, request_body: dict[str, Any]
) -> None:
    response = house.ask("POST", "/assets", **request_body)

    assert response.json() == ANSWER


def test_consent_is_judged_before_size_and_project(house: House) -> None:
    house.settings = {"max_bytes": 3, "projects": "closed"}

    response = house.submit({"project_id": "unknown", "user_consent": "no"})

    assert response.json() == ANSWER


@pytest.mark.parametrize("value", ["true", "TRUE", "True", "tRuE"])
def test_consent_is_the_word_true_in_any_case(house: House, value: str) -> None:
    response = house.submit({**FIELDS, "user_consent": value})

    assert response.status_code == 202


def test_consent_given_twice_is_a_repeated_field(house: House, refusal: Any) -> None:
    response = house.submit({**FIELDS, "user_consent": ["true", "TRUE"]})

    assert refusal(response) == (422, "field_repeated")


@pytest.mark.parametrize(
    "parts",
    [
        [forms.FILE, PROJECT, ("user_consent", "false")],
        [forms.FILE, PROJECT],
        [PROJECT, forms.FILE, ("user_consent", "no")],
        [CONSENT, forms.FILE, PROJECT, ("user_consent", "false")],
    ],
)
def test_a_file_before_its_fields_leaves_nothing_behind_without_consent(
    house: House, parts: list[Any]
) -> None:
    response = house.ask("POST", "/assets", **form(*parts))

    assert (response.json(), house.objects, house.assets) == (ANSWER, [], [])


def test_a_file_that_waits_for_consent_lies_in_no_named_file(house: House) -> None:
    before = set(house.folder.rglob("*"))
    seen: set[Path] = set()

    async def body() -> AsyncIterator[bytes]:
        yield part("file", "cat.png", b"x" * 1_000_000)[:-2]
        seen.update(house.folder.rglob("*"))
        yield b"\r\n--frontier--\r\n"

    house.ask("POST", "/assets", content=body(), headers={"content-type": TYPE})

    assert seen - before == set()


def test_a_file_that_waits_for_consent_is_private(house: House) -> None:
    modes: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield part("file", "cat.png", b"x" * 1_000_000)[:-2]
        for link in Path("/proc/self/fd").iterdir():
            target = str(link.readlink())
            if target.startswith(str(house.folder)) and target.endswith("(deleted)"):
                modes.append(link.stat().st_mode & 0o777)
        yield b"\r\n--frontier--\r\n"

    house.ask("POST", "/assets", content=body(), headers={"content-type": TYPE})

    assert modes == [0o600]


def test_no_byte_of_a_refused_file_is_read(house: House) -> None:
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield part("user_consent", "false") + part("file", "cat.png", b"x")[:-2]
        for number in range(1000):
            read.append(number)
            yield bytes(1000)

    house.settings = {"linger_bytes": 0}
    house.ask("POST", "/assets", content=body(), headers={"content-type": TYPE})

    assert read == []


def test_consent_taken_back_after_the_file_leaves_no_bytes(house: House) -> None:
    parts = [PROJECT, CONSENT, forms.FILE, ("user_consent", "false")]

    response = house.ask("POST", "/assets", **form(*parts))

    assert (response.json(), house.objects) == (ANSWER, [])


def test_consent_taken_back_after_the_file_leaves_a_tombstone(house: House) -> None:
    parts = [PROJECT, CONSENT, forms.FILE, ("user_consent", "false")]

    house.ask("POST", "/assets", **form(*parts))

    assert [asset.status for asset in house.assets] == [Status.ERASED]


def test_the_receipt_is_written_with_the_row(house: House) -> None:
    house.submit({**FIELDS, "terms_version": "2026-01"})

    (asset,) = house.assets
    consent = house.records.consent(asset.id)
    assert consent is not None
    assert json.loads(consent.receipt) == {
        "asset_id": str(asset.id),
        "door": "form",
        "given_at": "2026-01-01T12:00:00+00:00",
        "project_id": "p1",
        "terms_version": "2026-01",
        "user_id": "anonymous",
    }


def test_the_record_is_there_before_the_bytes_are(house: House) -> None:
    seen: list[tuple[int, int]] = []

    async def body() -> AsyncIterator[bytes]:
        file = part("file", "cat.png", b"x" * 3_000_000)
        yield part(*PROJECT) + part(*CONSENT) + file[:1_000_000]
        yield file[1_000_000:2_000_000]
        yield file[2_000_000:]
        seen.append((len(house.assets), len(house.objects)))
        yield b"--frontier--\r\n"

    house.ask("POST", "/assets", content=body(), headers={"content-type": TYPE})

    assert seen == [(1, 0)]


@pytest.mark.parametrize("value", [False, "true", 1, None, "", [True], {"a": True}])
def test_a_json_wish_without_consent_is_answered_with_the_same_sentence(
    house: House, value: Any
) -> None:
    response = house.ask("POST", "/uploads", json={**WISH, "user_consent": value})

    assert (response.status_code, response.json(), house.assets) == (400, ANSWER, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'[{"user_consent": true}]',
        b'{"project_id": 7}',
        b'{"user_consent": true, "user_consent": false}',
        b'{"user_consent": false, "user_consent": true}',
    ],
)
def test_in_json_too_consent_is_judged_before_everything_else(
    house: House, body: bytes
) -> None:
    headers = {"content-type": "application/json"}

    response = house.ask("POST", "/uploads", content=body, headers=headers)

    assert response.json() == ANSWER
