"""sanitize and describe: the functions' pure cores on local files, no store."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from functions.sanitizer.settings import SanitizerSettings
from infra.commands.output import json_option, progress, show_json, show_rows
from infra.commands.session import NotDone, Session, pass_session
from infra.local import describe_file, sanitize_file, undescribed, unjudged
from infra.settings import load
from schemas.policies import Policy

_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
_jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Files at once; more than SANDBOX_PROCESSES only wait.",
)
Row = dict[str, Any]


@click.command("sanitize")
@_paths
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--policy", type=click.Choice(["rebuild", "lossless"]), default="rebuild")
@click.option(
    "--other", type=click.Choice(["promote", "hold", "reject"]), default="promote"
)
@_jobs
@json_option
@pass_session
def sanitize_files(
    session: Session,
    *,
    paths: tuple[Path, ...],
    out: Path,
    policy: str,
    other: str,
    jobs: int,
    as_json: bool,
) -> None:
    """Do to local files what the sanitizer would do to uploads.

    Exits 0 if every file was judged, also if it was rejected; 3 if one could not be.
    """
    out.mkdir(parents=True, exist_ok=True)
    chosen = Policy.model_validate({"images": policy, "other": other})
    limits = load(SanitizerSettings, session.env_file).limits
    sandbox = session.platform.sandbox

    def judge(path: Path) -> Row:
        try:
            return sanitize_file(sandbox, path, out, chosen, limits)
        except OSError as exc:
            return unjudged(_cause(exc))

    columns = ("file", "verdict", "reason", "detail", "findings", "out")
    rows = _shown(_each(paths, judge, jobs), columns, as_json=as_json)
    if any(row["verdict"] is None for row in rows):
        raise SystemExit(3)


@click.command("describe")
@_paths
@_jobs
@json_option
@pass_session
def describe_files(
    session: Session, *, paths: tuple[Path, ...], jobs: int, as_json: bool
) -> None:
    """Read local files' technical facts as the metadata function would."""
    sandbox = session.platform.sandbox

    def look(path: Path) -> Row:
        try:
            return describe_file(sandbox, path)
        except OSError as exc:
            return undescribed(_cause(exc), failed=True)

    columns = ("file", "metadata", "error")
    rows = _shown(_each(paths, look, jobs), columns, as_json=as_json)
    if any(row["failed"] for row in rows):
        raise SystemExit(3)


def _shown(
    rows: Iterator[Row], columns: tuple[str, ...], *, as_json: bool
) -> list[Row]:
    """Print rows, as JSON each as it comes; return them all."""
    if not as_json:
        told = list(rows)
        show_rows(told, columns, as_json=False)
        return told
    told = []
    for row in rows:
        show_json(row)
        told.append(row)
    return told


def _each(
    paths: tuple[Path, ...], do: Callable[[Path], Row], jobs: int
) -> Iterator[Row]:
    """Do it to every file, *jobs* at once; yield the rows in the files' order."""
    files = [file for path in paths for file in _files(path)]

    def timed(file: Path) -> Row:
        started = time.monotonic()
        row = {"file": str(file), **do(file)}
        return {**row, "seconds": round(time.monotonic() - started, 4)}

    with progress("files", len(files)) as steps:
        pool = ThreadPoolExecutor(jobs)
        try:
            for row in pool.map(timed, files):
                steps.advance()
                yield row
        finally:
            # After Ctrl-C nothing is begun, and what runs ends with the sandbox.
            pool.shutdown(wait=False, cancel_futures=True)


def _files(path: Path) -> list[Path]:
    """Return *path* or the files below it; links to folders are not followed.

    What can't be looked into is among them: it will be a row that says so.
    """
    if not path.is_dir():
        if path.is_file():
            return [path]
        raise NotDone(f"{path} is neither a file nor a folder")
    closed: list[Path] = []
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(
            path, onerror=lambda exc: closed.append(Path(exc.filename))
        )
        for name in names
    ]
    return sorted([*filter(_is_file, found), *closed])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True


def _cause(exc: OSError) -> str:
    return f"{exc.strerror or exc}"
