"""The contract of schemas/ports/records.py: many writers at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from infra.engines import open_database
from schemas.assets import Asset
from schemas.errors import Conflict
from schemas.facts import Checked, Described, Fact
from schemas.lifecycle import Check
from schemas.ports import AssetRecords
from tests.records import NOW, arrived, new_asset, opened, promoted

LATER = NOW + timedelta(hours=1)


def test_of_many_admitted_at_once_one_is_stored(records: AssetRecords) -> None:
    same = uuid4()
    rivals = [new_asset(id=same, filename=f"{n}.jpg") for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda rival: records.admit(rival, None), rivals))

    assert {asset.filename for asset in stored} == {records.get(same).filename}
    assert len(records.history(same)) == 1


def test_of_many_janitors_one_postpones(records: AssetRecords, asset: Asset) -> None:
    moments = [LATER + timedelta(minutes=n) for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda at: records.postpone(asset, at), moments))

    assert sorted(moved) == [False] * 7 + [True]


def test_of_eight_writers_at_once_none_is_lost(
    records: AssetRecords, asset: Asset
) -> None:
    def write(writer: int) -> list[bool]:
        names = [f"{writer}-{number}" for number in range(10)]
        return [
            records.note(asset.id, Checked(name, Check.PASS)).changed for name in names
        ]

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(write, range(8)))

    kept = records.get(asset.id)
    assert all(changed for own in written for changed in own)
    assert len(kept.checks) == 80
    assert kept.revision == 81
    revisions = [event.revision for event in records.history(asset.id)]
    assert revisions == list(range(1, 82))


def test_eight_writers_of_the_same_facts_change_the_asset_once(
    records: AssetRecords, asset: Asset
) -> None:
    facts: list[Fact] = [arrived(), promoted(), Described({"width": 1})]

    with ThreadPoolExecutor(8) as pool:
        noted = list(pool.map(lambda _: records.note(asset.id, *facts), range(8)))

    assert sorted(one.changed for one in noted) == [False] * 7 + [True]
    assert len(records.history(asset.id)) == 2


def test_a_row_that_others_hold_is_a_conflict(
    records_url: str, records: AssetRecords, asset: Asset
) -> None:
    impatient = opened(_impatient(records_url))

    with open_database(records_url).writing() as other:
        other.exec_driver_sql("UPDATE assets SET revision = revision")
        with pytest.raises(Conflict):
            impatient.note(asset.id, arrived())

    impatient.close()


def _impatient(url: str) -> str:
    if url.startswith("sqlite"):
        return f"{url}?timeout=0.05"
    return f"{url} -c lock_timeout=50ms"
