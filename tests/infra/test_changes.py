"""Facts noted in any order, one by one or together, end in the same row."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from infra.changes import changes
from schemas.assets import Asset
from schemas.facts import (
    Checked,
    ConsentGranted,
    Described,
    DescriptionFailed,
    Expired,
    Fact,
    Faulted,
    Held,
    Refused,
    Retired,
    Withdrawn,
)
from schemas.lifecycle import Check, ConsentState
from tests.records import GRACE, NOW, arrived, new_asset, promoted

FACTS: list[Fact] = [
    arrived(),
    ConsentGranted(),
    Checked("virus", Check.PASS),
    Checked("virus", Check.FAIL),
    Held("unknown_type", media_type="image/x"),
    Refused("broken_image", media_type="image/y"),
    promoted(verdict="passed", path="p1/1/passed"),
    promoted(),
    Described({"width": 1}),
    DescriptionFailed("no"),
    Expired(NOW),
    Retired(NOW),
    Faulted("promotion", "no"),
]
# These say when they were written, or how often.
HISTORY = {"revision", "updated_at", "next_announce_at"}


def noted(batches: list[list[Fact]]) -> Asset:
    asset = new_asset(id=UUID(int=1), consent=ConsentState.MISSING, status="pending")
    for facts in batches:
        for name, value in changes(asset, facts, NOW, GRACE).items():
            setattr(asset, name, value)
    return asset


@st.composite
def batched(draw: st.DrawFn, facts: list[Fact]) -> list[list[Fact]]:
    """The same facts in any order, noted in any number of calls."""
    order = draw(st.permutations(facts))
    starts = draw(st.sets(st.integers(1, max(1, len(order)))))
    edges = [0, *sorted(starts), len(order)]
    return [order[a:b] for a, b in pairwise(edges)]


@given(st.data())
def test_any_order_and_any_batches_end_in_the_same_row(data: st.DataObject) -> None:
    facts = data.draw(st.lists(st.sampled_from(FACTS), unique_by=id))

    one, other = (noted(data.draw(batched(facts))) for _ in range(2))

    assert one.model_dump(exclude=HISTORY) == other.model_dump(exclude=HISTORY)


@given(st.lists(st.sampled_from(FACTS), min_size=1))
def test_facts_that_are_known_change_nothing(facts: list[Fact]) -> None:
    asset = noted([facts])

    # A fault is a moment's: it may stand anew where its step is still open.
    known = [fact for fact in facts if not isinstance(fact, Faulted)]

    assert changes(asset, known, NOW + timedelta(hours=1), GRACE) == {}


@given(st.lists(st.sampled_from(FACTS)), st.lists(st.sampled_from(FACTS), min_size=1))
def test_after_withdrawal_nothing_is_recorded(
    before: list[Fact], after: list[Fact]
) -> None:
    asset = noted([before, [Withdrawn(NOW)]])

    assert changes(asset, after, NOW, GRACE) == {}
