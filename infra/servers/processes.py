"""Processes that end with whoever started them, and can be ended exactly."""

import os
import pwd
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

_STOP = timedelta(seconds=20)
# A parent that died before the child asked to be told of it is never told.
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'


class Process:
    """One process of a server, with a log beside its data.

    It dies with the *thread* that started it, also if that is ended by SIGKILL: start
    it in a thread that lives as long as it shall.
    """

    source = "binary"

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        *,
        runs_as: pwd.struct_passwd | None = None,
        environment: Mapping[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
        orphaned: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Describe it.

        Args:
            stop: what it takes for a request to finish.
            orphaned: what it gets when its parent dies.
        """
        wrapped = [*_wrapped(runs_as, orphaned), "sh", "-c", _UNLESS_ORPHANED]
        self._command = [*wrapped, str(os.getpid()), *command]
        self._home = home
        self._environment = clean_environment(home) | dict(environment or {})
        self._stop = stop
        self._log = home / f"{Path(command[0]).name}.log"
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        running = self._popen is not None and self._popen.poll() is None
        return self._popen.pid if running and self._popen is not None else None

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.pid is not None:
            return
        with self._log.open("ab") as sink:
            self._popen = subprocess.Popen(  # noqa: S603  (a command of this package)
                self._command,
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal reaches tests only; they end their servers.
                start_new_session=True,
            )

    def stop(self) -> None:
        """Let it finish; kill it if it does not in time."""
        if self._popen is None or self.pid is None:
            return
        self._popen.send_signal(self._stop)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_STOP.total_seconds())
        self.kill()

    def kill(self) -> None:
        """End it and its children by SIGKILL, and wait until they are gone."""
        if self._popen is None:
            return
        family = [*_family(self._popen.pid)] if self.pid is not None else []
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        for watch in family:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(watch, signal.SIGKILL)
        self._popen.wait()
        self._popen = None
        for watch in family:
            _await_end(watch)

    def log(self) -> str:
        """Return the end of what it wrote."""
        if not self._log.exists():
            return ""
        return self._log.read_text(errors="replace")[-2000:]


def run(
    command: Sequence[str], home: Path, runs_as: pwd.struct_passwd | None
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(  # noqa: S603  (a command of this package)
        [*_wrapped(runs_as, signal.SIGKILL), *command],
        check=False,
        cwd=home,
        env=clean_environment(home),
        capture_output=True,
        text=True,
    )


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which nothing configures a server but we."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}


def _wrapped(runs_as: pwd.struct_passwd | None, orphaned: signal.Signals) -> list[str]:
    wrapped = ["setpriv", f"--pdeathsig={orphaned.name.removeprefix('SIG')}"]
    if runs_as is not None:
        wrapped += [f"--reuid={runs_as.pw_uid}", f"--regid={runs_as.pw_gid}"]
        wrapped += ["--clear-groups"]
    return wrapped


def _family(pid: int) -> Iterator[int]:
    """Yield a pidfd for each descendant; the caller closes them."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listed.read_text().split()):
                yield from _family(child)
                yield os.pidfd_open(child)


def _await_end(watch: int) -> None:
    try:
        select.select([watch], [], [], _STOP.total_seconds())
    finally:
        os.close(watch)
