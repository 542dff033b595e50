"""`python -m infra.servers`: real servers to test with and to try things on."""

import json
import logging
import shlex
import sys
from urllib.parse import urlsplit

import click

from infra.servers import background, containers
from infra.servers.background import SERVERS, answers
from infra.servers.install import install as get
from infra.servers.state import Running, State
from schemas.errors import PratiqueError


@click.group()
def commands() -> None:
    """Private MinIO, RabbitMQ and PostgreSQL on free loopback ports."""


@commands.command()
@click.argument("wanted", nargs=-1, type=click.Choice(SERVERS))
def install(wanted: tuple[str, ...]) -> None:
    """Get what is missing to start servers from binaries."""
    get(wanted or SERVERS)


@commands.command()
def start() -> None:
    """Start and provision them; print lines for `eval`."""
    if background.running() is None:
        if not containers.engine_answers():
            get(SERVERS)
        _say("starting RabbitMQ, PostgreSQL and MinIO (some ten seconds)")
    else:
        _say("there are servers already; they are used")
    state = background.start()
    for name, value in state.variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    _say("ready; end them by: sh tests/servers stop")


@commands.command()
def stop() -> None:
    """End exactly those, and remove their data."""
    _say("stopped" if background.stop() else "no servers run")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def status(as_json: bool) -> None:
    """Tell which of them answer; exit 1 unless all do."""
    state = background.running() or State()
    if not state.servers:
        _say("none were started; start them by: sh tests/servers start")
    rows = [_row(name, state.servers.get(name)) for name in SERVERS]
    for row in rows:
        click.echo(json.dumps(row) if as_json else _line(row))
    sys.exit(0 if all(row["answers"] for row in rows) else 1)


def main() -> None:
    """Run the command; say what went wrong in words."""
    logging.basicConfig(level="ERROR", format="servers: %(message)s")
    logging.getLogger("infra.servers").setLevel("INFO")
    try:
        commands(prog_name="servers")
    except PratiqueError as exc:
        _say(str(exc))
        sys.exit(1)


def _row(name: str, it: Running | None) -> dict[str, object]:
    if it is None:
        return {"server": name, "answers": False}
    return {
        "server": name,
        "answers": answers(name, it),
        "port": urlsplit(it.url).port,
        "pid": it.pid,
        "version": it.version,
        "from": it.source,
    }


def _line(row: dict[str, object]) -> str:
    words = "answers" if row["answers"] else "does not answer"
    rest = [f"{key} {row[key]}" for key in ("port", "pid", "version") if key in row]
    return f"{row['server']:11}{words:17}{', '.join(rest)}"


def _say(words: str) -> None:
    click.echo(f"servers: {words}", err=True)
