"""`pratique run` as processes of their own, to be watched, stopped and killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from infra.demo import wait_until
from infra.servers.places import free_ports

FUNCTIONS = ("upload", "sanitizer", "metadata", "janitor")
_START_S = 60
_STOP_S = 30


def free_port() -> int:
    """Return a port that nobody has, nor gets for a connection of its own."""
    return free_ports(1)[0]


class Process:
    """`pratique run FUNCTION…`; without functions it runs all of them.

    Args:
        log: where its lines are appended.
    """

    def __init__(
        self, functions: tuple[str, ...], environment: Mapping[str, str], log: Path
    ) -> None:
        self.functions = functions
        self.health = f"127.0.0.1:{free_port()}"
        self._environment = {
            **os.environ,
            **environment,
            "PRATIQUE_HEALTH": self.health,
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process; it serves some moments later."""
        command = [sys.executable, "-m", "infra", "run", *self.functions]
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                command, env=self._environment, stderr=sink
            )

    def ready(self) -> bool:
        """Whether it is there and can do its work."""
        alive = self._process is not None and self._process.poll() is None
        return alive and self.asks("/readyz") == 200

    def asks(self, path: str) -> int:
        """Return the status of its health endpoint's answer; 0 for none."""
        # Asked again and again: httpx would read TLS's certificates each time.
        try:
            with closing(HTTPConnection(self.health, timeout=10)) as connection:
                connection.request("GET", path)
                return connection.getresponse().status
        except (OSError, HTTPException):
            return 0

    def kill(self) -> None:
        """Kill it at once. Safe to run twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(_STOP_S)

    def log(self) -> str:
        """Return what it has logged."""
        return self._log.read_text(errors="replace")


@contextmanager
def started(
    environments: Mapping[str, Mapping[str, str]],
    folder: Path,
    counts: Mapping[str, int] | None = None,
) -> Iterator[dict[str, list[Process]]]:
    """Run each function as a process of its own, or as many as *counts* says.

    Args:
        environments: by function; every one has credentials of its own.
    """
    running: dict[str, list[Process]] = {}
    with ExitStack() as ends:
        for function, environment in environments.items():
            for number in range((counts or {}).get(function, 1)):
                log = folder / f"{function}-{number}.log"
                process = Process((function,), environment, log)
                ends.callback(process.kill)
                process.start()
                running.setdefault(function, []).append(process)
        await_ready([each for group in running.values() for each in group])
        yield running


def await_ready(processes: list[Process]) -> None:
    """Wait until all of *processes* can do their work."""
    assert wait_until(
        lambda: all(each.ready() for each in processes),
        timeout_s=_START_S,
        pause_s=0.2,
    ), "\n".join(each.log() for each in processes if not each.ready())
