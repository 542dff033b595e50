"""status, reconcile and doctor."""

import click

from infra.commands.output import json_option, show_rows
from infra.commands.session import Session, pass_session
from infra.doctor import examine
from schemas.functions import ScheduledFunction


@click.command()
@json_option
@pass_session
def status(session: Session, *, as_json: bool) -> None:
    """Show queues, how many assets have each status, and why any did not pass."""
    platform = session.platform
    queues = [
        {
            "queue": name,
            "ready": depth.ready,
            "delayed": depth.delayed,
            "unsettled": depth.unsettled,
            "oldest_at": depth.oldest_at,
        }
        for name, depth in sorted(platform.broker.depths().items())
    ]
    counts = [
        {"status": str(name), "assets": count}
        for name, count in sorted(platform.records.counts().items())
    ]
    reasons = [
        {"reason": name, "assets": count}
        for name, count in sorted(platform.records.reasons().items())
    ]
    columns = ("queue", "ready", "delayed", "unsettled", "oldest_at")
    show_rows(queues, columns, as_json=as_json)
    for rows, what in ((counts, "status"), (reasons, "reason")):
        if not as_json:
            click.echo()
        show_rows(rows, (what, "assets"), as_json=as_json)


@click.command()
@json_option
@pass_session
def reconcile(session: Session, *, as_json: bool) -> None:
    """Run every scheduled function once, now, and show what it did."""
    platform = session.platform
    rows = [
        {"function": function.name, "did": did, "times": times}
        for function in platform.functions.values()
        if isinstance(function, ScheduledFunction)
        for did, times in function.run(platform.context(function)).items()
    ]
    show_rows(rows, ("function", "did", "times"), as_json=as_json)


@click.command()
@json_option
@pass_session
def doctor(session: Session, *, as_json: bool) -> None:
    """Probe settings, store, broker, database and sandbox; say how to mend them."""
    findings = examine(session.settings, session.env_file)
    rows = [finding._asdict() for finding in findings]
    show_rows(rows, ("check", "ok", "detail", "mend"), as_json=as_json)
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
