"""The exam on a generated sample, and proof that its judge sees what it should.

`python -m tests.exam DIR` does the same with a folder of foreign files.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.samples import images
from schemas.policies import Policy
from tests.exam import __main__ as command
from tests.exam.fuzz import damaged, fuzz
from tests.exam.hostile.write import FAMILIES, expected
from tests.exam.judge.core import judge
from tests.exam.run import Examiner, Task, core_sandbox
from tests.exam.sample import good

# Too long for a test; `python -m tests.exam --hostile` writes them too.
_HEAVY = ("bomb", "large")
_LIGHT = [name for name in FAMILIES if name not in _HEAVY]


@pytest.fixture(scope="module")
def examiner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examiner]:
    """One place to examine at: starting a sandbox costs more than a hundred files."""
    with core_sandbox() as sandbox:
        out = tmp_path_factory.mktemp("clean")
        yield Examiner(sandbox, judge, out, Policy(), (images.MARKER.decode(),))


@pytest.mark.parametrize("family", _LIGHT)
def test_no_hostile_file_embarrasses_the_sanitizer(
    examiner: Examiner, tmp_path: Path, family: str
) -> None:
    rows = []
    for case in FAMILIES[family]():
        path = tmp_path / case.name
        path.write_bytes(case.data)
        rows.append(examiner.examine(Task(path, case.name, expected(family, case))))

    assert rows
    assert {row.file: row.faults() for row in rows if row.faults()} == {}


def test_every_good_file_comes_out_clean_and_faithful(tmp_path: Path) -> None:
    sample = good()
    for name, data in sample.items():
        (tmp_path / name).write_bytes(data)
    limits = ["--at-least=100", "--psnr-at-least=100", "--changed-at-most=0"]

    ran = CliRunner().invoke(
        command.main, [str(tmp_path), "--json", "--strict", *limits]
    )

    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    faults = {row["file"]: row["faults"] for row in rows[:-1] if row["faults"]}
    verdicts = [row["verdict"] for row in rows[:-1]]
    assert (ran.exit_code, rows[-1]["missed"], faults) == (0, [], {})
    assert verdicts == ["clean"] * len(sample)


def test_damaged_files_lead_to_verdicts_and_never_to_leaks(
    examiner: Examiner, tmp_path: Path
) -> None:
    inputs = islice(damaged([*good().values()], seed=5), 40)

    report = fuzz(examiner, inputs, tmp_path, tmp_path / "kept")

    assert report.files == 40
    assert report.faults == []
