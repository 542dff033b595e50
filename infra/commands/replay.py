"""replay."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from infra.commands.output import json_option, progress, show_rows
from infra.commands.session import Session, pass_session
from infra.platform import Platform
from infra.replay import (
    Selection,
    dead_letters,
    events_from,
    picks_letter,
    redrive,
)
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
    wanted = Status(status) if status else None
    selection = Selection(_aware(since), _aware(until), prefix, wanted, asset_id)
    send = _redrive if origin == "dead" else _resend
    counts: Counter[str] = Counter()
    with progress("replay") as steps:
        for name in send(origin, platform, chosen, selection, dry_run=dry_run):
            counts[name] += 1
            steps.advance()
            if rate and not dry_run:
                time.sleep(1 / rate)
    rows = [{"function": f.name, "events": counts[f.name]} for f in chosen]
    show_rows(rows, ("function", "events"), as_json=as_json)


def _functions(platform: Platform, name: str | None) -> list[EventFunction[Any]]:
    chosen = [f for f in platform.event_functions if name in (None, f.name)]
    if not chosen:
        known = ", ".join(f.name for f in platform.event_functions)
        raise click.BadParameter(f"--function: one of {known}")
    return chosen


def _resend(
    origin: str,
    platform: Platform,
    functions: list[EventFunction[Any]],
    selection: Selection,
    *,
    dry_run: bool,
) -> Iterator[str]:
    """Send the selected events; return one by one to which functions."""
    for event in events_from(origin, platform, selection):
        for name in _listening(platform, functions, event):
            if not dry_run:
                platform.send(name, event)
            yield name


def _listening(
    platform: Platform, functions: list[EventFunction[Any]], event: ObjectCreated
) -> list[str]:
    try:
        listening = platform.listening(event)
    except PermanentError:
        return []  # the journal may name buckets of other times
    return [f.name for f in functions if f in listening]


def _redrive(
    origin: str,
    platform: Platform,
    functions: list[EventFunction[Any]],
    selection: Selection,
    *,
    dry_run: bool,
) -> Iterator[str]:
    """Send the selected dead letters; return one by one to which functions."""
    for function in functions:
        for letter in dead_letters(platform.broker, function.name):
            if not picks_letter(platform, selection, letter):
                continue
            if not dry_run:
                redrive(platform.broker, function.name, letter)
            yield function.name


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment and moment.tzinfo is None else moment
