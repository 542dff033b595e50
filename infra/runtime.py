"""The host of event functions: receive, handle, settle.

A delivery ends in one of four ways. Done or refused: ack. An outage of store or
database: released without an attempt, and nothing more is taken until both answer.
Any other failure that may pass: the retry ladder. The rest, and what has climbed the
whole ladder: the dead letters, with a fault on the record. What a server's state keeps
from being done, such as a full disk, stays on the last rung for as long as it lasts.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Any
from uuid import UUID

from infra.outages import outage, outage_behind_failure
from infra.platform import Platform
from schemas.doors import clean_asset_id, clean_text, source_of
from schemas.errors import (
    AssetNotFound,
    PratiqueError,
    TransientError,
    Unavailable,
)
from schemas.events import ObjectCreated, parse
from schemas.facts import Faulted
from schemas.functions import Context, EventFunction
from schemas.ports import Delivery, Subscription

log = logging.getLogger(__name__)
_WAIT = timedelta(seconds=1)  # how soon a stop request is noticed
_LONGEST_PAUSE = 30  # times the first one
_REASON_LENGTH = 500  # characters; it becomes a header, a column and a log line


class Outage(Exception):
    """Store or database is down: the delivery was released."""


class _Source:
    """A queue's subscription, made anew when it failed.

    Closing the failed one gives back what could not be settled: else each such
    delivery would take a place under the prefetch until the process ends.
    """

    def __init__(self, subscribe: Callable[[], Subscription]) -> None:
        self._subscribe = subscribe
        self._guard = Lock()
        self._subscription: Subscription | None = None

    @property
    def open(self) -> bool:
        """Whether there is a subscription that has not failed so far."""
        return self._subscription is not None

    def current(self) -> Subscription:
        """Return the subscription, a new one if there is none."""
        with self._guard:
            if self._subscription is None:
                self._subscription = self._subscribe()
            return self._subscription

    def close(self, failed: Subscription | None = None) -> None:
        """Close the subscription, if it still is the *failed* one where that is given.

        Of many workers that saw it fail, one closes it.
        """
        with self._guard:
            subscription = self._subscription
            if subscription is None or failed not in (None, subscription):
                return
            self._subscription = None
        subscription.close()


class Host:
    """Runs one event function in a few threads until it is stopped."""

    def __init__(self, platform: Platform, function: EventFunction[Any]) -> None:
        settings = platform.settings
        self._function = function
        self._context = platform.context(function)
        self._delays = settings.retry_delays
        self._pause_s = settings.outage_pause_s
        self._stop = Event()
        self._threads = [
            Thread(target=self._work, name=f"{function.name}-{n}", daemon=True)
            for n in range(settings.workers)
        ]
        self._source = _Source(
            lambda: platform.broker.subscribe(function.name, prefetch=settings.workers)
        )

    def start(self) -> None:
        """Begin to consume; prefetch is bound to the number of workers.

        A broker that does not answer is waited for.

        Raises:
            QueueNotFound: it was not provisioned. A queue that vanishes later is
                waited for.
        """
        try:
            self._source.current()
        except Unavailable as exc:
            log.warning("consuming_failed", extra=self._because(exc))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the workers to finish the work at hand and to take no more."""
        self._stop.set()

    def join(self, timeout: timedelta) -> bool:
        """Wait for the workers; return whether all ended in time.

        What is unsettled then goes back to its queue.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._source.close()
        return not any(thread.is_alive() for thread in self._threads)

    def alive(self) -> bool:
        """Whether every worker is there."""
        return all(thread.is_alive() for thread in self._threads)

    def trouble(self) -> str | None:
        """Why nothing is consumed at the moment, if so."""
        return None if self._source.open else f"queue {self._function.name} is not read"

    def _work(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._turn()
                failures = 0
            except Exception as exc:  # a thread that died would be an outage unseen
                foreseen = None if isinstance(exc, PratiqueError) else exc
                extra = self._because(exc)
                log.warning("consuming_failed", extra=extra, exc_info=foreseen)
                failures += 1
                self._stop.wait(_pause_s(self._pause_s, failures))

    def _because(self, exc: Exception) -> dict[str, str]:
        return {"function": self._function.name, "cause": repr(exc)}

    def _turn(self) -> None:
        subscription = self._source.current()
        try:
            delivery = subscription.receive(_WAIT)
            if delivery is not None:
                settle(
                    delivery,
                    self._function,
                    self._context,
                    self._delays,
                    stopping=self._stop.is_set,
                )
        except Outage as exc:
            log.warning("outage", extra={"cause": str(exc)})
            self._pause()
        except Exception:
            self._source.close(subscription)
            raise

    def _pause(self) -> None:
        while not self._stop.wait(self._pause_s):
            if outage(self._context) is None:
                log.info("outage_over", extra={"function": self._function.name})
                return


def _pause_s(first_s: float, failures: int) -> float:
    """Return how long to wait: twice as long each time, and no two workers alike."""
    longest = first_s * min(2.0 ** (failures - 1), _LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311  (nothing to be guessed)


def settle(
    delivery: Delivery,
    function: EventFunction[Any],
    ctx: Context[Any],
    delays: tuple[timedelta, ...],
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Handle a delivery and settle it by what came of it.

    Args:
        stopping: whether the platform is being closed under the handler.

    Raises:
        Outage: store or database is down; the delivery was released.
        Unavailable: the broker could not be told; it hands out again once the
            subscription is closed.
    """
    last = delivery.attempt > len(delays)
    case = _Case(delivery, function, replace(ctx, last_attempt=last))
    outcomes = []
    try:
        case.events = parse(delivery.message.body)
        for event in case.events:
            case.event = event
            outcomes.append(function.handle(event, case.ctx))
    except Exception as exc:  # noqa: BLE001  (the one place: whatever it is, settle)
        if stopping() and isinstance(exc, Unavailable):
            delivery.release()  # nothing failed: it was interrupted
            return
        _fail(case, exc, delays)
        return
    delivery.ack()
    names = sorted({str(outcome) for outcome in outcomes}) or ["nothing_to_do"]
    log.info("settled", extra={**case.fields, "outcome": ",".join(names)})


@dataclass
class _Case:
    """One delivery on its way to being settled.

    Attributes:
        event: the one at hand; what fails is its fault and not its neighbours'.
    """

    delivery: Delivery
    function: EventFunction[Any]
    ctx: Context[Any]
    events: list[ObjectCreated] = field(default_factory=list)
    event: ObjectCreated | None = None

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "function": self.function.name,
            "attempt": self.delivery.attempt,
            "asset": ",".join(str(_id_of(event)) for event in self.events),
        }


def _fail(case: _Case, exc: Exception, delays: tuple[timedelta, ...]) -> None:
    if isinstance(exc, Unavailable) and (down := outage_behind_failure(case.ctx)):
        case.delivery.release()
        raise Outage(str(down)) from exc
    # An unforeseen error may be a passing one: it climbs the ladder like a known one.
    foreseen = isinstance(exc, PratiqueError)
    hopeless = foreseen and not isinstance(exc, TransientError)
    # A server that answers and can't work is no fault of the delivery: it may wait.
    patient = isinstance(exc, Unavailable) and bool(delays)
    if hopeless or (case.ctx.last_attempt and not patient):
        _bury(case, exc)
        return
    delay = delays[min(case.delivery.attempt, len(delays)) - 1]
    log.warning(
        "retry",
        extra={**case.fields, "cause": repr(exc), "delay_s": delay.total_seconds()},
        exc_info=None if foreseen else exc,
    )
    case.delivery.retry(delay, cause=repr(exc)[:_REASON_LENGTH])


def _bury(case: _Case, exc: Exception) -> None:
    code = exc.code if isinstance(exc, PratiqueError) else "unexpected_error"
    # One line that databases and headers take: a hostile event may quote itself here.
    reason = clean_text(" ".join(f"{code}: {exc}".split()))[:_REASON_LENGTH]
    try:
        _note_fault(case, reason)
    except TransientError as down:
        case.delivery.release()  # the fault has to be on record before it goes
        raise Outage(str(down)) from exc
    log.error("dead_letter", extra={**case.fields, "reason": reason}, exc_info=exc)
    case.delivery.dead_letter(reason)


def _note_fault(case: _Case, reason: str) -> None:
    asset_id = _id_of(case.event) if case.event else None
    if asset_id is None:
        return
    try:
        case.ctx.records.note(asset_id, Faulted(case.function.fills, reason))
    except AssetNotFound:
        log.warning("fault_without_record", extra={"asset": str(asset_id)})


def _id_of(event: ObjectCreated) -> UUID | None:
    source = source_of(event.ref)
    return source.asset_id if source else clean_asset_id(event.ref.key)
