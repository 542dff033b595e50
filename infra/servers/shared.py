"""Servers that several processes share: started by the first that wants them.

Each has a holder, a process of its own (`hold`), since the one that wants it first may
end before the others.
"""

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.servers.hold import REQUEST, Request
from infra.servers.state import Running, State, locked, read, write
from schemas.errors import Unavailable

_MODULE = "infra.servers.hold"
_POLL_S = 0.03
_END = timedelta(seconds=40)


@dataclass(frozen=True)
class Run:
    """The servers of one run of the tests; all end with the process *watched*."""

    directory: Path
    watched: int

    def obtain(self, name: str, server: str, amqp_url: str | None = None) -> Running:
        """Return the run's server called *name*; start it if nobody has.

        Args:
            server: rabbitmq, postgresql or minio.
            amqp_url: where MinIO publishes.

        Raises:
            Unavailable: there is none, or it did not start; the message says more.
        """
        path = self.directory / f"{name}.json"
        request = Request(
            state=path,
            home=self.directory,
            servers=[server],
            amqp_url=amqp_url,
            watch=self.watched,
        )
        with self._locked(name):
            state = read(path) or held(request)
        if state.error is not None:
            raise Unavailable(state.error)
        return state.servers[server]

    def note(self, name: str, server: str, running: Running) -> Running:
        """Write down a server that is not ours."""
        with self._locked(name):
            state = State(servers={server: running})
            write(self.directory / f"{name}.json", state)
        return running

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        # Servers run as others, in directories of their own below this one.
        self.directory.mkdir(mode=0o711, exist_ok=True)
        with locked(self.directory / f"{name}.lock"):
            yield

    def states(self) -> dict[str, State]:
        """Return what runs, by name."""
        found = {path.stem: read(path) for path in self.directory.glob("*.json")}
        return {name: state for name, state in sorted(found.items()) if state}

    def end(self) -> None:
        """End the run's servers, and wait until they are gone."""
        holders = [state.holder for state in self.states().values() if state.holder]
        for holder in filter(holds, holders):
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGTERM)
        for holder in holders:
            end(holder)
        shutil.rmtree(self.directory, ignore_errors=True)


def held(request: Request) -> State:
    """Start a holder; return its state once its servers answer.

    Raises:
        Unavailable: it ended instead; the message has what it said.
    """
    log = request.state.with_suffix(".log")
    holder = _spawn(request, log)
    with ExitStack() as undo:
        undo.callback(end, holder)
        while (state := read(request.state)) is None:
            if os.waitpid(holder, os.WNOHANG) != (0, 0):
                said = log.read_text(errors="replace")[-2000:]
                raise Unavailable(f"servers did not start: {said}")
            time.sleep(_POLL_S)
        undo.pop_all()
    return state


def holds(process: int) -> bool:
    """Whether a process is a holder: its number may have gone to another one."""
    with suppress(OSError):
        return _MODULE.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def end(holder: int) -> None:
    """End a holder by SIGTERM and wait until it is gone.

    Raises:
        Unavailable: it does not end.
    """
    if not holds(holder):
        return
    try:
        watch = os.pidfd_open(holder)
        signal.pidfd_send_signal(watch, signal.SIGTERM)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([watch], [], [], _END.total_seconds())
    os.close(watch)
    if not ended:
        raise Unavailable(f"process {holder} does not end")


def _spawn(request: Request, log: Path) -> int:
    """Start a holder that no Ctrl-C in the terminal reaches."""
    writes = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", _MODULE],
        dict(os.environ) | {REQUEST: request.model_dump_json(), "PYTHONPATH": _root()},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), writes, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _root() -> str:
    """Return where this package is found, wherever the holder starts."""
    return str(Path(__file__).resolve().parents[2])
