"""One job's talk with a jailed process: what it may ask, and how it may end.

Everything that comes from there is taken for hostile.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from infra.jail.wire import BLOCK_BYTES, Channel, Frame, Garbled, HungUp, Kind, Late
from schemas.errors import Rejected, SandboxFailure
from schemas.objects import RangedReader

# How long a core may take to unwind once a range could not be fetched for it.
_UNWIND_S = 0.5
# A core may fetch each block a few times over, small objects' more often.
_SPARE_ASKS, _ASKS_PER_BLOCK = 256, 4
_M = TypeVar("_M", bound=BaseModel)
_OUTCOMES = (Kind.RESULT, Kind.REJECTED, Kind.FAILED)


class _Ask(BaseModel):
    reader: int = Field(ge=0)
    offset: int = Field(ge=0)
    length: int = Field(gt=0, le=BLOCK_BYTES)


class _Rejection(BaseModel):
    # Reasons go into records and to clients: a hijacked core must not write prose.
    reason: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    detail: str = Field("", max_length=500)


class _Failure(BaseModel):
    error: str = Field(max_length=500)


@dataclass(frozen=True)
class PackedJob:
    """A job ready to be sent.

    Attributes:
        module: where the core is; what has to be there before the walls are.
        payload: a pickled wire.Job.
        files: descriptors that the caller keeps open.
        readers: what the job's ranges are fetched from.
    """

    module: str
    payload: bytes
    files: Sequence[int]
    readers: Sequence[RangedReader]


@dataclass(frozen=True)
class Patience:
    """How much the parent takes from one job."""

    wall_clock_s: float
    result_bytes: int


class Dialogue:
    """Sends a job, answers what it asks, and returns or raises its outcome.

    Attributes:
        orderly: the process has said all it had to say and takes another job.
    """

    def __init__(self, channel: Channel, job: PackedJob, patience: Patience) -> None:
        self._channel = channel
        self._job = job
        self._most_bytes = patience.result_bytes
        self._deadline = time.monotonic() + patience.wall_clock_s
        blocks = sum(reader.size_bytes // BLOCK_BYTES for reader in job.readers)
        self._asks_left = _SPARE_ASKS + _ASKS_PER_BLOCK * blocks
        self._fetch_error: Exception | None = None
        self._last = False
        self.orderly = False

    def result(self) -> bytes:
        """Return the result as JSON that is still to be validated.

        What a reader raises comes through as it is.

        Raises:
            Late, HungUp, Garbled: the process is lost.
        """
        try:
            frame = self._outcome()
            error = _error(frame)
            self.orderly = not self._last
        except (Late, HungUp, Garbled):
            if self._fetch_error is None:
                raise
        if self._fetch_error is not None:
            raise self._fetch_error
        if error is not None:
            raise error
        return frame.payload

    def _outcome(self) -> Frame:
        self._channel.send(
            Kind.JOB,
            self._job.payload,
            files=self._job.files,
            deadline=self._deadline,
        )
        while True:
            frame = self._channel.receive(self._most_bytes, self._deadline)
            if frame.kind in _OUTCOMES:
                return frame
            if frame.kind is Kind.LAST:
                self._last = True
            elif frame.kind is Kind.ASK:
                self._answer(_parsed(_Ask, frame))
            else:
                raise Garbled(f"{frame.kind.name} while a core runs")

    def _answer(self, ask: _Ask) -> None:
        data = self._fetch(ask) if self._fetch_error is None else None
        if data is None:
            self._channel.send(Kind.NO_DATA, deadline=self._deadline)
        else:
            self._channel.send(Kind.DATA, data, deadline=self._deadline)

    def _fetch(self, ask: _Ask) -> bytes | None:
        reader = self._permitted(ask)
        started = time.monotonic()
        try:
            data = reader.read_at(ask.offset, ask.length)
        except Exception as exc:  # noqa: BLE001 the caller gets it, whatever it is
            self._fetch_error = exc
            self._deadline = time.monotonic() + _UNWIND_S
            return None
        # A slow store is no fault of the core.
        self._deadline += time.monotonic() - started
        return data

    def _permitted(self, ask: _Ask) -> RangedReader:
        self._asks_left -= 1
        if self._asks_left < 0:
            raise Garbled("it asks for more ranges than the object has")
        if ask.reader >= len(self._job.readers):
            raise Garbled("it asks for a reader that it was not given")
        reader = self._job.readers[ask.reader]
        if ask.offset + ask.length > reader.size_bytes:
            raise Garbled("it asks for bytes past the end")
        return reader


def printable(text: str) -> str:
    """Return hostile text fit for a log or a terminal, 500 characters at most."""
    return "".join(c if c.isprintable() else "?" for c in text[:500])


def _error(outcome: Frame) -> Rejected | SandboxFailure | None:
    if outcome.kind is Kind.REJECTED:
        rejection = _parsed(_Rejection, outcome)
        return Rejected(rejection.reason, printable(rejection.detail))
    if outcome.kind is Kind.FAILED:
        failure = _parsed(_Failure, outcome)
        return SandboxFailure("core_failed", printable(failure.error))
    return None


def _parsed(model: type[_M], frame: Frame) -> _M:
    try:
        return model.model_validate_json(frame.payload)
    except ValidationError as exc:
        # Its own words would quote what a hostile core has written.
        raise Garbled(f"a malformed {frame.kind.name}") from exc
