"""Facts -> Status: the only place where a status is decided.

A fact is written once and never unsaid. Each belongs to one slot, and a slot only
ever rises: a later, higher fact (consent granted after it was missing, a held file
released) replaces a lower one, an equal or lower one changes nothing. So any order
of the same facts ends in the same status.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class ConsentState(StrEnum):
    """Whether the uploader agreed; lowest first."""

    MISSING = "missing"
    GIVEN = "given"


class Promotion(StrEnum):
    """What the sanitizer decided; lowest first.

    What stands in the clean bucket outranks a verdict of another sanitizer version
    that would not have put it there: the record describes the stored bytes.
    """

    HELD = "held"
    RELEASED = "released"  # somebody looked at what was held: it may pass untouched
    REFUSED = "refused"
    PASSED = "passed"  # untouched, by policy: another word than clean
    CLEAN = "clean"


# The sanitizer has not decided yet, or has to decide anew.
UNDECIDED = frozenset({None, Promotion.HELD, Promotion.RELEASED})


class Description(StrEnum):
    """Whether the technical facts could be read; lowest first."""

    FAILED = "failed"
    DONE = "done"


class Check(StrEnum):
    """The result of one required check; lowest first: a failure outranks a pass."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    FAIL = "fail"


class Status(StrEnum):
    """The status of an asset, as clients see it."""

    PENDING = "pending"  # recorded; bytes not seen yet
    EXPIRED = "expired"  # the bytes never came
    QUARANTINED = "quarantined"  # the bytes wait for the sanitizer
    AWAITING_CONSENT = "awaiting_consent"  # never decoded until consent is given
    SANITIZED = "sanitized"  # promoted, not described yet
    PROCESSED = "processed"  # promoted and described
    ERROR_PROCESSING = "error_processing"  # promoted, but it can't be described
    HELD = "held"  # somebody has to decide
    REJECTED = "rejected"  # refused; nothing was promoted
    RETIRED = "retired"  # removed at the end of its retention
    ERASING = "erasing"  # consent withdrawn: unreadable, bytes go soon
    ERASED = "erased"  # nothing but this tombstone is left


FINAL = frozenset(
    {
        Status.EXPIRED,
        Status.PROCESSED,
        Status.ERROR_PROCESSING,
        Status.REJECTED,
        Status.RETIRED,
        Status.ERASED,
    }
)
# Statuses that wait for a person: nothing is announced for them.
PARKED = frozenset({Status.AWAITING_CONSENT, Status.HELD})


@dataclass(frozen=True)
class Facts:
    """All that is known of an asset, one field a slot."""

    consent: ConsentState | None = None
    arrived: bool = False
    checks: Mapping[str, Check] = field(default_factory=dict)
    promotion: Promotion | None = None
    description: Description | None = None
    expired: bool = False
    retired: bool = False
    withdrawn: bool = False
    erased: bool = False

    @classmethod
    def of(cls, **columns: Any) -> "Facts":
        """Return the facts that a row's columns hold; moments count as true."""
        moments = {"arrived", "expired", "retired", "withdrawn", "erased"}
        kinds = {
            "consent": ConsentState,
            "promotion": Promotion,
            "description": Description,
        }
        facts: dict[str, Any] = {}
        for slot, value in columns.items():
            if slot in moments:
                facts[slot] = value is not None
            elif slot in kinds:
                facts[slot] = kinds[slot](value) if value else None
            else:
                facts[slot] = value
        return cls(**facts)


SLOT_VALUES: Mapping[str, tuple[Any, ...]] = {
    "consent": (None, *ConsentState),
    "arrived": (False, True),
    "promotion": (None, *Promotion),
    "description": (None, *Description),
    "expired": (False, True),
    "retired": (False, True),
    "withdrawn": (False, True),
    "erased": (False, True),
}


def merge(facts: Facts, slot: str, value: Any) -> Facts | None:
    """Return *facts* with *value* in *slot*, or None if the fact changes nothing.

    After withdrawal only erasure is admitted: no fact leads out of it.
    *slot* is a field of Facts other than `checks`, which merge_check serves.
    """
    if facts.erased or (facts.withdrawn and slot != "erased"):
        return None
    ranks = SLOT_VALUES[slot]
    if ranks.index(value) <= ranks.index(getattr(facts, slot)):
        return None
    return replace(facts, **{slot: value})


def merge_check(facts: Facts, name: str, result: Check) -> Facts | None:
    """Return *facts* with the result of one check, or None if nothing changes."""
    known = facts.checks.get(name)
    if facts.erased or facts.withdrawn or known in (result, Check.FAIL):
        return None
    return replace(facts, checks={**facts.checks, name: result})


def is_open(facts: Facts, slot: str) -> bool:
    """Whether the step that fills *slot* (promotion, description) is still to be done.

    A fault of that step is worth keeping just as long.
    """
    if facts.withdrawn or facts.erased:
        return False
    if slot == "promotion":
        return facts.promotion in UNDECIDED
    return facts.description is None


def status(facts: Facts) -> Status:  # noqa: C901, PLR0911  (a table, read downwards)
    """Return the status that *facts* amount to: the first line that holds."""
    promoted = facts.promotion in (Promotion.PASSED, Promotion.CLEAN)
    if facts.erased:
        return Status.ERASED
    if facts.withdrawn:
        return Status.ERASING
    if facts.retired:
        return Status.RETIRED
    if facts.promotion is Promotion.REFUSED or Check.FAIL in facts.checks.values():
        return Status.REJECTED
    if facts.promotion is Promotion.HELD:
        return Status.HELD
    if promoted and facts.description is Description.DONE:
        return Status.PROCESSED
    if promoted and facts.description is Description.FAILED:
        return Status.ERROR_PROCESSING
    if promoted:
        return Status.SANITIZED
    if facts.arrived and facts.consent is not ConsentState.GIVEN:
        return Status.AWAITING_CONSENT
    if facts.arrived:
        return Status.QUARANTINED
    if facts.expired:
        return Status.EXPIRED
    return Status.PENDING
