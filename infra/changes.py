"""What facts change in an asset's row. Pure; facts in any order end in one row."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas.assets import Asset
from schemas.doors import clean_text
from schemas.facts import Checked, Expired, Fact, Faulted
from schemas.lifecycle import (
    FINAL,
    PARKED,
    Facts,
    Promotion,
    Status,
    is_open,
    merge,
    merge_check,
    status,
)


def changes(
    asset: Asset, facts: Sequence[Fact], now: datetime, grace: timedelta
) -> dict[str, Any]:
    """Return the attributes that *facts* change in *asset*; none if nothing is news."""
    merged = asset.facts
    news: dict[str, Any] = {}
    for fact in facts:
        merged, columns = _add(merged, fact)
        news |= columns
    if news and not _has_reason(merged):
        news["reason"] = None
    fault = _fault(merged, asset.fault, facts)
    if fault != asset.fault:
        news["fault"] = fault
    if not news:
        return {}
    stands = status(merged)
    return news | {
        "status": stands,
        "revision": asset.revision + 1,
        "updated_at": now,
        "next_announce_at": next_look(stands, fault, asset.expires_at, now + grace),
    }


def next_look(
    stands: Status, fault: str | None, expires_at: datetime | None, soon: datetime
) -> datetime | None:
    """Return when the janitor may announce an asset; None for never."""
    if fault or stands in FINAL | PARKED:
        return None
    if stands is Status.PENDING and expires_at:
        return expires_at
    return soon


def _add(facts: Facts, fact: Fact) -> tuple[Facts, dict[str, Any]]:
    """Return *facts* with *fact*, and the columns it brings if it is news."""
    if isinstance(fact, Faulted):
        return facts, {}
    if isinstance(fact, Checked):
        merged = merge_check(facts, fact.name, fact.result)
        return (merged, {"checks": dict(merged.checks)}) if merged else (facts, {})
    merged = merge(facts, fact.slot, fact.value)
    if merged is None:
        return facts, {}
    columns = fact.columns()
    if isinstance(fact, Expired) and not _is_lost(merged):
        del columns["reason"]  # there is another one, or none is needed
    return merged, columns


def _is_lost(facts: Facts) -> bool:
    return facts.expired and not facts.arrived and facts.promotion is None


def _has_reason(facts: Facts) -> bool:
    return _is_lost(facts) or facts.promotion in (Promotion.HELD, Promotion.REFUSED)


def _fault(facts: Facts, fault: str | None, new: Sequence[Fact]) -> str | None:
    """Return the fault that stands: the newest one whose step is still open."""
    known = [fault] if fault else []
    known += [f"{f.slot}: {clean_text(f.cause)}" for f in new if isinstance(f, Faulted)]
    stands = [one for one in known if is_open(facts, one.partition(":")[0])]
    return stands[-1] if stands else None
