"""The contract of schemas/ports/records.py: what is kept and how it comes back."""

from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.assets import Asset, Consent, Project, receipt
from schemas.errors import AssetNotFound, InvalidRecord, Unavailable
from schemas.facts import Described, Refused
from schemas.lifecycle import Check, ConsentState, Status
from schemas.ports import AssetRecords
from tests.records import NOW, admit, arrived, new_asset, opened, promoted

LATER = NOW + timedelta(hours=1)

# provision


def test_provisioning_makes_the_tables_and_twice_is_safe(empty_url: str) -> None:
    records = opened(empty_url)
    records.provision()
    asset = records.admit(new_asset(), None)

    records.provision()

    assert records.get(asset.id) == asset
    records.close()


def test_provisioned_tells_whether_the_tables_are_of_the_newest_schema(
    empty_url: str,
) -> None:
    records = opened(empty_url)
    before = records.provisioned()

    records.provision()

    assert (before, records.provisioned()) == (False, True)
    records.close()


# admit


def test_asset_receipt_and_first_event_are_stored_together(
    records: AssetRecords,
) -> None:
    asset = new_asset()
    consent = receipt(asset, "terms-1", NOW)

    records.admit(asset, consent)

    assert records.get(asset.id).filename == "photo.jpg"
    assert records.consent(asset.id) == consent
    assert [event.status for event in records.history(asset.id)] == [Status.PENDING]


def test_an_asset_whose_receipt_can_not_be_stored_is_not_stored(
    records: AssetRecords,
) -> None:
    asset = new_asset()
    consent = Consent(asset_id=asset.id, receipt="{}", sha256="x" * 65, given_at=NOW)

    with pytest.raises(InvalidRecord):
        records.admit(asset, consent)

    with pytest.raises(AssetNotFound):
        records.get(asset.id)


def test_every_column_comes_back_as_it_was_stored(records: AssetRecords) -> None:
    given = new_asset(
        reference="Bestellung 7 ü 🐟",
        findings=["exif"],
        details={"width": 3, "tags": [None, 1.5, "ü"]},
        checks={"virus": Check.PASS},
        size_bytes=2**40,
        expires_at=LATER,
    )

    stored = records.admit(given, None)

    kept = records.get(given.id).model_dump()
    assert kept == stored.model_dump()
    changed = {"status", "revision", "next_announce_at"}
    expected = given.model_dump(exclude=changed)
    assert {name: kept[name] for name in expected} == expected


def test_admitting_a_known_id_changes_nothing(
    records: AssetRecords, asset: Asset
) -> None:
    noted = records.note(asset.id, arrived()).asset
    again = new_asset(id=asset.id, filename="other.jpg")

    returned = records.admit(again, receipt(again, None, NOW))

    assert returned == noted
    assert records.get(asset.id) == noted
    assert records.consent(asset.id) is None
    assert len(records.history(asset.id)) == 2


def test_the_consent_hash_becomes_the_receipts(records: AssetRecords) -> None:
    asset = new_asset()
    consent = receipt(asset, None, NOW)

    admitted = records.admit(asset, consent)

    assert admitted.consent_hash == consent.sha256


def test_an_admitted_assets_status_follows_from_its_facts(
    records: AssetRecords,
) -> None:
    given = {"consent": ConsentState.MISSING, "arrived_at": NOW, "status": "processed"}

    admitted = admit(records, **given)

    assert admitted.status == Status.AWAITING_CONSENT


def test_an_admitted_asset_has_revision_1(records: AssetRecords) -> None:
    admitted = admit(records, revision=17)

    assert admitted.revision == 1


def test_an_asset_without_times_gets_the_clocks(records: AssetRecords) -> None:
    admitted = admit(records, created_at=None, updated_at=None)

    assert (admitted.created_at, admitted.updated_at) == (NOW, NOW)


# get


def test_an_asset_is_detached(records: AssetRecords, asset: Asset) -> None:
    asset.filename = "changed.jpg"
    asset.findings.append("exif")

    assert records.get(asset.id).filename == "photo.jpg"
    assert records.get(asset.id).findings == []


def test_an_unknown_asset_is_not_found(records: AssetRecords) -> None:
    with pytest.raises(AssetNotFound):
        records.get(uuid4())


# history, consent


def test_the_history_is_told_oldest_first(records: AssetRecords, asset: Asset) -> None:
    for fact in (arrived(), promoted(), Described({})):
        records.note(asset.id, fact)

    statuses = [event.status for event in records.history(asset.id)]
    assert statuses == ["pending", "quarantined", "sanitized", "processed"]


def test_an_unknown_asset_has_no_history(records: AssetRecords) -> None:
    assert records.history(uuid4()) == []


def test_without_consent_there_is_no_receipt(
    records: AssetRecords, asset: Asset
) -> None:
    assert records.consent(asset.id) is None


# counts, projects


def test_assets_are_counted_by_status(records: AssetRecords) -> None:
    assets = [admit(records) for _ in range(3)]
    records.note(assets[0].id, arrived())

    assert records.counts() == {Status.PENDING: 2, Status.QUARANTINED: 1}


def test_assets_are_counted_by_reason(records: AssetRecords) -> None:
    assets = [admit(records) for _ in range(4)]
    for asset, reason in zip(assets, ("a", "b", "a"), strict=False):
        records.note(asset.id, Refused(reason))

    assert records.reasons() == {"a": 2, "b": 1}


def test_a_project_that_was_never_saved_is_none(records: AssetRecords) -> None:
    assert records.project("p1") is None


def test_saving_a_project_replaces_its_policies(records: AssetRecords) -> None:
    records.save_project(Project(id="p1", images="lossless", max_bytes=2**33))
    records.save_project(Project(id="p1", other="hold"))

    kept = records.project("p1")

    assert kept is not None
    assert (kept.images, kept.other, kept.max_bytes) == ("rebuild", "hold", None)
    assert kept.created_at == NOW


def test_projects_are_listed_by_id(records: AssetRecords) -> None:
    for name in ("b", "a", "B", "a-1"):
        records.save_project(Project(id=name))

    assert [project.id for project in records.projects()] == ["B", "a", "a-1", "b"]


# ping, close


def test_ping_returns_if_the_database_answers(records: AssetRecords) -> None:
    records.ping()


def test_a_database_without_tables_is_unavailable(empty_url: str) -> None:
    records = opened(empty_url)

    with pytest.raises(Unavailable, match="pratique provision"):
        records.ping()

    records.close()


def test_closing_twice_is_safe(records: AssetRecords) -> None:
    records.close()

    records.close()
