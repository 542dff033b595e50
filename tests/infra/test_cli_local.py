"""sanitize and describe on whatever a folder may hold."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.cli import pratique
from infra.samples import images

# Names a file system takes: no UTF-8, and as long as can be.
ODD = (b"no-utf-8-\xff.txt", b"x" * 251 + b".txt", b"s." + b"x" * 253)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def call(*arguments: str, exits: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(pratique, [*arguments, "--json"])
    assert result.exit_code == exits, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_files_of_odd_names_are_judged_and_their_copies_kept(
    folder: Path, tmp_path: Path
) -> None:
    for name in ODD:
        Path(str(folder), name.decode(errors="surrogateescape")).write_text("text")

    judged = call("sanitize", str(folder), "--out", str(tmp_path / "out"))

    assert [row["verdict"] for row in judged] == ["passed"] * len(ODD)
    assert all(Path(row["out"]).read_text() == "text" for row in judged)


@pytest.mark.parametrize("command", ["sanitize", "describe"])
def test_a_loop_of_links_ends_and_keeps_nothing_from_being_judged(
    folder: Path, tmp_path: Path, command: str
) -> None:
    (folder / "self").symlink_to(".")
    (folder / "loop").symlink_to("loop")
    (folder / "notes.txt").write_text("text")
    out = ["--out", str(tmp_path / "out")] if command == "sanitize" else []

    judged = call(command, str(folder), *out)

    assert [Path(row["file"]).name for row in judged] == ["notes.txt"]


@pytest.mark.parametrize("command", ["sanitize", "describe"])
def test_an_unreadable_file_is_a_row_and_the_others_are_judged(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in ("a", "b", "c"):
        (folder / name).write_text("text")
    out = ["--out", str(tmp_path / "out")] if command == "sanitize" else []
    opened = Path.open

    def closed(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "b":  # root may read whatever its mode says
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", closed)
    judged = call(command, str(folder), *out, exits=3)

    done = [row.get("verdict") or row.get("metadata") == {} for row in judged]
    assert [bool(told) for told in done] == [True, False, True]
    assert "Permission denied" in str(judged[1])


def test_what_is_no_file_is_refused(folder: Path) -> None:
    result = CliRunner().invoke(pratique, ["describe", "/dev/null"])

    assert result.exit_code == 3
    assert "neither a file nor a folder" in result.stderr


def test_several_files_at_once_come_out_in_their_order(
    folder: Path, tmp_path: Path
) -> None:
    for number in range(12):
        size = 1_000_000 if number % 3 == 0 else 1
        (folder / f"{number:02}.bin").write_bytes(b"%02d" % number + b"x" * size)

    out = str(tmp_path / "out")
    judged = call("sanitize", str(folder), "--out", out, "--jobs", "4")

    names = [Path(row["file"]).name for row in judged]
    assert names == [f"{number:02}.bin" for number in range(12)]
    begins = [Path(row["out"]).read_bytes()[:2].decode() for row in judged]
    assert begins == [name[:2] for name in names]


def test_no_half_copy_is_left_where_a_copy_cannot_be_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "notes.txt").write_text("text")

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    call("sanitize", str(folder), "--out", str(tmp_path / "out"), exits=3)

    assert list((tmp_path / "out").iterdir()) == []


def test_every_row_of_sanitize_has_the_same_fields(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "a.jpg").write_bytes(images.photo())
    (folder / "b.jpg").write_bytes(images.halved(images.photo()))
    (folder / "c.txt").write_text("text")

    judged = call("sanitize", str(folder), "--out", str(tmp_path / "out"))

    fields = (
        "file verdict reason detail media_type exif_stripped findings out "
        "source_sha256 sha256 sanitizer_version seconds"
    )
    assert {tuple(sorted(row)) for row in judged} == {tuple(sorted(fields.split()))}
    assert [row["verdict"] for row in judged] == ["clean", "rejected", "passed"]
