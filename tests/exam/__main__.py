"""The exam: foreign files through the real sanitizer, and a judge that trusts nobody.

    python -m tests.exam DIR… [--json] [--jobs N] [--policy rebuild|lossless]
    python -m tests.exam --hostile DIR          writes files made to embarrass it

The judge of `tests/exam/judge` shares no code with the sanitizer. `--judge` names
another one, which then counts, and is compared with ours.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from infra.commands.output import progress
from infra.samples import audio, images
from schemas.policies import Policy
from tests.exam.external import disagreements, judge_all
from tests.exam.hostile.case import MARKER
from tests.exam.hostile.write import write
from tests.exam.limits import Limits
from tests.exam.rows import Expected, Row
from tests.exam.run import Task, examine_all
from tests.exam.table import show

_EXPECTED = "expected.json"
_MARKERS = (images.MARKER.decode(), audio.MARKER.decode(), MARKER.decode())


@click.command(help=__doc__)
@click.argument(
    "folders", nargs=-1, type=click.Path(exists=True, path_type=Path, resolve_path=True)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--policy", type=click.Choice(["rebuild", "lossless"]), default="rebuild")
@click.option("--judge", "command", help="A command that takes --batch LIST.tsv OUT.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep clean copies here.")
@click.option("--hostile", "written", type=click.Path(path_type=Path))
@click.option("--at-least", type=float, help="Clean and faithful, in per cent.")
@click.option("--psnr-at-least", type=float, help="And with 40 dB, in per cent.")
@click.option("--changed-at-most", type=float, help="Looks changed, in per cent.")
@click.option("--strict", is_flag=True, help="No leak, canary, miss, crash, 10 s, 1 GB")
def main(
    *,
    folders: tuple[Path, ...],
    as_json: bool,
    jobs: int,
    policy: str,
    command: str | None,
    out: Path | None,
    written: Path | None,
    **wanted: Any,
) -> None:
    """Run the exam; exit 1 if a limit is missed."""
    if written is not None:
        write(written)
        return
    with TemporaryDirectory(prefix="exam-") as place:
        kept = out or Path(place, "clean")
        chosen = Policy.model_validate({"images": policy})
        rows, extra = _examined(list(_tasks(folders)), kept, chosen, jobs)
        if command:
            originals = {t.name: t.path for t in _tasks(folders)}
            judge_all(command, rows, originals, Path(place))
            extra["disagreement"] = disagreements(rows)
    missed = Limits(**wanted).missed(rows)
    show(rows, {**extra, "missed": missed}, as_json=as_json)
    raise SystemExit(1 if missed else 0)


def _examined(
    tasks: list[Task], out: Path, policy: Policy, jobs: int
) -> tuple[list[Row], dict[str, Any]]:
    rows = []
    with progress("files", len(tasks)) as steps:
        for row in examine_all(tasks, out, policy, jobs=jobs, markers=_MARKERS):
            rows.append(row)
            steps.advance()
    return rows, {}


def _tasks(folders: tuple[Path, ...]) -> Iterator[Task]:
    for folder in folders:
        known = _expected(folder)
        files = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        for path in files:
            if path.is_file() and path.name != _EXPECTED:
                name = f"{folder.name}/{path.relative_to(folder)}"
                yield Task(path, name, known.get(path.name))


def _expected(folder: Path) -> dict[str, Expected]:
    told = folder / _EXPECTED
    if not told.is_file():
        return {}
    return {
        name: Expected.model_validate(each)
        for name, each in json.loads(told.read_text()).items()
    }


if __name__ == "__main__":
    main()
