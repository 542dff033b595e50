"""demo."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import click

from infra import logs
from infra.commands.output import json_option, progress, show_rows
from infra.demo import DOORS, Case, Demo, any_outcome, running, wait_until
from infra.samples.cases import demo_cases

_COLUMNS = (
    "file",
    "door",
    "status",
    "promotion",
    "reason",
    "removed",
    "metadata",
    "clean_copy",
)
_TIMEOUT_S = 90


@click.command()
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept; default: a temporary folder.",
)
@json_option
def demo(files: tuple[Path, ...], folder: Path | None, as_json: bool) -> None:
    """Show the whole pipeline at work, with generated files or with yours.

    Nothing needs to be running. Exits 0 only if every outcome was the expected one.
    """
    logs.configure("error", "text")
    folder = (folder or Path(mkdtemp(prefix="pratique-demo-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    cases = [any_outcome(file, door) for file in files for door in DOORS]
    cases = cases or demo_cases(folder / "samples")
    with running(folder) as demonstration:
        _send(demonstration, cases)
        unchanged = _replay(demonstration, cases)
        rows = [case.row(demonstration.fetch(case)) for case in cases]
    show_rows(rows, _COLUMNS, as_json=as_json)
    wrong = [row for row in rows if not row["as_expected"]]
    _say(cases, wrong_count=len(wrong), unchanged=unchanged, folder=folder)
    if wrong or not unchanged:
        sys.exit(1)


def _send(demonstration: Demo, cases: list[Case]) -> None:
    with progress("files through the doors", len(cases)) as steps:
        for case in cases:
            demonstration.send(case)
            steps.advance()
    with progress("files with their final status", len(cases)) as steps:

        def all_settled() -> bool:
            for case in cases:
                demonstration.look(case)
            steps.reach(sum(case.settled for case in cases))
            return all(case.settled for case in cases)

        wait_until(all_settled, timeout_s=_TIMEOUT_S)


def _replay(demonstration: Demo, cases: list[Case]) -> bool:
    """Replay every event; return whether no record and no clean object changed."""
    wait_until(demonstration.idle, timeout_s=_TIMEOUT_S)
    before = demonstration.snapshot(cases)
    count = demonstration.replay()
    idle = wait_until(demonstration.idle, timeout_s=_TIMEOUT_S)
    click.echo(f"replayed {count} events", err=True)
    return idle and demonstration.snapshot(cases) == before


def _say(cases: list[Case], *, wrong_count: int, unchanged: bool, folder: Path) -> None:
    total = len(cases)
    click.echo(f"{total - wrong_count} of {total} as expected", err=True)
    verdict = "changed nothing" if unchanged else "CHANGED a record or a clean object"
    click.echo(f"the replay {verdict}", err=True)
    click.echo(f"everything lies in {folder}", err=True)
