"""What a function is, and all that it gets to see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic_settings import BaseSettings

from schemas.events import ObjectCreated
from schemas.objects import Buckets
from schemas.ports import ASGIApp, AssetRecords, Clock, ObjectStore, Sandbox


class FunctionSettings(BaseSettings):
    """What every function's settings have; the platform fills in the buckets."""

    buckets: Buckets = Buckets()


S_co = TypeVar("S_co", bound=FunctionSettings, covariant=True)


class Announce(Protocol):
    """Hands an event to the functions that listen to its bucket.

    It goes to their queues only: not into the journal, not to the world.
    """

    def __call__(self, event: ObjectCreated, /) -> None:
        """Return when the broker has the event safe."""


@dataclass(frozen=True)
class Context(Generic[S_co]):
    """All that a function has: no broker, no URL, no other function.

    Attributes:
        last_attempt: no retry will follow: a core that keeps crashing gets a verdict.
    """

    store: ObjectStore
    records: AssetRecords
    announce: Announce
    sandbox: Sandbox
    clock: Clock
    settings: S_co
    last_attempt: bool = False


class Outcome(StrEnum):
    """What became of an event."""

    DONE = "done"  # its effects stand
    STALE = "stale"  # nothing was left to do
    REJECTED = "rejected"  # the content was refused, and that is on record
    PARKED = "parked"  # it waits for consent or for somebody's decision


@dataclass(frozen=True)
class EventFunction(Generic[S_co]):
    """A function that is called for every object created in one bucket.

    Attributes:
        listens: which bucket.
        fills: the slot of the record that a fault of this function leaves empty.
    """

    name: str
    listens: Literal["quarantine", "clean"]
    fills: Literal["promotion", "description"]
    settings: type[S_co]
    handle: Callable[[ObjectCreated, Context[Any]], Outcome]


@dataclass(frozen=True)
class ScheduledFunction(Generic[S_co]):
    """A function that is called again and again.

    Attributes:
        every: the pause between two runs, from its settings.
        run: one bounded pass; returns counts by name for the log.
    """

    name: str
    settings: type[S_co]
    every: Callable[[Any], timedelta]
    run: Callable[[Context[Any]], dict[str, int]]


@dataclass(frozen=True)
class HttpFunction(Generic[S_co]):
    """A function that answers HTTP requests."""

    name: str
    settings: type[S_co]
    app: Callable[[Context[Any]], ASGIApp]


Function = EventFunction[Any] | ScheduledFunction[Any] | HttpFunction[Any]
