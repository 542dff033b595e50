"""Every notification is lost: the janitor finds what no event told."""

from pathlib import Path

import pytest

from infra.demo import DOORS, any_outcome, running, wait_until
from infra.samples import images
from tests.faults.flow import settled


def test_fifty_files_end_as_they_should_without_a_single_notification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JANITOR_EVERY_S", "0.1")
    photo = images.photo()
    cases = []
    for number in range(50):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(photo if number % 2 else b"text %d" % number)
        cases.append(any_outcome(path, DOORS[number % 3]))

    store = f"file:{tmp_path}/objects?announce=off"
    with running(tmp_path, store=store, grace_s=0.1) as demo:
        for case in cases:
            demo.send(case)

        in_time = wait_until(lambda: settled(demo, cases), timeout_s=60)

    assert in_time
    assert {case.status for case in cases} == {"processed"}
