"""What became of a file: record, listing, clean copy, health."""

import re
from dataclasses import replace
from io import BytesIO
from typing import Any, Literal
from uuid import UUID

import pytest

from schemas.assets import Asset
from schemas.facts import (
    Arrived,
    Described,
    DescriptionFailed,
    Erased,
    Expired,
    Fact,
    Held,
    Promoted,
    Refused,
    Retired,
    Withdrawn,
)
from schemas.objects import ObjectRef
from tests.functions.upload.house import FIELDS, NOW, House

ARRIVED = Arrived(NOW, "v1")


def submitted(house: House, *facts: Fact) -> Asset:
    asset_id = UUID(house.submit().json()["asset_id"])
    if facts:
        house.records.note(asset_id, *facts)
    return house.records.get(asset_id)


def promoted(path: str = "p1/a/cat.png") -> Promoted:
    return Promoted(
        "clean", path, "image/png", 3, "00" * 32, "11" * 32, "1", True, ("exif",)
    )


def test_a_record_is_read_by_its_id(house: House) -> None:
    details = {"width": 7}
    asset = submitted(house, ARRIVED, promoted(), Described(details))

    response = house.ask("GET", f"/assets/{asset.id}")

    record = response.json()
    assert (response.status_code, record["id"]) == (200, str(asset.id))
    assert (record["status"], record["final"]) == ("processed", True)
    assert (record["findings"], record["metadata"]) == (["exif"], details)


def test_a_record_tells_nothing_of_quarantine(house: House) -> None:
    asset = submitted(house, ARRIVED)

    record = house.ask("GET", f"/assets/{asset.id}").text

    assert asset.source_key not in record


@pytest.mark.parametrize("verdict", ["clean", "passed"])
def test_a_record_tells_what_passed_from_what_is_clean(
    house: House, verdict: Literal["clean", "passed"]
) -> None:
    asset = submitted(house, ARRIVED, replace(promoted(), verdict=verdict))

    record = house.ask("GET", f"/assets/{asset.id}").json()

    assert record["promotion"] == verdict


def test_a_listing_has_only_the_projects_own_assets(house: House) -> None:
    own = house.submit().json()["asset_id"]
    house.submit({**FIELDS, "project_id": "other"})

    page = house.ask("GET", "/assets?project_id=p1").json()

    assert [item["id"] for item in page["items"]] == [own]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("reference=a", 1),
        ("reference=b", 0),
        ("status=pending", 2),
        ("status=processed", 0),
        ("status=pending&reference=a", 1),
    ],
)
def test_a_listing_can_be_narrowed(house: House, query: str, found: int) -> None:
    house.submit({**FIELDS, "reference": "a"})
    house.submit()

    page = house.ask("GET", f"/assets?project_id=p1&{query}").json()

    assert len(page["items"]) == found


def test_following_the_cursor_gives_every_asset_once(house: House) -> None:
    expected = {house.submit().json()["asset_id"] for _ in range(5)}

    seen: list[str] = []
    page: dict[str, Any] = {"cursor": ""}
    while page["cursor"] is not None:
        params = {"project_id": "p1", "limit": "2", "cursor": page["cursor"]}
        params = {name: value for name, value in params.items() if value}
        page = house.ask("GET", "/assets", params=params).json()
        seen += [item["id"] for item in page["items"]]

    assert (set(seen), len(seen)) == (expected, 5)


@pytest.mark.parametrize(
    "facts",
    [
        [promoted()],
        [promoted(), Described({})],
        [promoted(), DescriptionFailed("cut")],
    ],
)
def test_the_clean_copy_is_reached_by_a_redirect(
    house: House, facts: list[Fact]
) -> None:
    asset = submitted(house, ARRIVED, *facts)
    house.store.put(
        ObjectRef("clean", asset.path),
        BytesIO(b"abc"),
        size_bytes=3,
        media_type="image/png",
        metadata={},
    )

    response = house.ask("GET", f"/assets/{asset.id}/content")

    assert response.status_code == 307
    assert f"/objects/clean/{asset.path}?" in response.headers["location"]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], (409, "not_ready")),
        ([ARRIVED], (409, "not_ready")),
        ([ARRIVED, Held("odd")], (409, "not_ready")),
        ([ARRIVED, Refused("bomb")], (410, "rejected")),
        ([Expired(NOW)], (410, "expired")),
        ([ARRIVED, promoted(), Retired(NOW)], (410, "retired")),
        ([ARRIVED, promoted(), Withdrawn(NOW)], (410, "erased")),
        ([Withdrawn(NOW), Erased(NOW)], (410, "erased")),
    ],
)
def test_without_a_clean_copy_the_answer_says_why(
    house: House, refusal: Any, facts: list[Fact], expected: tuple[int, str]
) -> None:
    asset = submitted(house, *facts)

    response = house.ask("GET", f"/assets/{asset.id}/content")

    assert refusal(response) == expected


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/docs", "/openapi.json"])
def test_a_healthy_service_says_so(house: House, path: str) -> None:
    assert house.ask("GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_load_balancer_may_ask_for_health_by_head(house: House, path: str) -> None:
    assert house.ask("HEAD", path).status_code == 200


def test_the_documentation_needs_nobody_else(house: House) -> None:
    page = house.ask("GET", "/docs").text

    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert needed
    assert [house.ask("GET", url).status_code for url in needed] == [200] * len(needed)
    assert "//" not in "".join(needed)


def test_the_documentation_shows_the_form(house: House) -> None:
    paths = house.ask("GET", "/openapi.json").json()["paths"]

    form = paths["/assets"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["required"] == ["project_id", "user_consent", "file"]
    assert form["schema"]["properties"].keys() == {
        "project_id",
        "user_consent",
        "file",
        "reference",
        "terms_version",
    }
