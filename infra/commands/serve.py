"""run and provision."""

import click

from infra import logs
from infra.commands.output import Session, pass_session
from infra.service import serving, until_signalled


@click.command()
@click.argument("functions", nargs=-1)
@pass_session
def run(session: Session, *, functions: tuple[str, ...]) -> None:
    """Serve until SIGTERM or Ctrl-C: all functions, or the ones named.

    Without names it also provisions, so that one command starts everything; a
    function started by name finds buckets, queues and tables made by `provision`.
    """
    logs.configure(session.settings.log_level, session.settings.log_format)
    platform = session.platform
    if not functions:
        platform.provision()
    with until_signalled() as stopped, serving(platform, functions):
        stopped.wait()


@click.command()
@pass_session
def provision(session: Session) -> None:
    """Make buckets, queues and tables. Safe to run twice."""
    session.platform.provision()
    click.echo("provisioned", err=True)
