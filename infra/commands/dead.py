"""dead list, show, redrive and drop."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import click

from infra.commands.output import json_option, show_json, show_rows
from infra.commands.session import NotDone, Session, pass_session
from infra.replay import dead_letters, redrive
from schemas.ports import Delivery

_COLUMNS = ("id", "function", "failed_at", "attempts", "reason")
_ids = click.argument("ids", nargs=-1)
_all = click.option("--all", "everything", is_flag=True, help="Every dead letter.")


@click.group()
def dead() -> None:
    """Messages that no retry could help."""


@dead.command("list")
@json_option
@pass_session
def list_dead(session: Session, *, as_json: bool) -> None:
    """List dead letters; nothing is taken away."""
    rows = [_row(name, delivery) for name, delivery in _dead(session)]
    show_rows(rows, _COLUMNS, as_json=as_json)


@dead.command()
@click.argument("letter_id")
@pass_session
def show(session: Session, *, letter_id: str) -> None:
    """Show one dead letter whole, as JSON."""
    for name, delivery in _dead(session):
        if _id(delivery) == letter_id:
            show_json({**_row(name, delivery), **_content(delivery)})
            return
    raise NotDone(f"no dead letter {letter_id}")


@dead.command("redrive")
@_ids
@_all
@pass_session
def redrive_dead(session: Session, *, ids: tuple[str, ...], everything: bool) -> None:
    """Send dead letters to their function again."""
    for name, delivery in _picked(session, ids, everything=everything):
        redrive(session.platform.broker, name, delivery)
        click.echo(_id(delivery))


@dead.command("drop")
@_ids
@_all
@pass_session
def drop_dead(session: Session, *, ids: tuple[str, ...], everything: bool) -> None:
    """Delete dead letters for good."""
    for _, delivery in _picked(session, ids, everything=everything):
        delivery.ack()
        click.echo(_id(delivery))


def _picked(
    session: Session, ids: tuple[str, ...], *, everything: bool
) -> Iterator[tuple[str, Delivery]]:
    if bool(ids) == everything:
        raise click.UsageError("name the dead letters, or say --all")
    unknown = set(ids)
    for name, delivery in _dead(session):
        if everything or _id(delivery) in ids:
            unknown.discard(_id(delivery))
            yield name, delivery
    if unknown:
        raise NotDone(f"no dead letter {', '.join(sorted(unknown))}")


def _dead(session: Session) -> Iterator[tuple[str, Delivery]]:
    for function in session.platform.event_functions:
        for delivery in dead_letters(session.platform.broker, function.name):
            yield function.name, delivery


def _id(delivery: Delivery) -> str:
    """Return an id that stays: brokers number deliveries anew each time."""
    message = delivery.message
    failed_at = message.headers.get("x-failed-at", "")
    return hashlib.sha256(failed_at.encode() + message.body).hexdigest()[:12]


def _row(name: str, delivery: Delivery) -> dict[str, Any]:
    headers = delivery.message.headers
    return {
        "id": _id(delivery),
        "function": name,
        "failed_at": headers.get("x-failed-at"),
        "attempts": headers.get("x-attempt"),
        "reason": headers.get("x-reason"),
    }


def _content(delivery: Delivery) -> dict[str, Any]:
    body = delivery.message.body
    try:
        content = json.loads(body)
    except ValueError:
        content = body.decode("latin-1")
    return {"headers": dict(delivery.message.headers), "body": content}
