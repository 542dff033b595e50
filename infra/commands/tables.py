"""Tables that fit their terminal: a row is a line, or else a paragraph."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_UNBOUNDED = 100_000
_NOTHING = "-"


def fitted(drawn: Table, console: Console) -> Table:
    """Return *drawn*, or its rows as paragraphs where words would have to be broken."""
    unbounded = console.options.update(width=_UNBOUNDED)
    longest_words = Measurement.get(console, unbounded, drawn).minimum
    return drawn if longest_words <= console.width else _paragraphs(drawn)


def _paragraphs(drawn: Table) -> Table:
    below = Table.grid("", "", padding=(0, 2, 0, 0))
    names = [str(column.header) for column in drawn.columns]
    for row in zip(*(column.cells for column in drawn.columns), strict=True):
        for name, cell in zip(names, row, strict=True):
            if cell != _NOTHING:
                below.add_row(name, cell)
        below.add_row()
    return below
