"""sanitize and describe: the functions' pure cores on local files, no store."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from functions.sanitizer.settings import SanitizerSettings
from infra.commands.output import (
    Session,
    json_option,
    pass_session,
    progress,
    show_rows,
)
from infra.local import describe_file, sanitize_file
from infra.settings import load
from schemas.assets import Policy

_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
Row = dict[str, Any]


@click.command("sanitize")
@_paths
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--policy", type=click.Choice(["rebuild", "lossless"]), default="rebuild")
@click.option(
    "--other", type=click.Choice(["promote", "hold", "reject"]), default="promote"
)
@json_option
@pass_session
def sanitize_files(
    session: Session,
    *,
    paths: tuple[Path, ...],
    out: Path,
    policy: str,
    other: str,
    as_json: bool,
) -> None:
    """Do to local files what the sanitizer would do to uploads.

    Exits 0 if every file was judged, also if it was rejected; 3 if one could not be.
    """
    chosen = Policy.model_validate({"images": policy, "other": other})
    limits = load(SanitizerSettings, session.env_file).limits
    sandbox = session.platform.sandbox
    rows = _each(paths, lambda path: sanitize_file(sandbox, path, out, chosen, limits))
    show_rows(rows, ("file", "verdict", "reason", "findings", "out"), as_json=as_json)
    _exit_by(rows)


@click.command("describe")
@_paths
@json_option
@pass_session
def describe_files(session: Session, *, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read local files' technical facts as the metadata function would."""
    sandbox = session.platform.sandbox
    rows = _each(paths, lambda path: describe_file(sandbox, path))
    show_rows(rows, ("file", "metadata", "error"), as_json=as_json)
    _exit_by(rows)


def _each(paths: tuple[Path, ...], do: Callable[[Path], Row]) -> list[Row]:
    files = [file for path in paths for file in _files(path)]
    rows = []
    with progress("files", len(files)) as steps:
        for file in files:
            started = time.monotonic()
            row = {"file": str(file), **do(file)}
            rows.append({**row, "seconds": round(time.monotonic() - started, 4)})
            steps.advance()
    return rows


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    else:
        yield path


def _exit_by(rows: list[Row]) -> None:
    if any(row.get("failed") for row in rows):
        raise SystemExit(3)
