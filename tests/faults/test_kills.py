"""SIGKILL at random moments; `python -m tests.faults.kills` does it at full length."""

from pathlib import Path

from tests.faults.kills import run


def test_a_service_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    report = run(tmp_path / "storm", count=14, kills=2, seed=7)

    assert report.good, report
    assert report.struck > 0
    assert report.left_in_quarantine == 0
