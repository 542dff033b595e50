"""provision."""

import click

from infra.commands.output import json_option, show_json
from infra.commands.session import Session, pass_session
from infra.provision import Change, ProvisionSettings, changes
from infra.settings import load


@click.command()
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show what would be changed, and change nothing; exit 1 if something would.",
)
@json_option
@pass_session
def provision(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Make buckets, queues, users and tables, and mend what drifted. Safe to run twice.

    It deletes no data. Users are made of whom PROVISION_STORE_SECRETS and
    PROVISION_BROKER_SECRETS hold a secret.
    """
    secrets = load(ProvisionSettings, session.env_file)
    found = False
    for change in changes(session.platform, secrets):
        found = True
        if not dry_run:
            change.apply()
        _show(change, dry_run=dry_run, as_json=as_json)
    if not found:
        click.echo("nothing to change", err=True)
    if found and dry_run:
        raise SystemExit(1)


def _show(change: Change, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        show_json({"what": change.what, "found": change.found, "wanted": change.wanted})
    if dry_run and not as_json:
        click.echo(str(change))
    if not dry_run:
        click.echo(str(change), err=True)
