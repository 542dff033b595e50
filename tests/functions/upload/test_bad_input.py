"""Bad input: a clear error with a stable code, nothing stored, nothing pending."""

import json
from typing import Any

import pytest

from schemas.assets import Project
from schemas.lifecycle import Status
from tests.functions.upload import forms
from tests.functions.upload.forms import CONSENT, FILE, PROJECT, form, part
from tests.functions.upload.house import FIELDS, House
from tests.functions.upload.test_consent import WISH

NAMES = [
    ("../../etc/passwd", "passwd"),
    ("C:\\photos\\cat.png", "cat.png"),
    ("..", "file"),
    ("/", "file"),
    ("", "file"),
    ("a\x00b.png", "ab.png"),
    ("cat\u202egnp.exe", "catgnp.exe"),
    ("🦀 é.png", "🦀 é.png"),
    ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
    ("y" * 300, "y" * 255),
]


def submit(house: House, *parts: Any) -> Any:
    return house.ask("POST", "/assets", **form(*parts))


def kept(house: House) -> tuple[int, list[str]]:
    return len(house.objects), [a.status for a in house.assets]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"project_id": None}, "field_missing"),
        ({"project_id": ""}, "field_invalid"),
        ({"project_id": "p" * 65}, "field_invalid"),
        ({"project_id": "a/b"}, "field_invalid"),
        ({"project_id": ".."}, "field_invalid"),
        ({"project_id": "p\x00"}, "field_invalid"),
        ({"project_id": "ü"}, "field_invalid"),
        ({"project_id": "p" * 10_000}, "field_invalid"),
        ({"project_id": ["p1", "p1"]}, "field_repeated"),
        ({"reference": "r" * 256}, "field_invalid"),
        ({"reference": "a\x00b"}, "field_invalid"),
        ({"reference": ["a", "b"]}, "field_repeated"),
        ({"terms_version": "t" * 256}, "field_invalid"),
        ({"terms_version": "a\nb"}, "field_invalid"),
        ({"terms_version": ["a", "b"]}, "field_repeated"),
    ],
)
def test_a_bad_field_is_refused_before_anything_is_kept(
    house: House, refusal: Any, fields: dict[str, Any], code: str
) -> None:
    given = {k: v for k, v in {**FIELDS, **fields}.items() if v is not None}

    response = house.submit(given)

    assert (refusal(response), kept(house)) == ((422, code), (0, []))


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([PROJECT, CONSENT], "file_missing"),
        ([PROJECT, CONSENT, ("file", "plain text")], "field_invalid"),
        ([PROJECT, CONSENT, ("file", "cat.png", b"")], "file_empty"),
        ([PROJECT, CONSENT, ("file", "", b"")], "file_empty"),
        ([("file", "cat.png", b""), PROJECT, CONSENT], "file_empty"),
        ([PROJECT, CONSENT, ("photo", "cat.png", b"x")], "field_invalid"),
        ([PROJECT, CONSENT, ("photo", "cat.png", b"x"), FILE], "field_invalid"),
        ([("photo", "cat.png", b"x"), FILE, PROJECT, CONSENT], "field_invalid"),
        ([FILE, FILE, PROJECT, CONSENT], "field_repeated"),
        ([CONSENT, part("project_id", b"p\xff"), FILE], "field_invalid"),
        ([FILE, CONSENT, part("project_id", b"p\xff")], "field_invalid"),
        ([CONSENT, ("project_id", "p1.txt", b"p1"), FILE], "field_invalid"),
        ([CONSENT, FILE], "field_missing"),
        ([FILE, CONSENT], "field_missing"),
    ],
)
def test_a_bad_form_is_refused_before_anything_is_kept(
    house: House, refusal: Any, parts: list[Any], code: str
) -> None:
    response = submit(house, *parts)

    assert (refusal(response), kept(house)) == ((422, code), (0, []))


@pytest.mark.parametrize(
    ("late", "code"),
    [
        (FILE, "field_repeated"),
        (PROJECT, "field_repeated"),
        (CONSENT, "field_repeated"),
        (("file", "text"), "field_invalid"),
        (("photo", "cat.png", b"x"), "field_invalid"),
        (("reference", "r"), "field_misplaced"),
        (("terms_version", "1"), "field_misplaced"),
    ],
)
def test_what_does_not_belong_after_the_file_stores_nothing(
    house: House, refusal: Any, late: Any, code: str
) -> None:
    response = submit(house, PROJECT, CONSENT, FILE, late)

    assert (refusal(response), kept(house)) == ((422, code), (0, [Status.EXPIRED]))


def test_the_record_says_why_an_upload_came_to_nothing(house: House) -> None:
    submit(house, PROJECT, CONSENT, FILE, FILE)

    assert [asset.reason for asset in house.assets] == ["field_repeated"]


def test_unknown_fields_are_ignored(house: House) -> None:
    extra = ("csrf_token", "x" * 5000)

    response = submit(house, extra, PROJECT, CONSENT, FILE, extra)

    assert response.status_code == 202


def test_blank_optional_fields_count_as_absent(house: House) -> None:
    house.submit({**FIELDS, "reference": "", "terms_version": ""})

    assert [asset.reference for asset in house.assets] == [None]


def test_a_field_in_another_declared_charset_is_understood(house: House) -> None:
    header = "Content-Type: text/plain; charset=iso-8859-1"

    submit(house, PROJECT, CONSENT, part("reference", b"\xfc", header=header), FILE)

    assert [asset.reference for asset in house.assets] == ["ü"]


@pytest.mark.parametrize(("name", "shown"), NAMES)
@pytest.mark.parametrize("first", [True, False])
def test_a_file_is_never_refused_for_its_name(
    house: House, name: str, shown: str, first: bool
) -> None:
    file = ("file", name.replace("\\", "\\\\"), b"x")

    response = submit(
        house, *([file] * first), PROJECT, CONSENT, *([file] * (not first))
    )

    assert response.status_code == 202
    assert [asset.filename for asset in house.assets] == [shown]


@pytest.mark.parametrize(
    ("header", "declared"),
    [
        ("Content-Type: image/png", "image/png"),
        ("Content-Type: Image/PNG; x=y", "image/png"),
        ("Content-Type: garbage", "application/octet-stream"),
        ("Content-Type: a/" + "b" * 300, "application/octet-stream"),
        ("X: y", "application/octet-stream"),
    ],
)
def test_a_file_is_never_refused_for_its_declared_type(
    house: House, header: str, declared: str
) -> None:
    submit(house, PROJECT, CONSENT, part("file", "f", b"x", header=header))

    assert [info.media_type for info in house.objects] == [declared]


@pytest.mark.parametrize("first", [True, False])
def test_a_file_over_the_limit_is_too_large(
    house: House, refusal: Any, first: bool
) -> None:
    house.settings = {"max_bytes": 100}
    file = ("file", "f", bytes(101))

    response = submit(
        house, *([file] * first), PROJECT, CONSENT, *([file] * (not first))
    )

    assert (refusal(response), house.objects) == ((413, "too_large"), [])


def test_a_file_of_just_the_limit_is_taken(house: House) -> None:
    house.settings = {"max_bytes": 100}

    response = submit(house, PROJECT, CONSENT, ("file", "f", bytes(100)))

    assert response.status_code == 202


@pytest.mark.parametrize(("own", "status"), [(5, 413), (None, 202), (10_000, 202)])
def test_a_project_may_lower_the_limit(house: House, own: Any, status: int) -> None:
    house.records.save_project(Project(id="p1", max_bytes=own))

    response = house.submit()

    assert response.status_code == status


def test_a_declared_length_over_the_limit_is_refused_unread(
    house: House, refusal: Any
) -> None:
    house.settings = {"max_bytes": 100}
    request = form(PROJECT, CONSENT, ("file", "f", bytes(2_000_000)))

    response = house.ask("POST", "/assets", **request)

    assert (refusal(response), kept(house)) == ((413, "too_large"), (0, []))


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
    "end",
    [b"\r\n--frontier\r\nnonsense", b"", b"\r\n--frontier\r\n\r\n\r\n--frontier--"],
)
def test_a_form_that_goes_wrong_after_its_file_stores_nothing(
    house: House, end: bytes
) -> None:
    body = part(*PROJECT) + part(*CONSENT) + part(*FILE)[:-2] + end

    response = house.ask(
        "POST", "/assets", content=body, headers={"content-type": forms.TYPE}
    )

    assert (response.status_code, kept(house)) == (400, (0, [Status.EXPIRED]))


def test_consent_is_judged_before_the_rest_of_the_form(
    house: House, refusal: Any
) -> None:
    body = part("user_consent", "no") + part(*FILE)[:-2] + b"\r\n--frontier\r\nnonsense"

    response = house.ask(
        "POST", "/assets", content=body, headers={"content-type": forms.TYPE}
    )

    assert refusal(response) == (400, "consent_missing")


def test_closed_projects_want_the_project_to_exist(house: House, refusal: Any) -> None:
    house.settings = {"projects": "closed"}

    response = house.submit()

    assert (refusal(response), kept(house)) == ((404, "project_unknown"), (0, []))


def test_closed_projects_let_a_known_project_in(house: House) -> None:
    house.settings = {"projects": "closed"}
    house.records.save_project(Project(id="p1"))

    response = house.submit()

    assert response.status_code == 202


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
