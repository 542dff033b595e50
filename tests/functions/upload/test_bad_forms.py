"""Bad input: a clear error with a stable code, nothing stored, nothing pending."""

from typing import Any

import pytest

from schemas.assets import Project
from schemas.lifecycle import Status
from tests.functions.upload import forms
from tests.functions.upload.forms import CONSENT, FILE, PROJECT, form, part
from tests.functions.upload.house import FIELDS, House

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
