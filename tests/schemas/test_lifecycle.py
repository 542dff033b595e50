"""Any order of the same facts ends in the same status, and every status is decided."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.lifecycle import (
    FINAL,
    PARKED,
    SLOT_VALUES,
    Check,
    ConsentState,
    Description,
    Facts,
    Promotion,
    Status,
    is_open,
    merge,
    merge_check,
    status,
)

# A fact as it is noted: a slot and its value, or `checks` and a name and a result.
Noted = tuple[str, Any]
TOMBSTONES = ("withdrawn", "erased")
SLOTS: list[Noted] = [
    (slot, value) for slot, values in SLOT_VALUES.items() for value in values[1:]
]
CHECKS: list[Noted] = [
    ("checks", (name, result)) for name in ("virus", "nudity") for result in Check
]
EVERY = SLOTS + CHECKS
# Every value of every slot, with one check at most.
ALL_FACTS = [
    replace(Facts(**dict(zip(SLOT_VALUES, values, strict=True))), checks=checks)
    for values in product(*SLOT_VALUES.values())
    for checks in ({}, {"virus": Check.PASS}, {"virus": Check.FAIL})
]


def amount_to(noted: Iterable[Noted], facts: Facts | None = None) -> Facts:
    facts = facts or Facts()
    for slot, value in noted:
        merged = (
            merge_check(facts, *value)
            if slot == "checks"
            else merge(facts, slot, value)
        )
        facts = merged or facts
    return facts


@st.composite
def two_orders(draw: st.DrawFn, of: list[Noted]) -> tuple[list[Noted], list[Noted]]:
    """The same facts twice, in any order and with any repeats."""
    facts = draw(st.lists(st.sampled_from(of), unique=True))
    repeats = st.lists(st.sampled_from(facts)) if facts else st.just([])
    one, other = (draw(st.permutations(facts + draw(repeats))) for _ in range(2))
    return list(one), list(other)


@given(two_orders([fact for fact in EVERY if fact[0] not in TOMBSTONES]))
def test_any_order_of_facts_ends_in_the_same_facts(
    orders: tuple[list[Noted], list[Noted]],
) -> None:
    one, other = orders

    assert amount_to(one) == amount_to(other)


# After withdrawal nothing else is recorded, so facts may differ then; the status not.
@given(two_orders(EVERY))
def test_any_order_of_facts_ends_in_the_same_status(
    orders: tuple[list[Noted], list[Noted]],
) -> None:
    one, other = orders

    assert status(amount_to(one)) == status(amount_to(other))


def test_every_combination_of_facts_has_a_status() -> None:
    statuses = {status(facts) for facts in ALL_FACTS}

    assert statuses == set(Status)


def test_every_status_is_reached_by_noting_facts() -> None:
    ways: list[list[Noted]] = [
        [],
        [("expired", True)],
        [("arrived", True), ("consent", ConsentState.GIVEN)],
        [("arrived", True), ("consent", ConsentState.MISSING)],
        [("promotion", Promotion.CLEAN)],
        [("promotion", Promotion.PASSED), ("description", Description.DONE)],
        [("promotion", Promotion.CLEAN), ("description", Description.FAILED)],
        [("promotion", Promotion.HELD)],
        [("promotion", Promotion.REFUSED)],
        [("promotion", Promotion.CLEAN), ("retired", True)],
        [("withdrawn", True)],
        [("withdrawn", True), ("erased", True)],
    ]

    reached = [status(amount_to(way)) for way in ways]

    assert reached == [
        Status.PENDING,
        Status.EXPIRED,
        Status.QUARANTINED,
        Status.AWAITING_CONSENT,
        Status.SANITIZED,
        Status.PROCESSED,
        Status.ERROR_PROCESSING,
        Status.HELD,
        Status.REJECTED,
        Status.RETIRED,
        Status.ERASING,
        Status.ERASED,
    ]


@given(st.lists(st.sampled_from(EVERY)), st.lists(st.sampled_from(EVERY)))
def test_no_fact_leads_out_of_withdrawal(
    before: list[Noted], after: list[Noted]
) -> None:
    withdrawn = amount_to([*before, ("withdrawn", True)])

    assert status(amount_to(after, withdrawn)) in (Status.ERASING, Status.ERASED)


@given(st.lists(st.sampled_from(EVERY)), st.sampled_from(EVERY))
def test_a_fact_is_news_once(before: list[Noted], fact: Noted) -> None:
    known = amount_to([*before, fact])

    again = amount_to([fact], known)

    assert again is known


@pytest.mark.parametrize(
    ("before", "late", "expected"),
    [
        ([("expired", True)], ("arrived", True), Status.AWAITING_CONSENT),
        ([("arrived", True)], ("consent", ConsentState.GIVEN), Status.QUARANTINED),
        (
            [("promotion", Promotion.HELD), ("arrived", True)],
            ("promotion", Promotion.RELEASED),
            Status.AWAITING_CONSENT,
        ),
        (
            [("promotion", Promotion.CLEAN)],
            ("promotion", Promotion.REFUSED),
            Status.SANITIZED,
        ),
        (
            [("promotion", Promotion.CLEAN)],
            ("checks", ("virus", Check.FAIL)),
            Status.REJECTED,
        ),
    ],
)
def test_a_late_fact_moves_the_status_only_where_it_outranks(
    before: list[Noted], late: Noted, expected: Status
) -> None:
    facts = amount_to([*before, late])

    assert status(facts) == expected


def test_a_failed_check_is_never_made_good_by_a_pass() -> None:
    facts = amount_to([("checks", ("virus", r)) for r in (Check.FAIL, Check.PASS)])

    assert facts.checks == {"virus": Check.FAIL}


def test_promoted_is_seen_only_for_what_was_promoted() -> None:
    seen = {Status.SANITIZED, Status.PROCESSED, Status.ERROR_PROCESSING}
    promoted = {Promotion.PASSED, Promotion.CLEAN}

    wrong = [
        facts
        for facts in ALL_FACTS
        if status(facts) in seen and facts.promotion not in promoted
    ]

    assert wrong == []


def test_nothing_is_quarantined_for_decoding_without_consent() -> None:
    wrong = [
        facts
        for facts in ALL_FACTS
        if status(facts) is Status.QUARANTINED
        and facts.consent is not ConsentState.GIVEN
    ]

    assert wrong == []


def test_no_step_is_open_once_withdrawn() -> None:
    withdrawn = [facts for facts in ALL_FACTS if facts.withdrawn or facts.erased]

    steps = ("promotion", "description")
    assert not any(is_open(facts, step) for facts in withdrawn for step in steps)


def test_final_and_parked_are_different() -> None:
    assert not FINAL & PARKED
