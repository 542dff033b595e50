"""Outages in short; `python -m tests.faults.outages` has them at full length."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import outages, workers
from tests.faults.outages import Stage, stage

pytestmark = pytest.mark.servers
_FILES = 9
_AWAY_S = 3.0
_HURRY = {
    "PRATIQUE_LOG_FORMAT": "json",
    "PRATIQUE_GRACE_S": "2",
    "PRATIQUE_WORKERS": "20",
    "JANITOR_EVERY_S": "1",
    "JANITOR_MIN_BACKOFF_S": "1",
}
_EVERYONE = ["janitor", "metadata", "sanitizer", "upload"]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with stage(folder, environment=_HURRY, grace_s=2) as built:
        yield built


@pytest.mark.parametrize(
    ("server", "answers", "not_ready"),
    [
        ("broker", ["202 Retry-After: None"], ["metadata", "sanitizer"]),
        ("database", ["503 Retry-After: 5"], _EVERYONE),
        ("store", ["503 Retry-After: 5"], _EVERYONE),
    ],
)
def test_without_a_server_nothing_is_lost_and_no_attempt_burnt(
    staged: Stage, tmp_path: Path, server: str, answers: list[str], not_ready: list[str]
) -> None:
    report = outages.run(staged, tmp_path / "files", server, _FILES, _AWAY_S)

    # A call that fails just when its server is back looks like a fault of its own.
    assert report.retries <= 1
    assert replace(report, retries=0).good, report
    assert (report.answers, report.not_ready) == (answers, not_ready)


def test_without_any_notification_everything_is_found(
    staged: Stage, tmp_path: Path
) -> None:
    report = outages.run(staged, tmp_path / "files", "notifications", _FILES)

    assert report.good, report


def test_workers_killed_with_messages_in_hand_make_no_dead_letters(
    staged: Stage, tmp_path: Path
) -> None:
    storm = workers.run(staged, tmp_path / "files", count=30, kills=3, seed=3)

    assert storm.good, storm
    assert storm.struck > 0
