"""A cell: the place of one jailed process, seen from the parent.

The process is started when a job needs it and replaced after anything irregular.
Everything that comes out of it is taken for hostile.
"""

import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from infra.dialogue import Dialogue, PackedJob, Patience, printable
from infra.jail.wire import Channel, Garbled, Hello, HungUp, Kind, Late
from schemas.errors import Rejected, SandboxFailure, Unavailable

log = logging.getLogger(__name__)

# Importing Pillow on a busy machine takes seconds; more means that it hangs.
_START_S = 60
# A process closes its socket moments before the kernel tells how it ended.
_DYING_S = 0.5
_MESSAGE_BYTES = 16 * 1024
_OVER_CPU = (-signal.SIGPROF, -signal.SIGXCPU)
# Python itself may need these; anything else could be a secret.
_INHERITED = ("LD_LIBRARY_PATH", "PYTHONHOME")


class Cell:
    """Runs one job at a time, each in a process that can be lost.

    Attributes:
        confined: the names of what confines its processes; none before the first.
    """

    def __init__(self, hello: Hello, patience: Patience, most_jobs: int) -> None:
        self._hello = hello
        self._patience = patience
        self._most_jobs = most_jobs
        self._guard = threading.Lock()
        self._process: _Process | None = None
        self._closed = False
        self.confined: frozenset[str] = frozenset()

    @property
    def warm(self) -> bool:
        """Whether a process is there already."""
        return self._process is not None

    def run(self, job: PackedJob) -> bytes:
        """Run a job and return its result as unchecked JSON.

        Raises:
            Rejected, SandboxFailure: as in the port.
            Unavailable: no process could be started, or the cell was closed.
        """
        process = self._ready_process(job.module)
        try:
            return process.run(job, self._patience)
        except SandboxFailure as exc:
            if self._closed:
                raise Unavailable("the sandbox was closed") from exc
            raise
        finally:
            if not process.usable or process.jobs >= self._most_jobs:
                self.clear()

    def clear(self) -> None:
        """End the process; the next job gets a new one. Safe to run twice."""
        with self._guard:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def close(self) -> None:
        """Kill a running job and take no more; whoever holds the cell clears it."""
        with self._guard:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _ready_process(self, module: str) -> "_Process":
        if module not in self._hello.preload:
            # Behind its walls a process can import nothing more.
            self.clear()
            preload = (*self._hello.preload, module)
            self._hello = replace(self._hello, preload=preload)
        if self._process is not None and not self._process.alive:
            self.clear()  # killed by somebody while it was idle
        with self._guard:
            if self._closed:
                raise Unavailable("the sandbox was closed")
            if self._process is not None:
                return self._process
            process = self._process = _Process(self._hello)
        try:
            confined = process.await_ready()
        except BaseException:  # Ctrl-C too: who is half greeted takes no job
            self.clear()
            raise
        if not self.confined:
            # Its successors are confined alike: a line of each would be noise.
            log.info("sandbox_ready", extra={"confined": sorted(confined)})
        self.confined = confined
        return process


class _Process:
    """One jailed process and the socket to it."""

    def __init__(self, hello: Hello) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._child = _spawn(theirs)
        except OSError as exc:
            ours.close()
            raise Unavailable(f"no sandbox process could be started: {exc}") from exc
        finally:
            theirs.close()
        self._channel = Channel(ours)
        if self._child.stderr is not None:
            os.set_blocking(self._child.stderr.fileno(), False)
        self._hello = hello
        self.usable = True
        self.jobs = 0

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as the kernel has told."""
        return self._child.poll() is None

    def await_ready(self) -> frozenset[str]:
        """Return what confines it once it has imported what cores need.

        Raises:
            Unavailable: it could not start.
        """
        deadline = time.monotonic() + _START_S
        try:
            self._channel.send(Kind.HELLO, pickle.dumps(self._hello), deadline=deadline)
            ready = self._channel.receive(_MESSAGE_BYTES, deadline)
        except (Late, HungUp, Garbled) as exc:
            said = printable(self._said().strip().rpartition("\n")[2])
            raise Unavailable(f"a sandbox process did not start: {said}") from exc
        confined = frozenset(json.loads(ready.payload))
        log.debug("jail_ready", extra={"pid": self._child.pid})
        return confined

    def run(self, job: PackedJob, patience: Patience) -> bytes:
        """Run a job; unless it ends in an orderly way, `usable` is false after."""
        self.jobs += 1
        dialogue = Dialogue(self._channel, job, patience)
        try:
            return dialogue.result()
        except Late:
            waited = f"killed after {patience.wall_clock_s:g} s"
            raise SandboxFailure("core_timeout", waited) from None
        except HungUp:
            raise self._death() from None
        except Garbled as exc:
            raise SandboxFailure("core_failed", str(exc)) from None
        finally:
            self.usable = dialogue.orderly
            self._log_words()

    def kill(self) -> None:
        """Kill the process and those it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and let go of everything."""
        self.kill()
        self._child.wait()
        self._channel.close()
        for pipe in (self._child.stdin, self._child.stderr):
            if pipe is not None:
                pipe.close()

    def _death(self) -> Rejected | SandboxFailure:
        try:
            code = self._child.wait(timeout=_DYING_S)
        except subprocess.TimeoutExpired:
            return SandboxFailure("core_crashed", "it hung up")
        if code in _OVER_CPU:
            return Rejected("cpu_limit", "it needs too much processor time")
        ended = f"signal {-code}" if code < 0 else f"exit {code}"
        return SandboxFailure("core_crashed", ended)

    def _log_words(self) -> None:
        lines = self._said().splitlines()
        if lines:
            text = "\n".join(map(printable, lines))
            log.debug("jail_stderr", extra={"pid": self._child.pid, "text": text})

    def _said(self) -> str:
        assert self._child.stderr is not None
        try:
            words = os.read(self._child.stderr.fileno(), 64 * 1024)
        except BlockingIOError:
            return ""
        return words.decode(errors="replace")


def _spawn(theirs: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 our own interpreter and module
        [sys.executable, "-P", "-m", "infra.jail", str(theirs.fileno())],
        stdin=subprocess.PIPE,  # closes when we die, and takes the child with us
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(theirs.fileno(),),
        cwd="/",
        env=_environment(),
        start_new_session=True,  # Ctrl-C in a terminal is meant for us
    )


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Every arena reserves 64 MiB of address space; a decoder's threads add up.
    return inherited | {"PYTHONPATH": path, "MALLOC_ARENA_MAX": "2"}
