"""`pratique run` as a process of its own: it serves, and it stops when told."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.demo import any_outcome, wait_until
from infra.samples import images
from tests.faults.flow import settled
from tests.faults.kills import service
from tests.processes import Process

REFUSED = {"detail": "User consent is mandatory and must be explicitly set to 'true'."}


@pytest.fixture
def running_service(tmp_path: Path) -> Iterator[tuple[Process, str]]:
    """A service that is ready, and its URL."""
    with service(tmp_path / "run") as (process, _, platform):
        assert wait_until(process.ready, timeout_s=30)
        yield process, platform.public_url


def test_sigterm_under_load_ends_it_with_exit_code_0_and_nothing_lost(
    tmp_path: Path,
) -> None:
    with service(tmp_path / "run") as (process, demo, _):
        assert wait_until(process.ready, timeout_s=30)
        photo = tmp_path / "photo.jpg"
        photo.write_bytes(images.photo())
        cases = [any_outcome(photo, "form") for _ in range(10)]
        for case in cases:
            demo.send(case)

        code = process.stop(signal.SIGTERM)
        process.start()

        assert code == 0
        assert wait_until(lambda: settled(demo, cases), timeout_s=60)
        assert {case.status for case in cases} == {"processed"}


def test_ctrl_c_ends_it_with_exit_code_0(
    running_service: tuple[Process, str],
) -> None:
    process, _ = running_service

    assert process.stop(signal.SIGINT) == 0


def test_the_same_request_with_and_without_consent(
    running_service: tuple[Process, str],
) -> None:
    file = {"file": ("photo.jpg", images.photo(), "image/jpeg")}
    url = f"{running_service[1]}/assets"

    refused = httpx.post(url, data={"project_id": "p1"}, files=file)
    taken = httpx.post(
        url, data={"project_id": "p1", "user_consent": "true"}, files=file
    )

    assert (refused.status_code, refused.json()) == (400, REFUSED)
    assert (taken.status_code, taken.json()["status"]) == (202, "processing")


def test_a_malformed_setting_ends_the_start_with_its_name() -> None:
    command = [sys.executable, "-m", "infra", "run"]
    environment = {**os.environ, "PRATIQUE_BROKER": "kafka://secret"}

    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "BROKER" in ended.stderr
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr
