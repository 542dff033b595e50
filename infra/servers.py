"""Private servers for tests: started from the distribution's binaries, ended exactly.

Each has its own temporary directory, a free loopback port and a password, so it
disturbs no server that is there already. It dies with the process that started it,
also by SIGKILL; of a process killed so the directory stays behind, and nothing else.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from schemas.errors import SettingsError, Unavailable

_START = timedelta(seconds=30)
_STOP = timedelta(seconds=20)
_POLL_S = 0.02


@contextmanager
def postgresql(installed: Path = Path("/usr/lib/postgresql")) -> Iterator[str]:
    """Run a private PostgreSQL; give the URL of its superuser.

    What it commits is synced to disk, as in production; only initdb is not.

    Raises:
        SettingsError: its binaries are missing; the message says how to install them.
        Unavailable: it did not start; the message ends with its log.
    """
    binaries = _newest(installed)
    with _directory("postgresql") as home:
        password = _initdb(binaries / "initdb", home)
        port = _free_port()
        command = [str(binaries / "postgres"), "-D", str(home / "data")]
        command += ["-p", str(port), "-h", "127.0.0.1", "-k", str(home)]
        probe = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        # SIGINT: end sessions and stop; SIGTERM would wait for clients to leave.
        with _running(command, probe, home, stop=signal.SIGINT):
            yield (
                f"postgresql+psycopg2://postgres:{password}@127.0.0.1:{port}/postgres"
            )


def _newest(installed: Path) -> Path:
    found = [home / "bin" for home in installed.glob("[0-9]*")]
    found = [binaries for binaries in found if (binaries / "initdb").exists()]
    if not found:
        raise SettingsError(
            "no PostgreSQL to test with: set TEST_DATABASE_URL, or run: "
            "sudo apt-get install -y --no-install-recommends postgresql"
        )
    return max(found, key=lambda binaries: int(binaries.parent.name))


def _initdb(initdb: Path, home: Path) -> str:
    password = secrets.token_urlsafe(16)
    pwfile = home / "password"
    pwfile.write_text(password)
    pwfile.chmod(0o644)  # only its owner and root get into the directory
    command = [str(initdb), "-D", str(home / "data"), "-U", "postgres", "-E", "UTF8"]
    command += ["--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]
    command += [f"--pwfile={pwfile}"]
    done = _run(_as_nobody_special(command), home)
    if done.returncode:
        raise Unavailable(f"initdb failed: {done.stderr.strip()}")
    pwfile.unlink()
    return password


@contextmanager
def _running(
    command: Sequence[str], probe: Sequence[str], home: Path, *, stop: signal.Signals
) -> Iterator[None]:
    """Run *command* as the unprivileged user until the block is left."""
    with (home / "log").open("wb") as sink:
        server = subprocess.Popen(  # noqa: S603  (a command of this module)
            _as_nobody_special(command, dies_by=stop),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal reaches tests only; they end their servers.
            start_new_session=True,
        )
    try:
        _await(server, probe, home)
        yield
    finally:
        _end(server, stop)


def _run(command: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (a command of this module)
        command, check=False, cwd=home, capture_output=True, text=True
    )


def _await(server: subprocess.Popen[bytes], probe: Sequence[str], home: Path) -> None:
    deadline = time.monotonic() + _START.total_seconds()
    while _run(probe, home).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            tail = (home / "log").read_text(errors="replace")[-2000:]
            raise Unavailable(f"{server.args!r} did not start: {tail}")
        time.sleep(_POLL_S)


def _end(server: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    server.send_signal(stop)
    try:
        server.wait(_STOP.total_seconds())
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _as_nobody_special(
    command: Sequence[str], dies_by: signal.Signals | None = None
) -> list[str]:
    """Wrap *command*: not as root, and ended by *dies_by* if this process dies."""
    wrapped = ["setpriv"]
    if dies_by is not None:
        wrapped += [f"--pdeathsig={dies_by.name.removeprefix('SIG')}"]
    if os.geteuid() == 0:
        user = _user()
        wrapped += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
        wrapped += ["--clear-groups"]
    return [*wrapped, *command]


def _user() -> pwd.struct_passwd:
    """Return the user for servers that refuse to run as root."""
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


@contextmanager
def _directory(name: str) -> Iterator[Path]:
    """Make a directory for one server that belongs to the user it runs as."""
    # Short, as a socket's path may have 107 bytes at most.
    home = Path(tempfile.mkdtemp(prefix=f"pratique-{name}-"))
    try:
        if os.geteuid() == 0:
            user = _user()
            os.chown(home, user.pw_uid, user.pw_gid)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
