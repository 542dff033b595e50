"""Upload URLs: what is granted is what the store then takes."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.lifecycle import ConsentState, Status
from tests.functions.upload.house import NOW, House
from tests.functions.upload.test_consent import WISH


def wish(house: House, **changes: Any) -> dict[str, Any]:
    response = house.ask("POST", "/uploads", json={**WISH, **changes})
    assert response.status_code == 201, response.text
    granted: dict[str, Any] = response.json()
    return granted


def at_the_door(house: House, method: str, url: str, **request: Any) -> int:
    """Send to the store's own door, which the host mounts under /objects."""

    async def sent() -> int:
        door = house.store.door()
        assert door is not None
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door)) as client:
            path = url.replace("/objects/", "/", 1)
            return (await client.request(method, path, **request)).status_code

    return asyncio.run(sent())


def test_a_post_is_granted_unless_something_else_is_asked_for(house: House) -> None:
    granted = wish(house)

    assert granted.keys() == {"asset_id", "upload", "expires_at"}
    assert granted["upload"].keys() == {"method", "url", "fields"}
    assert granted["upload"]["method"] == "post"


def test_a_put_is_granted_with_its_headers(house: House) -> None:
    granted = wish(house, method="put")

    assert granted["upload"].keys() == {"method", "url", "headers"}
    assert granted["upload"]["method"] == "put"


def test_a_grant_says_until_when_it_works(house: House) -> None:
    house.settings = {"presign_expires_s": 60}

    granted = wish(house)

    assert granted["expires_at"] == "2026-01-01T12:01:00Z"


def test_the_row_lives_as_long_as_the_url_and_the_longest_transfer(
    house: House,
) -> None:
    house.settings = {"presign_expires_s": 60, "transfer_s": 3600}

    wish(house)

    lasting = timedelta(hours=1, minutes=1)
    assert [asset.expires_at for asset in house.assets] == [NOW + lasting]


def test_row_and_receipt_are_written_with_the_grant(house: House) -> None:
    granted = wish(house, reference="order 7", filename="../a/cat.png")

    (asset,) = house.assets
    assert (str(asset.id), asset.door) == (granted["asset_id"], "presigned")
    assert (asset.reference, asset.filename) == ("order 7", "cat.png")
    assert (asset.consent, asset.status) == (ConsentState.GIVEN, Status.PENDING)
    assert house.records.consent(asset.id) is not None


@pytest.mark.parametrize("data", [b"12345", b"1"])
def test_what_was_granted_by_post_is_stored(house: House, data: bytes) -> None:
    upload = wish(house)["upload"]

    status = at_the_door(
        house, "POST", upload["url"], data=upload["fields"], files={"file": ("f", data)}
    )

    assert (status, [house.bytes_of(i) for i in house.objects]) == (204, [data])


def test_what_was_granted_by_put_is_stored(house: House) -> None:
    granted = wish(house, method="put")
    upload = granted["upload"]

    status = at_the_door(
        house, "PUT", upload["url"], content=b"12345", headers=upload["headers"]
    )

    (info,) = house.objects
    assert (status, info.metadata) == (200, {"asset-id": granted["asset_id"]})


def test_a_file_that_is_larger_than_said_is_not_stored(house: House) -> None:
    upload = wish(house)["upload"]

    status = at_the_door(
        house,
        "POST",
        upload["url"],
        data=upload["fields"],
        files={"file": ("f", b"123456")},
    )

    assert (status, house.objects) == (413, [])
