"""The contract of schemas/ports/records.py: what facts change."""

from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.assets import Asset
from schemas.errors import AssetNotFound
from schemas.facts import (
    Arrived,
    Checked,
    ConsentGranted,
    Described,
    DescriptionFailed,
    Erased,
    Expired,
    Fact,
    Faulted,
    Held,
    Refused,
    Released,
    Retired,
    Withdrawn,
)
from schemas.lifecycle import Check, ConsentState, Status
from schemas.ports import AssetRecords
from tests.records import GRACE, NOW, Clock, admit, arrived, promoted

LATER = NOW + timedelta(hours=1)

# note


def test_news_are_stored_with_an_event(
    records: AssetRecords, asset: Asset, clock: Clock
) -> None:
    clock.now = LATER

    noted = records.note(asset.id, arrived())

    assert noted.changed
    assert noted.asset == records.get(asset.id)
    event = records.history(asset.id)[-1]
    assert (event.revision, event.status, event.at) == (2, Status.QUARANTINED, LATER)


def test_every_column_of_a_fact_is_stored(records: AssetRecords, asset: Asset) -> None:
    fact = promoted()

    records.note(asset.id, fact)

    kept = records.get(asset.id).model_dump()
    expected = fact.columns()
    assert {name: kept[name] for name in expected} == expected


def test_a_fact_that_its_slot_outranks_changes_nothing(
    records: AssetRecords, asset: Asset
) -> None:
    before = records.note(asset.id, promoted()).asset

    noted = records.note(asset.id, Refused("broken_image", media_type="image/gif"))

    assert not noted.changed
    assert noted.asset == before == records.get(asset.id)


def test_noting_twice_is_noting_once(
    records: AssetRecords, asset: Asset, clock: Clock
) -> None:
    facts = (arrived(), promoted(), Checked("virus", Check.PASS))
    once = records.note(asset.id, *facts).asset
    clock.now = LATER

    twice = records.note(asset.id, *facts)

    assert not twice.changed
    assert twice.asset == once == records.get(asset.id)
    assert len(records.history(asset.id)) == 2


def test_of_two_facts_for_one_slot_the_first_one_stays(
    records: AssetRecords, asset: Asset
) -> None:
    records.note(asset.id, promoted(path="p1/1/first.jpg"))

    noted = records.note(asset.id, promoted(path="p1/1/second.jpg"))

    assert noted.asset.path == "p1/1/first.jpg"


def test_the_status_is_worked_out_anew(records: AssetRecords, asset: Asset) -> None:
    noted = records.note(asset.id, Described({"width": 1}), promoted(), arrived())

    assert noted.asset.status == Status.PROCESSED


def test_the_revision_rises_by_one_for_any_number_of_news(
    records: AssetRecords, asset: Asset
) -> None:
    noted = records.note(asset.id, arrived(), promoted(), Described({}))

    assert noted.asset.revision == 2
    assert [event.revision for event in records.history(asset.id)] == [1, 2]


@pytest.mark.parametrize(
    "facts",
    [
        [arrived(), promoted(), Described({})],
        [arrived(), promoted(), DescriptionFailed("not an image")],
        [arrived(), Refused("broken_image")],
        [arrived(), Held("unknown_type")],
        [arrived(), promoted(), Retired(NOW)],
        [Expired(NOW)],
        [Withdrawn(NOW), Erased(NOW)],
    ],
    ids=lambda facts: type(facts[-1]).__name__,
)
def test_what_is_final_or_parked_is_not_announced(
    records: AssetRecords, asset: Asset, facts: list[Fact]
) -> None:
    noted = records.note(asset.id, *facts)

    assert noted.asset.next_announce_at is None


def test_what_awaits_consent_is_not_announced_until_it_is_granted(
    records: AssetRecords,
) -> None:
    asset = admit(records, consent=ConsentState.MISSING, arrived_at=NOW)

    granted = records.note(asset.id, ConsentGranted()).asset

    assert asset.next_announce_at is None
    assert granted.next_announce_at == NOW + GRACE


@pytest.mark.parametrize(
    "facts",
    [[arrived()], [arrived(), promoted()], [arrived(), Withdrawn(NOW)]],
    ids=["quarantined", "sanitized", "erasing"],
)
def test_what_waits_for_a_function_is_announced_after_the_grace(
    records: AssetRecords, asset: Asset, clock: Clock, facts: list[Fact]
) -> None:
    clock.now = LATER

    noted = records.note(asset.id, *facts)

    assert noted.asset.next_announce_at == LATER + GRACE


def test_a_pending_asset_is_due_when_its_upload_expires(records: AssetRecords) -> None:
    admitted = admit(records, expires_at=LATER)

    noted = records.note(admitted.id, Checked("virus", Check.PASS)).asset

    assert (admitted.next_announce_at, noted.next_announce_at) == (LATER, LATER)


def test_a_pending_asset_that_does_not_expire_is_due_after_the_grace(
    records: AssetRecords,
) -> None:
    admitted = admit(records, updated_at=LATER)

    assert admitted.next_announce_at == LATER + GRACE


def test_a_fault_of_an_open_step_is_kept_and_stops_announcements(
    records: AssetRecords, asset: Asset
) -> None:
    records.note(asset.id, arrived())

    noted = records.note(asset.id, Faulted("promotion", "store said \0no\n"))

    assert noted.asset.fault == "promotion: store said no"
    assert noted.asset.next_announce_at is None
    assert noted.asset.revision == 3
    assert records.history(asset.id)[-1].status == Status.QUARANTINED


def test_the_same_fault_is_news_once(records: AssetRecords, asset: Asset) -> None:
    records.note(asset.id, Faulted("promotion", "no"))

    noted = records.note(asset.id, Faulted("promotion", "no"))

    assert not noted.changed
    assert len(records.history(asset.id)) == 2


@pytest.mark.parametrize("closing", [promoted(), Refused("broken"), Withdrawn(NOW)])
def test_a_fault_of_a_closed_step_is_not_kept(
    records: AssetRecords, asset: Asset, closing: Fact
) -> None:
    records.note(asset.id, closing)

    noted = records.note(asset.id, Faulted("promotion", "too late"))

    assert not noted.changed
    assert noted.asset.fault is None


@pytest.mark.parametrize("closing", [promoted(), Refused("broken"), Withdrawn(NOW)])
def test_closing_a_step_clears_its_fault(
    records: AssetRecords, asset: Asset, closing: Fact
) -> None:
    records.note(asset.id, Faulted("promotion", "no"))

    noted = records.note(asset.id, closing)

    assert noted.asset.fault is None


def test_closing_one_step_leaves_the_others_fault(
    records: AssetRecords, asset: Asset
) -> None:
    records.note(asset.id, Faulted("description", "no"))

    noted = records.note(asset.id, arrived(), promoted())

    assert noted.asset.fault == "description: no"
    assert noted.asset.next_announce_at is None


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([Refused("broken_image")], "broken_image"),
        ([Held("unknown_type")], "unknown_type"),
        ([Held("unknown_type"), Released()], None),
        ([Held("unknown_type"), promoted()], None),
        ([Expired(NOW)], "upload_expired"),
        ([Expired(NOW), Arrived(NOW, "v1")], None),
        ([Expired(NOW), Refused("broken_image")], "broken_image"),
        ([Refused("broken_image"), Expired(NOW)], "broken_image"),
        ([promoted(), Expired(NOW)], None),
    ],
)
def test_a_reason_stands_while_held_refused_or_expired(
    records: AssetRecords, asset: Asset, facts: list[Fact], reason: str | None
) -> None:
    for fact in facts:
        records.note(asset.id, fact)

    assert records.get(asset.id).reason == reason


def test_bytes_that_arrive_late_revive_an_expired_asset(
    records: AssetRecords, asset: Asset
) -> None:
    records.note(asset.id, Expired(NOW))

    noted = records.note(asset.id, arrived())

    assert noted.asset.status == Status.QUARANTINED
    assert noted.asset.next_announce_at == NOW + GRACE


def test_nothing_leads_out_of_a_tombstone(records: AssetRecords, asset: Asset) -> None:
    records.note(asset.id, Withdrawn(NOW))
    tombstone = records.note(asset.id, Erased(NOW)).asset

    noted = records.note(
        asset.id, arrived(), promoted(), Described({}), ConsentGranted(), Retired(NOW)
    )

    assert not noted.changed
    assert records.get(asset.id) == tombstone
    assert tombstone.status == Status.ERASED


def test_an_unknown_asset_can_not_be_noted(records: AssetRecords) -> None:
    with pytest.raises(AssetNotFound):
        records.note(uuid4(), arrived())
