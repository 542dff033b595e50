"""replay."""

import time
from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from infra.commands.output import (
    Session,
    json_option,
    pass_session,
    progress,
    show_rows,
)
from infra.platform import Platform
from infra.replay import Selection, dead_letters, events_from, redrive
from schemas.errors import PermanentError
from schemas.events import ObjectCreated
from schemas.functions import EventFunction
from schemas.lifecycle import Status

_moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.command()
@click.option(
    "--from",
    "origin",
    type=click.Choice(["bucket", "journal", "dead", "records"]),
    required=True,
    help="Where the events are made from.",
)
@click.option("--since", type=_moment, help="Local time unless a zone is given.")
@click.option("--until", type=_moment)
@click.option("--prefix", default="", help="Only keys that begin so.")
@click.option("--status", type=click.Choice([str(s) for s in Status]))
@click.option("--id", "asset_id", type=click.UUID, help="Only this asset.")
@click.option("--function", help="Only to this function's queue.")
@click.option(
    "--rate", type=click.FloatRange(min=0.01), help="Events a second at most."
)
@click.option("--dry-run", is_flag=True, help="Count, but send nothing.")
@json_option
@pass_session
def replay(
    session: Session,
    *,
    origin: str,
    since: datetime | None,
    until: datetime | None,
    prefix: str,
    status: str | None,
    asset_id: UUID | None,
    function: str | None,
    rate: float | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send events again. What is done already stays as it is."""
    platform = session.platform
    chosen = _functions(platform, function)
    if origin == "dead":
        counts = _redrive(platform, chosen, rate, dry_run=dry_run)
    else:
        selection = Selection(
            _aware(since),
            _aware(until),
            prefix,
            Status(status) if status else None,
            asset_id,
        )
        found = events_from(origin, platform, selection)
        counts = Counter()
        with progress("replay") as steps:
            for event in found:
                counts += _send(platform, chosen, event, dry_run=dry_run)
                steps.advance()
                _wait(rate)
    rows = [{"function": f.name, "events": counts[f.name]} for f in chosen]
    show_rows(rows, ("function", "events"), as_json=as_json)


def _functions(platform: Platform, name: str | None) -> list[EventFunction[Any]]:
    chosen = [f for f in platform.event_functions if name in (None, f.name)]
    if not chosen:
        known = ", ".join(f.name for f in platform.event_functions)
        raise click.BadParameter(f"--function: one of {known}")
    return chosen


def _send(
    platform: Platform,
    functions: list[EventFunction[Any]],
    event: ObjectCreated,
    *,
    dry_run: bool,
) -> Counter[str]:
    try:
        role = platform.role_of(event.ref.bucket)
    except PermanentError:
        return Counter()
    listening = [f.name for f in functions if f.listens == role]
    for name in listening:
        if not dry_run:
            platform.send(name, event)
    return Counter(listening)


def _redrive(
    platform: Platform,
    functions: list[EventFunction[Any]],
    rate: float | None,
    *,
    dry_run: bool,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for function in functions:
        for delivery in dead_letters(platform.broker, function.name):
            if not dry_run:
                redrive(platform.broker, function.name, delivery)
                _wait(rate)
            counts[function.name] += 1
    return counts


def _wait(rate: float | None) -> None:
    if rate:
        time.sleep(1 / rate)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment and moment.tzinfo is None else moment
