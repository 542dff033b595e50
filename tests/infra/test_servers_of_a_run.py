"""Servers that the processes of a test run share, and that end with it."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.servers.shared import Run
from schemas.errors import Unavailable
from tests.leftovers import left_in, running_in

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]
# Wants a server as a worker of a run would, says which it got, and waits.
WORKER = """
import sys
from pathlib import Path
from infra.servers.shared import Run
run = Run(Path(sys.argv[1]), int(sys.argv[2]))
print(run.obtain("postgresql", "postgresql").pid, flush=True)
input()
"""
TESTS = """
from pathlib import Path

def test_that_waits(postgresql_url):
    Path({ready!r}).write_text('ready')
    open({gate!r}).read()
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a run puts its directories; servers run as others, who must get in."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setenv("TEST_SERVERS", "binary")  # a container is not below it
    yield path
    shutil.rmtree(path)


def worker(run: Path, watched: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(run), str(watched)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_workers_that_want_a_server_at_once_get_the_same(place: Path) -> None:
    run = Run(place / "run", os.getpid())
    workers = [worker(run.directory, run.watched) for _ in range(3)]

    servers = {answer(one) for one in workers}

    for one in workers:
        one.communicate("\n")
    run.end()
    assert len(servers) == 1
    assert "None" not in servers


def test_a_server_outlives_the_worker_that_wanted_it_first(place: Path) -> None:
    run = Run(place / "run", os.getpid())
    first = worker(run.directory, run.watched)
    server = answer(first)

    first.kill()
    first.communicate()

    assert run.obtain("postgresql", "postgresql").pid == int(server)
    assert int(server) in running_in(place)
    run.end()


def test_the_end_of_a_run_leaves_no_process_and_no_file(place: Path) -> None:
    run = Run(place / "run", os.getpid())
    run.obtain("postgresql", "postgresql")

    run.end()

    assert running_in(place) == {}
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_interrupted_leaves_no_process_and_no_file(
    how: signal.Signals, place: Path, tmp_path: Path
) -> None:
    tests = run_that_waits(tmp_path)
    assert "postgres" in running_in(place).values()

    # Ctrl-C reaches all of them; the kernel's killer only one.
    (os.killpg if how is signal.SIGINT else os.kill)(tests.pid, how)

    assert tests.wait(60) != 0
    assert left_in(place) == {}
    assert [path for path in place.iterdir() if "pratique" in path.name] == []


def test_what_a_run_can_not_have_it_is_told_how_to_get(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(place / "run", os.getpid())
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setenv("PATH", str(place))

    with pytest.raises(Unavailable, match=r"python -m infra\.servers install"):
        run.obtain("minio", "minio")

    run.end()


def run_that_waits(folder: Path) -> subprocess.Popen[bytes]:
    """Run a test in a process of its own; return when it waits, with a server."""
    ready, gate = folder / "ready", folder / "gate"
    os.mkfifo(ready)
    os.mkfifo(gate)
    reader = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
    file = folder / "test_it.py"
    file.write_text(TESTS.format(ready=str(ready), gate=str(gate)))
    command = [sys.executable, "-m", "pytest", "-n1", "-p", "tests.conftest"]
    tests = subprocess.Popen(
        [*command, "-c", os.devnull, f"--rootdir={folder}", str(file)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    said, _, _ = select.select([reader], [], [], 60)
    os.close(reader)
    assert said, "the test did not get as far as that"
    return tests
