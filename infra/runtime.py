"""The host of event functions: receive, handle, settle.

A delivery ends in one of four ways. Done or refused: ack. An outage of store or
database: released without an attempt, and nothing more is taken until both answer.
Any other failure that may pass: the retry ladder. The rest, and what has climbed the
whole ladder: the dead letters, with a fault on the record.
"""

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

from infra.platform import Platform
from schemas.doors import clean_asset_id, source_of
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


class Outage(Exception):
    """Store or database is down: the delivery was released."""


class Host:
    """Runs one event function in a few threads until it is stopped."""

    def __init__(self, platform: Platform, function: EventFunction[Any]) -> None:
        self._platform = platform
        self._function = function
        self._context = platform.context(function)
        self._delays = platform.settings.retry_delays
        self._stop = Event()
        workers = platform.settings.workers
        self._threads = [
            Thread(target=self._work, name=f"{function.name}-{n}", daemon=True)
            for n in range(workers)
        ]
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Begin to consume; prefetch is bound to the number of workers."""
        self._subscription = self._platform.broker.subscribe(
            self._function.name, prefetch=len(self._threads)
        )
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
        if self._subscription is not None:
            self._subscription.close()
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        assert self._subscription is not None
        while not self._stop.is_set():
            try:
                delivery = self._subscription.receive(_WAIT)
                if delivery is not None:
                    settle(delivery, self._function, self._context, self._delays)
            except Outage as exc:
                log.warning("outage", extra={"cause": str(exc)})
                self._pause()
            except Unavailable as exc:  # the broker itself
                log.warning("broker_unavailable", extra={"cause": repr(exc)})
                self._stop.wait(self._platform.settings.outage_pause_s)

    def _pause(self) -> None:
        while not self._stop.wait(self._platform.settings.outage_pause_s):
            if outage(self._context) is None:
                log.info("outage_over", extra={"function": self._function.name})
                return


def outage(ctx: Context[Any]) -> Unavailable | None:
    """Return why the store or the database can't be worked with, if so."""
    try:
        ctx.store.ping()
        ctx.records.ping()
    except Unavailable as exc:
        return exc
    return None


def settle(
    delivery: Delivery,
    function: EventFunction[Any],
    ctx: Context[Any],
    delays: tuple[timedelta, ...],
) -> None:
    """Handle a delivery and settle it by what came of it.

    Raises:
        Outage: store or database is down; the delivery was released.
        Unavailable: the broker could not be told; it will hand out again.
    """
    last = delivery.attempt > len(delays)
    case = _Case(delivery, function, replace(ctx, last_attempt=last))
    try:
        case.events = parse(delivery.message.body)
        outcomes = [function.handle(event, case.ctx) for event in case.events]
    except Exception as exc:  # noqa: BLE001  (the one place: whatever it is, settle)
        _fail(case, exc, delays)
        return
    delivery.ack()
    names = sorted({str(outcome) for outcome in outcomes}) or ["nothing_to_do"]
    log.info("settled", extra={**case.fields, "outcome": ",".join(names)})


@dataclass
class _Case:
    """One delivery on its way to being settled."""

    delivery: Delivery
    function: EventFunction[Any]
    ctx: Context[Any]
    events: list[ObjectCreated] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "function": self.function.name,
            "attempt": self.delivery.attempt,
            "asset": ",".join(str(_id_of(event)) for event in self.events),
        }


def _fail(case: _Case, exc: Exception, delays: tuple[timedelta, ...]) -> None:
    if isinstance(exc, Unavailable) and (down := outage(case.ctx)):
        case.delivery.release()
        raise Outage(str(down)) from exc
    # An unforeseen error may be a passing one: it climbs the ladder like a known one.
    foreseen = isinstance(exc, PratiqueError)
    if case.ctx.last_attempt or (foreseen and not isinstance(exc, TransientError)):
        _bury(case, exc)
        return
    delay = delays[case.delivery.attempt - 1]
    log.warning(
        "retry",
        extra={**case.fields, "cause": repr(exc), "delay_s": delay.total_seconds()},
        exc_info=None if foreseen else exc,
    )
    case.delivery.retry(delay, cause=repr(exc))


def _bury(case: _Case, exc: Exception) -> None:
    code = exc.code if isinstance(exc, PratiqueError) else "unexpected_error"
    reason = f"{code}: {exc}"
    try:
        for event in case.events:
            _note_fault(case, event, reason)
    except TransientError as down:
        case.delivery.release()  # the fault has to be on record before it goes
        raise Outage(str(down)) from exc
    log.error("dead_letter", extra={**case.fields, "reason": reason}, exc_info=exc)
    case.delivery.dead_letter(reason)


def _note_fault(case: _Case, event: ObjectCreated, reason: str) -> None:
    asset_id = _id_of(event)
    if asset_id is None:
        return
    try:
        case.ctx.records.note(asset_id, Faulted(case.function.fills, reason))
    except AssetNotFound:
        log.warning("fault_without_record", extra={"asset": str(asset_id)})


def _id_of(event: ObjectCreated) -> UUID | None:
    source = source_of(event.ref)
    return source.asset_id if source else clean_asset_id(event.ref.key)
