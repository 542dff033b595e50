"""The contract of schemas/ports/records.py: values that no database may hold."""

import pytest

from schemas.assets import Asset
from schemas.errors import AssetNotFound, InvalidRecord
from schemas.facts import (
    Arrived,
    Checked,
    Described,
    DescriptionFailed,
    Fact,
    Refused,
)
from schemas.lifecycle import Check
from schemas.ports import AssetQuery, AssetRecords
from tests.records import NOW, new_asset, promoted

HOSTILE = ["nul \0 inside", "lone \ud800 surrogate"]

# hostile values


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 256])
def test_a_text_that_no_database_may_hold_is_refused(
    records: AssetRecords, text: str
) -> None:
    asset = new_asset(filename=text)

    with pytest.raises(InvalidRecord):
        records.admit(asset, None)

    with pytest.raises(AssetNotFound):
        records.get(asset.id)


@pytest.mark.parametrize(
    "fact",
    [
        Arrived(NOW, HOSTILE[0]),
        Refused(HOSTILE[1]),
        promoted(size_bytes=2**63),
        Described({"duration_seconds": float("nan")}),
        Described({"width": object()}),
    ],
    ids=["nul", "surrogate", "huge", "nan", "object"],
)
def test_a_fact_that_no_database_may_hold_is_refused(
    records: AssetRecords, asset: Asset, fact: Fact
) -> None:
    with pytest.raises(InvalidRecord):
        records.note(asset.id, fact, Checked("virus", Check.PASS))

    assert records.get(asset.id) == asset


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_inside_json_is_kept(
    records: AssetRecords, asset: Asset, text: str
) -> None:
    records.note(asset.id, DescriptionFailed(text))

    assert records.get(asset.id).details == {"error": text}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_found_nowhere(
    records: AssetRecords, asset: Asset, text: str
) -> None:
    assert records.page(AssetQuery(reference=text)) == ([], None)
    assert records.page(AssetQuery(project_id=text)) == ([], None)
    assert records.project(text) is None
