"""The host of scheduled functions: run, pause, run again."""

import logging
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from infra.platform import Platform
from schemas.errors import PratiqueError
from schemas.functions import ScheduledFunction

log = logging.getLogger(__name__)


class Scheduler:
    """Runs one scheduled function in a thread until it is stopped."""

    def __init__(self, platform: Platform, function: ScheduledFunction[Any]) -> None:
        self._function = function
        self._context = platform.context(function)
        self._every = function.every(self._context.settings)
        self._stop = Event()
        self._failure: str | None = None
        self._thread = Thread(target=self._work, name=function.name, daemon=True)

    def start(self) -> None:
        """Begin with a first run at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to finish the run at hand and to begin no other."""
        self._stop.set()

    def join(self, timeout: timedelta) -> bool:
        """Wait for the thread; return whether it ended in time."""
        self._thread.join(timeout.total_seconds())
        return not self._thread.is_alive()

    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def trouble(self) -> str | None:
        """Why the last run failed, if it did."""
        return self._failure

    def _work(self) -> None:
        while True:
            self._run()
            if self._stop.wait(self._every.total_seconds()):
                return

    def _run(self) -> None:
        fields: dict[str, Any] = {"function": self._function.name}
        try:
            counts = self._function.run(self._context)
        except PratiqueError as exc:
            self._failure = str(exc)
            log.warning("run_failed", extra={**fields, "cause": repr(exc)})
        except Exception as exc:  # the next run may do better; the thread must not die
            self._failure = repr(exc)
            log.exception("run_failed", extra=fields)
        else:
            self._failure = None
            log.debug("run_done", extra={**fields, **counts})
