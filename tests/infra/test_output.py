"""Tables are readable on a narrow terminal."""

from io import StringIO

from rich.console import Console

from infra.commands.output import table
from infra.commands.tables import fitted

COLUMNS = ("id", "project_id", "door", "filename", "status", "reason", "fault")
ROW = {
    "id": "0f3c2c3e-8a9e-4b7e-9d55-1f5a6a0f8c11",
    "project_id": "a-project",
    "door": "presigned",
    "filename": "a photo with a long name.jpg",
    "status": "error_processing",
    "reason": "unsupported_image",
}


def drawn(width: int) -> str:
    console = Console(width=width, file=StringIO())
    console.print(fitted(table([ROW], COLUMNS), console))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_an_id_can_be_copied_from_a_narrow_terminal() -> None:
    assert ROW["id"] in drawn(80)


def test_no_word_is_broken_on_a_narrow_terminal() -> None:
    words = " ".join(ROW.values()).split()

    shown = drawn(80).split()

    assert [word for word in words if word not in shown] == []


def test_a_row_is_a_line_where_there_is_room() -> None:
    assert len(drawn(160).splitlines()) == 2
