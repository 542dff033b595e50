"""Bad bodies, wishes and questions: a clear error with a stable code."""

import json
from typing import Any

import pytest

from tests.functions.upload import forms
from tests.functions.upload.forms import PROJECT, part
from tests.functions.upload.house import FIELDS, House
from tests.functions.upload.test_consent import WISH


@pytest.mark.parametrize(
    ("request_body", "status", "code"),
    [
        ({"json": {"user_consent": True}}, 415, "unsupported_media_type"),
        ({"content": b"bytes"}, 415, "unsupported_media_type"),
        (
            {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
            400,
            "body_malformed",
        ),
        (
            {"content": b"garbage", "headers": {"content-type": forms.TYPE}},
            400,
            "body_malformed",
        ),
        (
            {"content": part(*PROJECT), "headers": {"content-type": forms.TYPE}},
            400,
            "body_incomplete",
        ),
        ({"data": FIELDS}, 422, "file_missing"),
    ],
)
def test_a_body_that_is_no_proper_form_is_refused(
    house: House, refusal: Any, request_body: Any, status: int, code: str
) -> None:
    response = house.ask("POST", "/assets", **request_body)

    assert refusal(response) == (status, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"project_id": None}, "field_missing"),
        ({"project_id": "a/b"}, "field_invalid"),
        ({"project_id": 7}, "field_invalid"),
        ({"filename": None}, "field_missing"),
        ({"filename": 7}, "field_invalid"),
        ({"content_type": None}, "field_missing"),
        ({"content_type": "image"}, "field_invalid"),
        ({"content_type": "image/png\r\nx: y"}, "field_invalid"),
        ({"content_type": "image/png; "}, "field_invalid"),
        ({"content_type": "a/" + "b" * 300}, "field_invalid"),
        ({"size_bytes": None}, "field_missing"),
        ({"size_bytes": "5"}, "field_invalid"),
        ({"size_bytes": 5.5}, "field_invalid"),
        ({"size_bytes": True}, "field_invalid"),
        ({"size_bytes": -1}, "field_invalid"),
        ({"size_bytes": 0}, "file_empty"),
        ({"method": "patch"}, "field_invalid"),
        ({"reference": 0}, "field_invalid"),
        ({"reference": "\x00"}, "field_invalid"),
        ({"reference": "\ud800"}, "field_invalid"),
        ({"reference": "r" * 256}, "field_invalid"),
    ],
)
def test_a_bad_wish_is_refused_and_not_recorded(
    house: House, refusal: Any, changes: dict[str, Any], code: str
) -> None:
    wish = {k: v for k, v in {**WISH, **changes}.items() if v is not None}
    body = json.dumps(wish).encode()

    response = house.ask(
        "POST", "/uploads", content=body, headers={"content-type": "application/json"}
    )

    assert (refusal(response), house.assets) == ((422, code), [])


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "body_malformed"),
        (b"\xff\xff", "application/json", 400, "body_malformed"),
        (b"[" * 60_000, "application/json", 400, "body_malformed"),
        (b"9" * 60_000, "application/json", 400, "body_malformed"),
        (b" " * 70_000, "application/json", 413, "too_large"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (
            json.dumps(WISH)[:-1].encode() + b', "method": "put", "method": "post"}',
            "application/json",
            422,
            "field_repeated",
        ),
    ],
    ids=["cut", "bytes", "deep", "number", "long", "text", "untyped", "repeated"],
)
def test_a_body_that_is_no_proper_wish_is_refused(
    house: House, refusal: Any, body: bytes, media_type: str, status: int, code: str
) -> None:
    response = house.ask(
        "POST", "/uploads", content=body, headers={"content-type": media_type}
    )

    assert refusal(response) == (status, code)


@pytest.mark.parametrize("size_bytes", [101, 10**30])
def test_a_wish_over_the_limit_is_too_large(
    house: House, refusal: Any, size_bytes: int
) -> None:
    house.settings = {"max_bytes": 100}

    response = house.ask("POST", "/uploads", json={**WISH, "size_bytes": size_bytes})

    assert (refusal(response), house.assets) == ((413, "too_large"), [])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/assets/x/y/z", 404, "not_found"),
        ("DELETE", "/assets", 405, "method_not_allowed"),
        ("GET", "/uploads", 405, "method_not_allowed"),
        ("GET", "/assets/not-a-uuid", 404, "asset_unknown"),
        ("GET", "/assets/00000000-0000-4000-8000-000000000000", 404, "asset_unknown"),
        ("GET", "/assets/%00/content", 404, "asset_unknown"),
        ("GET", "/assets", 422, "field_missing"),
        ("GET", "/assets?project_id=", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&project_id=p2", 422, "field_repeated"),
        ("GET", "/assets?project_id=p1&limit=0", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&limit=1001", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&limit=x", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&status=odd", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&cursor=odd", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&cursor=%00%ff", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&cursor=" + "x" * 2000, 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&reference=%00", 422, "field_invalid"),
        ("GET", "/assets?project_id=p1&reference=" + "x" * 256, 422, "field_invalid"),
    ],
)
def test_a_bad_question_gets_a_clear_answer(
    house: House, refusal: Any, method: str, path: str, status: int, code: str
) -> None:
    response = house.ask(method, path)

    assert refusal(response) == (status, code)


def test_listing_an_unknown_project_is_refused_where_projects_are_closed(
    house: House, refusal: Any
) -> None:
    house.settings = {"projects": "closed"}

    response = house.ask("GET", "/assets?project_id=p1")

    assert refusal(response) == (404, "project_unknown")


def test_an_error_answer_does_not_repeat_what_was_sent(house: House) -> None:
    secret = "a/secret"

    answers = [
        house.submit({**FIELDS, "project_id": secret}),
        house.ask("POST", "/uploads", json={**WISH, "project_id": secret}),
        house.ask("GET", "/assets", params={"project_id": secret}),
    ]

    assert not [answer.text for answer in answers if "secret" in answer.text]
