"""All hostile families, and writing them into a folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.exam.hostile import (
    bombs,
    boxes,
    broken,
    jpeg,
    moving,
    pages,
    png,
    sound,
)
from tests.exam.hostile.case import MARKER, Case
from tests.exam.rows import Expected

_Family = Callable[[], Iterator[Case]]
FAMILIES: dict[str, _Family] = {
    "jpeg": jpeg.cases,
    "png": png.cases,
    "gif": moving.gifs,
    "webp": moving.webps,
    "tiff": pages.tiffs,
    "bmp": pages.bmps,
    "ico": pages.icons,
    "heic": boxes.heics,
    "avif": boxes.avifs,
    "jp2": boxes.jp2s,
    "sound": sound.cases,
    "truncated": broken.truncated,
    "impostor": broken.impostors,
    "polyglot": broken.polyglots,
    "claim": bombs.claims,
    "bomb": bombs.packed,
    "large": bombs.large,
}


def expected(family: str, case: Case) -> Expected:
    """Return what the exam wants of a case."""
    markers = [MARKER.decode()] if case.marked else []
    return Expected(family=family, verdicts=list(case.verdicts), markers=markers)


def write(folder: Path, families: dict[str, _Family] | None = None) -> int:
    """Write every case, and `expected.json` beside them; return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {}
    for family, cases in (families or FAMILIES).items():
        for case in cases():
            name = f"{family}-{case.name}"
            (folder / name).write_bytes(case.data)
            told[name] = expected(family, case).model_dump()
    (folder / "expected.json").write_text(json.dumps(told, indent=1))
    return len(told)
