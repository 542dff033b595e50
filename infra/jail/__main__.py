"""The jailed process's main: say ready, then run one core after another.

Started by `infra.cell` as `python -m infra.jail SOCKET`; standard input is a pipe
that closes when the parent is gone.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import pickle
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import IO, BinaryIO

from pydantic_core import to_json

from infra.jail import limits, preload
from infra.jail.ranges import RangedFile
from infra.jail.wire import Channel, Frame, Hello, HungUp, Job, Kind, OpenFile, Ranges
from schemas.errors import Rejected

_MODES = {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}


@dataclass(frozen=True)
class _Outcome:
    """What became of a job, and whether this process is spent by it."""

    kind: Kind
    payload: bytes
    spent: bool = False


class _NoData(BaseException):
    """The parent could not fetch a range. No core may catch this."""


def main() -> None:
    """Run jobs until the parent hangs up."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    _take_over_standard_streams()
    limits.forget_inheritance()
    active = limits.leave_network()
    try:
        hello: Hello = pickle.loads(channel.receive_with_files().payload)  # noqa: S301 from our parent
        preload.modules(hello.preload)
        meter = limits.Meter(hello.limits)
        sys.dont_write_bytecode = True
        active += limits.confine(hello.limits)
        limits.active = tuple(active)
        channel.send(Kind.READY, json.dumps(active).encode())
        while True:
            _serve(channel, meter)
    except HungUp:
        os._exit(0)  # a core's leftover threads must not keep us


def _take_over_standard_streams() -> None:
    limits.die_with_parent(os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.set_blocking(2, False)  # a chatty decoder must not wait for a reader


def _serve(channel: Channel, meter: limits.Meter) -> None:
    frame = channel.receive_with_files()
    meter.start()
    try:
        outcome = _Outcome(Kind.RESULT, _run(channel, frame))
    except HungUp:
        raise
    except BaseException as exc:  # noqa: BLE001 whatever a core raises is its outcome
        meter.stop()
        outcome = _judge(exc)
    else:
        meter.stop()
    if outcome.spent or meter.overgrown:
        channel.send(Kind.LAST)
    channel.send(outcome.kind, outcome.payload)


def _run(channel: Channel, frame: Frame) -> bytes:
    with _opened(frame.files) as files:
        result = _call(channel, pickle.loads(frame.payload), files)  # noqa: S301 from our parent
        for file in files:
            if not file.closed:
                file.flush()
    return to_json(result)


@contextlib.contextmanager
def _opened(descriptors: Sequence[int]) -> Iterator[list[IO[bytes]]]:
    files = [_open(descriptor) for descriptor in descriptors]
    try:
        yield files
    finally:
        for file in files:
            # What could not be flushed has raised already, or the core has failed.
            with contextlib.suppress(OSError):
                file.close()


def _open(descriptor: int) -> IO[bytes]:
    status = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    mode = "ab" if status & os.O_APPEND else _MODES[status & os.O_ACCMODE]
    return os.fdopen(descriptor, mode)


def _call(channel: Channel, job: Job, files: list[IO[bytes]]) -> object:
    core = attrgetter(job.name)(import_module(job.module))
    return core(*(_restored(channel, value, files) for value in job.arguments))


def _restored(channel: Channel, value: object, files: list[IO[bytes]]) -> object:
    if isinstance(value, OpenFile):
        return files[value.index]
    if isinstance(value, Ranges):
        return _ranged(channel, value)
    return value


def _ranged(channel: Channel, ranges: Ranges) -> BinaryIO:
    def fetch(offset: int, length: int) -> bytes:
        ask = {"reader": ranges.index, "offset": offset, "length": length}
        channel.send(Kind.ASK, json.dumps(ask).encode())
        answer = channel.receive_with_files()
        if answer.kind is Kind.NO_DATA:
            raise _NoData
        return answer.payload

    return io.BufferedReader(RangedFile(ranges.size_bytes, fetch))


def _judge(exc: BaseException) -> _Outcome:
    if isinstance(exc, Rejected):
        return _rejection(exc.reason, exc.detail)
    for cause in _causes(exc):
        if isinstance(cause, MemoryError):
            return _rejection("memory_limit", "it needs too much memory", spent=True)
        if isinstance(cause, OSError) and cause.errno == errno.EFBIG:
            return _rejection("output_too_large", "a file would grow too large")
    with contextlib.suppress(OSError):
        traceback.print_exception(exc)
    failure = {"error": f"{type(exc).__name__}: {exc}"[:500]}
    return _Outcome(Kind.FAILED, json.dumps(failure).encode())


def _rejection(reason: str, detail: str, *, spent: bool = False) -> _Outcome:
    rejection = {"reason": reason, "detail": detail[:500]}
    return _Outcome(Kind.REJECTED, json.dumps(rejection).encode(), spent)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield *exc* and what it was raised from; libraries wrap what they meet."""
    cause: BaseException | None = exc
    for _ in range(20):  # chains can be circular
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


if __name__ == "__main__":
    main()
