"""What every private server can do: end, and start again on the same data and ports."""

import time
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Protocol

from schemas.errors import Unavailable

_START = timedelta(seconds=90)
_POLL_S = 0.03


class Unit(Protocol):
    """What a server, or a part of it, runs in: a process or a container."""

    source: str

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""

    def start(self) -> None:
        """Start it, if it does not run; do not wait until it answers."""

    def stop(self) -> None:
        """Let it finish."""

    def kill(self) -> None:
        """End it by SIGKILL."""

    def log(self) -> str:
        """Return the end of what it wrote."""


class Server(ABC):
    """A server of our own: the last of its units is the one that answers."""

    def __init__(self, *units: Unit, url: str) -> None:
        self._units = units
        self.url = url

    @property
    def pid(self) -> int | None:
        """The process id of what answers, while it runs."""
        return self._units[-1].pid

    @property
    def source(self) -> str:
        """Where it comes from: `binary` or `Docker`."""
        return self._units[-1].source

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves clients now."""

    @abstractmethod
    def version(self) -> str:
        """Return its version; it has to run."""

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Unavailable: it did not; the message ends with its log.
        """
        self.launch()
        self.ready()

    def launch(self) -> None:
        """Start it; `ready` waits until it answers."""
        for unit in self._units:
            unit.start()

    def ready(self) -> None:
        """Wait until it answers.

        Raises:
            Unavailable: it did not; the message ends with its log.
        """
        deadline = time.monotonic() + _START.total_seconds()
        while not self.answers():
            if self.pid is None or time.monotonic() > deadline:
                name, log = type(self).__name__, self._units[-1].log()
                raise Unavailable(f"{name} did not start: {log}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Let it finish what it does, and end it."""
        for unit in reversed(self._units):
            unit.stop()

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        for unit in reversed(self._units):
            unit.kill()
