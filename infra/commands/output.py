"""What commands print: tables for people, one JSON object a line for programs."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from infra.commands.tables import fitted
from schemas.assets import Asset, AssetRead

_IDS = ("id", "asset_id")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line."
)


def show_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool
) -> None:
    """Print *rows*: each whole as JSON, or their *columns* as a table."""
    if as_json:
        for row in rows:
            show_json(row)
        return
    # Piped output is for programs like grep: it must not be cut to a guessed width.
    width = None if sys.stdout.isatty() else 240
    console = Console(width=width, soft_wrap=False)
    console.print(fitted(table(rows, columns), console))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """Return *rows* as a table that cuts nothing, and keeps an id on one line."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold", no_wrap=column in _IDS)
    for row in rows:
        drawn.add_row(
            *(escape(_printable(text(row.get(column)))) for column in columns)
        )
    return drawn


def asset_row(asset: Asset) -> dict[str, Any]:
    """Return an asset as the API shows it: every command shows the same."""
    return AssetRead.model_validate(asset).model_dump(mode="json")


def show_json(row: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    # A name that is no UTF-8 gets \udcXX escapes, which JSON reads as it was.
    click.echo(_printable(json.dumps(row, default=_plain, ensure_ascii=False)))


def _printable(line: str) -> str:
    return line.encode("utf-8", "backslashreplace").decode()


def text(value: Any) -> str:
    """Return *value* as a table cell."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value) or "-"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator["Steps"]:
    """Show a bar on standard error while the block lasts; nothing when piped."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield Steps(bar, bar.add_task(what, total=total))


class Steps:
    """A progress bar's steps."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar = bar
        self._task = task

    def advance(self, steps: float = 1) -> None:
        """Move the bar on."""
        self._bar.advance(self._task, steps)

    def reach(self, steps: int) -> None:
        """Put the bar at *steps*."""
        self._bar.update(self._task, completed=steps)
