"""run."""

import logging

import click

from infra import logs
from infra.commands.session import Session, pass_session
from infra.health import answering
from infra.platform import Platform
from infra.provision import provision
from infra.provision.check import lacking
from infra.service import serving, until_signalled
from schemas.errors import PermanentError, Unavailable

log = logging.getLogger(__name__)
_LOOK_S = 1


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
    for name in platform.unknown_variables():
        log.warning("unknown_setting", extra={"variable": name})
    with until_signalled() as stopped:
        if functions:
            _check(platform, functions)
        else:
            provision(platform)
        with (
            serving(platform, functions) as service,
            answering(service, session.settings.health),
        ):
            while not stopped.wait(_LOOK_S):
                # Whoever restarts processes has to see that this one is of no use.
                if names := service.ended():
                    raise PermanentError(f"{', '.join(names)} ended by itself")


def _check(platform: Platform, functions: tuple[str, ...]) -> None:
    """Refuse to start without what was not provisioned.

    Servers that don't answer are waited for: until then the process is not ready.
    """
    try:
        lacks = lacking(platform, platform.select(functions))
    except Unavailable as exc:
        log.warning("unchecked", extra={"cause": str(exc)})
        return
    if lacks:
        raise PermanentError("; ".join(lacks))
