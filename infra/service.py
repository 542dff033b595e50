"""A running service: the chosen functions in one process."""

import logging
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from types import FrameType
from typing import Protocol

from infra.http import Server, application
from infra.listening import listen
from infra.outages import outage
from infra.platform import Platform
from infra.runtime import Host
from infra.scheduler import Scheduler
from schemas.functions import EventFunction, Function, HttpFunction, ScheduledFunction

log = logging.getLogger(__name__)


class _Part(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def join(self, timeout: timedelta) -> bool: ...
    def alive(self) -> bool: ...
    def trouble(self) -> str | None: ...


class Service:
    """Functions that run in this process."""

    def __init__(self, platform: Platform, parts: Mapping[str, _Part]) -> None:
        self._platform = platform
        self._parts = parts

    def ended(self) -> list[str]:
        """Return which functions ended by themselves: none should."""
        return [name for name, part in self._parts.items() if not part.alive()]

    def protections(self) -> Mapping[str, bool]:
        """Return which protections confine the sandbox's cores, once one has run."""
        return self._platform.sandbox.protections()

    def troubles(self) -> dict[str, str]:
        """Return what keeps the functions from working now; asks store and database."""
        found = {name: part.trouble() for name, part in self._parts.items()}
        down = outage(self._platform)
        found["platform"] = str(down) if down else None
        return {name: trouble for name, trouble in found.items() if trouble}


@contextmanager
def serving(platform: Platform, names: tuple[str, ...] = ()) -> Iterator[Service]:
    """Run the functions called *names* (all for none) for as long as the block lasts.

    At its end every function finishes the work at hand, within PRATIQUE_STOP_S all
    together; what is not finished then is handed out again at the next start.
    """
    parts: dict[str, _Part] = {}
    try:
        for function in platform.select(names):
            part = _part(platform, function)
            part.start()
            parts[function.name] = part
        log.info("serving", extra={"functions": ",".join(parts)})
        yield Service(platform, parts)
    finally:
        _stop(parts, platform.settings.stop_s)


def _part(platform: Platform, function: Function) -> _Part:
    if isinstance(function, EventFunction):
        return Host(platform, function)
    if isinstance(function, ScheduledFunction):
        return Scheduler(platform, function)
    assert isinstance(function, HttpFunction)
    settings = platform.settings
    app = application(platform, function)
    listening = listen(settings.host, settings.port)
    log.info("listening", extra={"url": platform.public_url})
    return Server(app, listening, settings.stop_s)


def _stop(parts: dict[str, _Part], stop_s: float) -> None:
    for part in parts.values():
        part.stop()
    deadline = time.monotonic() + stop_s
    for name, part in parts.items():
        left = timedelta(seconds=max(0.0, deadline - time.monotonic()))
        if not part.join(left):
            log.warning("stopped_late", extra={"function": name})


@contextmanager
def until_signalled() -> Iterator[Event]:
    """Give an event that SIGTERM or SIGINT sets; a second Ctrl-C ends at once.

    A second SIGTERM does not: whoever sends it waits for the end anyway.
    """
    stopped = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set() and number == signal.SIGINT:
            raise SystemExit(128 + number)
        stopped.set()

    previous = {s: signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
