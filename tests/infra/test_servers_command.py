"""`python -m infra.servers`: what it prints, starts and ends."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.servers.hold import Request
from infra.servers.shared import held
from infra.servers.state import Running, State, read, write
from tests.leftovers import left_in, listening, running_in

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]
# 127.0.0.1 and ::1, as /proc/net/tcp and tcp6 write them.
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
NOWHERE = State(
    servers={
        "rabbitmq": Running(
            url="amqp://u:p@127.0.0.1:1",
            management_url="http://u:p@127.0.0.1:1",
            version="4",
            source="binary",
        ),
        "postgresql": Running(
            url="postgresql://u:p@127.0.0.1:1/d", version="17", source="binary"
        ),
        "minio": Running(url="s3+http://u:p@127.0.0.1:1", version="1", source="binary"),
    }
)


@dataclass(frozen=True)
class Command:
    """The command as a user with a runtime directory of their own runs it."""

    runtime: Path

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "infra.servers", *words],
            cwd=ROOT,
            env=os.environ | {"XDG_RUNTIME_DIR": str(self.runtime)},
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def state(self) -> Path:
        return self.runtime / "pratique" / "servers.json"

    def knows(self, state: State) -> None:
        self.state.parent.mkdir()
        write(self.state, state)


@pytest.fixture
def servers(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Command, str]]:
    """Servers that were started, and what that printed."""
    command = Command(tmp_path_factory.mktemp("runtime"))
    done = command("start")
    assert done.returncode == 0, done.stderr
    state = read(command.state)
    yield command, done.stdout
    assert command("stop").returncode == 0
    assert state is not None
    assert state.home is not None
    assert (running_in(state.home), state.home.exists()) == ({}, False)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where servers put their directories; they run as others, who must get in."""
    monkeypatch.setenv("TEST_SERVERS", "binary")  # a container is not below it
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_start_prints_what_a_shell_evaluates(started: tuple[Command, str]) -> None:
    shown = "import json, os; print(json.dumps(dict(os.environ)))"

    done = subprocess.run(
        ["sh", "-euc", f'eval "$0"; exec {sys.executable} -c "$1"', started[1], shown],
        check=True,
        capture_output=True,
        text=True,
    )

    variables = json.loads(done.stdout)
    assert variables["PRATIQUE_STORE"].startswith("s3+http://")
    assert variables["PRATIQUE_UPLOAD_SIGNER"].endswith(
        json.loads(variables["PROVISION_STORE_SECRETS"])["upload-signer"]
    )


def test_start_prints_nothing_but_exports(started: tuple[Command, str]) -> None:
    lines = started[1].splitlines()

    export = re.compile(r"export (PRATIQUE|PROVISION)_[A-Z_]+=")

    assert [line for line in lines if not export.match(line)] == []


def test_a_second_start_prints_the_same(started: tuple[Command, str]) -> None:
    command, first = started

    second = command("start")

    assert (second.returncode, second.stdout) == (0, first)


def test_what_was_started_lacks_nothing(started: tuple[Command, str]) -> None:
    script = f"{started[1]}\nexec {sys.executable} -m infra provision --dry-run"

    done = subprocess.run(
        ["sh", "-euc", script], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_status_names_each_server_that_answers(started: tuple[Command, str]) -> None:
    done = started[0]("status", "--json")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {row["server"] for row in rows} == {"minio", "postgresql", "rabbitmq"}
    assert all(row["answers"] for row in rows)


def test_servers_listen_on_loopback_only(started: tuple[Command, str]) -> None:
    state = read(started[0].state)
    assert state is not None
    assert state.home is not None

    addresses = listening(running_in(state.home))

    assert addresses
    assert addresses <= LOOPBACK


def test_passwords_are_for_their_owner(started: tuple[Command, str]) -> None:
    mode = started[0].state.stat().st_mode

    assert stat.S_IMODE(mode) == 0o600


def test_stop_ends_what_was_started_and_nothing_else(
    servers: Command, place: Path
) -> None:
    (place / "ours").mkdir(mode=0o711)
    (place / "other").mkdir(mode=0o711)
    servers.knows(one_server(place / "ours"))
    other = one_server(place / "other")

    done = servers("stop")

    assert done.returncode == 0, done.stderr
    assert not (place / "ours").exists()
    assert "postgres" in running_in(place / "other").values()
    assert other.holder is not None
    os.kill(other.holder, signal.SIGTERM)
    assert left_in(place) == {}


def test_servers_end_with_the_process_that_owns_them(
    servers: Command, place: Path
) -> None:
    state = one_server(place)
    servers.knows(state)
    assert state.holder is not None

    os.kill(state.holder, signal.SIGKILL)

    assert left_in(place) == {}
    assert servers("stop").returncode == 0
    assert not place.exists()


def test_stop_spares_a_process_that_got_the_number_of_one_of_ours(
    servers: Command,
) -> None:
    bystander = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    servers.knows(State(holder=bystander.pid))

    servers("stop")

    bystander.communicate()
    assert bystander.returncode == 0


def test_status_of_servers_that_do_not_answer_is_a_failure(servers: Command) -> None:
    servers.knows(NOWHERE)

    done = servers("status")

    assert done.returncode == 1
    assert done.stdout.count("does not answer") == 3


def test_without_servers_status_says_how_to_start_them(servers: Command) -> None:
    done = servers("status")

    assert done.returncode == 1
    assert "sh tests/servers start" in done.stderr


def one_server(home: Path) -> State:
    """Start a server that its holder holds as `start` lets it hold three."""
    home.chmod(0o711)
    request = Request(state=home / "state.json", home=home, servers=["postgresql"])
    return held(request)
