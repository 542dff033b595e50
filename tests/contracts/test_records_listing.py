"""The contract of schemas/ports/records.py: pages and what is due."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.assets import Asset
from schemas.facts import (
    Checked,
    Held,
)
from schemas.lifecycle import Check, Status
from schemas.ports import AssetQuery, AssetRecords
from tests.records import GRACE, NOW, admit

LATER = NOW + timedelta(hours=1)


def everything(records: AssetRecords, query: AssetQuery) -> list[Asset]:
    """Follow the cursor to its end."""
    assets, cursor = records.page(query)
    while cursor is not None:
        more, cursor = records.page(replace(query, cursor=cursor))
        assets += more
    return assets


# page


def test_a_page_holds_all_that_match_every_field(records: AssetRecords) -> None:
    given = {"project_id": "p1", "reference": "r1", "arrived_at": NOW}
    wanted = admit(records, **given)
    others: list[dict[str, object]] = [
        {"project_id": "p2"},
        {"reference": "r2"},
        {"arrived_at": None},
    ]
    for other in others:
        admit(records, **{**given, **other})

    query = AssetQuery(project_id="p1", status=Status.QUARANTINED, reference="r1")

    assert records.page(query) == ([wanted], None)


def test_a_page_is_bounded_by_since_and_until(records: AssetRecords) -> None:
    minutes = [NOW + timedelta(minutes=n) for n in range(4)]
    assets = [admit(records, created_at=at) for at in minutes]

    found, _ = records.page(AssetQuery(since=minutes[1], until=minutes[3]))

    assert found == assets[1:3]


def test_the_oldest_come_first(records: AssetRecords) -> None:
    young, old = (
        admit(records, created_at=NOW + timedelta(microseconds=n)) for n in (1, 0)
    )

    assert records.page(AssetQuery())[0] == [old, young]


def test_a_page_that_holds_all_has_no_cursor(records: AssetRecords) -> None:
    for _ in range(3):
        admit(records)

    assets, cursor = records.page(AssetQuery(limit=3))

    assert len(assets) == 3
    assert cursor is None


def test_the_cursor_gives_every_asset_once_while_others_are_added(
    records: AssetRecords,
) -> None:
    # The same moment for all: the id has to decide.
    known = {admit(records).id for _ in range(7)}
    query = AssetQuery(limit=3)
    first, cursor = records.page(query)
    added = {admit(records, created_at=at).id for at in (NOW, LATER)}

    rest = everything(records, replace(query, cursor=cursor))

    ids = [asset.id for asset in first + rest]
    assert len(ids) == len(set(ids))
    assert known <= set(ids) <= known | added


def test_a_cursor_goes_into_a_url_unquoted(records: AssetRecords) -> None:
    admit(records)
    admit(records)

    cursor = records.page(AssetQuery(limit=1))[1] or ""

    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "tamper",
    [
        lambda _: "",
        lambda _: "x",
        lambda _: "0" * 38,
        lambda _: "ü" * 38,
        lambda cursor: cursor[:-1],
        lambda cursor: cursor + "=",
        lambda cursor: cursor + "\n",
        lambda cursor: cursor.swapcase(),
        lambda cursor: "_" + cursor[1:],
    ],
)
def test_a_cursor_that_was_not_given_is_refused(
    records: AssetRecords, tamper: Any
) -> None:
    admit(records)
    admit(records)
    cursor = records.page(AssetQuery(limit=1))[1]

    with pytest.raises(ValueError, match="not a cursor"):
        records.page(AssetQuery(cursor=tamper(cursor)))


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nothing_is_refused(records: AssetRecords, limit: int) -> None:
    with pytest.raises(ValueError, match="one asset at least"):
        records.page(AssetQuery(limit=limit))


# due, postpone


def test_what_is_due_comes_longest_overdue_first(records: AssetRecords) -> None:
    ages = [timedelta(minutes=n) for n in (2, 3, 1, 4)]
    assets = {age: admit(records, updated_at=NOW - age) for age in ages}

    due = records.due(NOW, limit=3)

    expected = [assets[timedelta(minutes=n)].id for n in (4, 3, 2)]
    assert [asset.id for asset in due] == expected


def test_an_asset_is_due_from_its_moment_on(
    records: AssetRecords, asset: Asset
) -> None:
    moment = NOW + GRACE

    early, now = (
        records.due(at, 10) for at in (moment - timedelta(microseconds=1), moment)
    )

    assert (early, now) == ([], [asset])


def test_a_postponed_asset_is_due_later_at_the_same_revision(
    records: AssetRecords, asset: Asset
) -> None:
    moved = records.postpone(asset, LATER)

    assert moved
    assert records.due(NOW + GRACE, 10) == []
    kept = records.get(asset.id)
    assert (kept.next_announce_at, kept.revision) == (LATER, asset.revision)


def test_an_asset_that_others_changed_is_not_postponed(
    records: AssetRecords, asset: Asset
) -> None:
    noted = records.note(asset.id, Checked("virus", Check.PASS)).asset

    moved = records.postpone(asset, LATER)

    assert not moved
    assert records.get(asset.id) == noted


def test_what_is_not_to_be_announced_is_not_postponed(
    records: AssetRecords, asset: Asset
) -> None:
    held = records.note(asset.id, Held("unknown_type")).asset

    moved = records.postpone(held, LATER)

    assert not moved
    assert records.get(asset.id) == held
