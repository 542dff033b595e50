"""Damaged files through the real sandbox, for some minutes.

    python -m tests.exam.fuzz DIR… --minutes M --seed S

Wanted: a verdict on every file, within limits; nothing clean that leaks, keeps a marker
or does not open. What goes wrong is kept in a folder, with the reason in its name.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from schemas.policies import Policy
from tests.exam.mutate import mutated
from tests.exam.rows import LARGE_MB, SLOW_S, Row
from tests.exam.run import Examiner, Task, core_sandbox, jailed_judge

_LARGEST_SEED = 2 << 20
# These keep the coded picture, and a damaged size makes metadata of any part of it; but
# so many letters in a row don't turn up in coded data. What bytes are, can't be told.
_KEPT = ("image/avif", "image/heif", "image/jp2")
_SHORTEST_KEPT = len("text ") + 16


@dataclass
class Report:
    """What a run amounts to."""

    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mb: float = 0.0

    @property
    def files(self) -> int:
        """How many files were judged."""
        return sum(self.verdicts.values())


def fuzz(
    examiner: Examiner, inputs: Iterable[bytes], place: Path, kept: Path
) -> Report:
    """Examine *inputs*; those that go wrong are kept."""
    report = Report()
    file = place / "input"
    for number, data in enumerate(inputs):
        file.write_bytes(data)
        row = examiner.examine(Task(file, "input"))
        report.verdicts[row.verdict or "none"] += 1
        report.reasons[row.reason or "-"] += 1
        report.slowest_s = max(report.slowest_s, row.seconds)
        report.peak_mb = max(report.peak_mb, row.peak_mb or 0.0)
        if row.out:
            Path(row.out).unlink(missing_ok=True)
        for fault in faults(row):
            report.faults.append(f"{number}: {fault}")
            kept.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "_", fault)[:60]
            (kept / f"{number:06}-{name}").write_bytes(data)
    return report


def faults(row: Row) -> list[str]:
    """Return what must not be: damaged originals may look as they like."""
    found = [] if row.verdict else [f"no verdict {row.reason}"]
    if row.seconds > SLOW_S:
        found.append(f"slow {row.seconds:.0f} s")
    if (row.peak_mb or 0) > LARGE_MB:
        found.append(f"large {row.peak_mb:.0f} MB")
    if row.unjudged:
        found.append(f"not judged {row.unjudged}")
    if row.verdict == "clean":
        found += [f"leak {kind} {where}" for kind, where in row.judged.leaks]
    if row.verdict == "clean" and (row.media_type or "").startswith("image/"):
        # Sound is kept bit by bit, with what a splice has put into it.
        shortest = _SHORTEST_KEPT if row.media_type in _KEPT else 0
        found += [
            f"survived {what}"
            for what in row.judged.survived
            if what.startswith("text") and len(what) >= shortest
        ]
        found += [] if _opens(row) else ["does not open"]
    return found


def _opens(row: Row) -> bool:
    fidelity = row.judged.fidelity
    return fidelity is None or "unreadable" not in fidelity.changed


def damaged(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Yield damaged files, always the same of the same seed."""
    dice = Random(seed)
    while True:
        yield mutated(seeds, dice)


def _until(inputs: Iterable[bytes], end_s: float) -> Iterator[bytes]:
    for data in inputs:
        if time.monotonic() > end_s:
            return
        yield data


def _seeds(folders: Sequence[Path]) -> list[bytes]:
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    small = (f for f in files if f.is_file() and f.stat().st_size <= _LARGEST_SEED)
    return [file.read_bytes() for file in small]


@click.command(help=__doc__)
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--minutes", type=float, default=1.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--policy", type=click.Choice(["rebuild", "lossless"]), default="rebuild")
@click.option("--keep", type=click.Path(path_type=Path), default=Path("fuzz-failures"))
def main(
    folders: tuple[Path, ...], minutes: float, seed: int, policy: str, keep: Path
) -> None:
    """Run it; exit 1 if anything went wrong."""
    chosen = Policy.model_validate({"images": policy})
    inputs = _until(damaged(_seeds(folders), seed), time.monotonic() + 60 * minutes)
    with (
        TemporaryDirectory(prefix="fuzz-") as place,
        core_sandbox() as sandbox,
        jailed_judge() as judging,
    ):
        examiner = Examiner(sandbox, judging, Path(place, "out"), chosen, ())
        report = fuzz(examiner, inputs, Path(place), keep)
    click.echo(f"{report.files} files, seed {seed}: {dict(report.verdicts)}")
    click.echo(f"reasons: {dict(report.reasons.most_common())}")
    alarms = report.reasons["verification_failed"]
    click.echo(f"{alarms} results were refused by the sanitizer's own verification")
    click.echo(f"slowest {report.slowest_s:.2f} s, peak {report.peak_mb:.0f} MB")
    for fault in report.faults:
        click.echo(fault)
    if report.faults:
        click.echo(f"{len(report.faults)} faults; the files are in {keep.absolute()}")
    raise SystemExit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
