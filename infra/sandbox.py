"""The sandbox: a pool of jailed processes that run cores.

`infra.jail` is what runs in them, with what it enforces and what it does not.
"""

import contextlib
import inspect
import io
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.cell import Cell
from infra.dialogue import PackedJob, Patience, printable
from infra.jail.limits import WALLS, Limits
from infra.jail.wire import Hello, Job, OpenFile, Ranges
from schemas.errors import SandboxFailure
from schemas.objects import RangedReader
from schemas.ports import Sandbox

T = TypeVar("T")
_MIB = 1024 * 1024
# close() waits this long for callers whose stores do not answer.
_CLOSE_S = 10


def _cores() -> int:
    return len(os.sched_getaffinity(0))


class SandboxSettings(BaseSettings):
    """How many processes there are, and what one job may use."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore")

    processes: int = Field(default_factory=_cores, ge=1)
    memory_bytes: int = Field(
        1024 * _MIB,
        ge=_MIB,
        description="address space beyond what the process has after its imports",
    )
    # Five gigabytes of film are stripped, read again and searched in about as much.
    cpu_s: float = Field(120, gt=0, description="processor time; a verdict")
    wall_clock_s: float = Field(
        300, gt=0, description="waiting for the store excluded; worth a retry"
    )
    file_size_bytes: int = Field(
        5 * 1024 * _MIB, ge=0, description="as much as S3 takes in one PUT"
    )
    open_files: int = Field(64, ge=16)
    result_bytes: int = Field(_MIB, ge=4096, description="of JSON")
    jobs_per_process: int = Field(
        500, ge=1, description="then it is replaced: leaks and hijackings end"
    )


def open_sandbox(settings: SandboxSettings, preload: Sequence[str] = ()) -> Sandbox:
    """Return a sandbox; its processes start when the first jobs come.

    Args:
        preload: names of modules that each process imports before limits apply.
    """
    return _Pool(settings, preload)


class _Pool:
    """Cells, and callers that wait for one; their waiting costs no wall clock."""

    def __init__(self, settings: SandboxSettings, preload: Sequence[str]) -> None:
        limits = Limits(
            memory_bytes=settings.memory_bytes,
            cpu_s=settings.cpu_s,
            file_size_bytes=settings.file_size_bytes,
            open_files=settings.open_files,
        )
        hello = Hello(limits, tuple(preload))
        patience = Patience(settings.wall_clock_s, settings.result_bytes)
        self._cells = [
            Cell(hello, patience, settings.jobs_per_process)
            for _ in range(settings.processes)
        ]
        self._idle = list(self._cells)
        self._changed = threading.Condition()

    def run(self, core: Callable[..., T], /, *arguments: object) -> T:
        """Run *core* and return its result; see the port.

        Raises:
            TypeError: *core* is no function of a module or lacks a return annotation,
                or an argument is a file without a descriptor.
        """
        adapter: TypeAdapter[T] = _result_type(core)
        job = _pack(core, arguments)
        with self._cell() as cell:
            result = cell.run(job)
            try:
                return adapter.validate_json(result, strict=True)
            except ValidationError as exc:
                cell.clear()  # only a broken or hijacked core gets here
                raise SandboxFailure("core_failed", _complaint(exc)) from None

    def protections(self) -> Mapping[str, bool]:
        """Return by name which protections confine cores, and which are missing."""
        for cell in self._cells:
            if cell.confined:
                return {wall: wall in cell.confined for wall in WALLS}
        return {}

    def close(self) -> None:
        """End every process. Safe to run twice."""
        for cell in self._cells:
            cell.close()
        with self._changed:
            self._changed.wait_for(self._all_idle, timeout=_CLOSE_S)
            for cell in self._idle:  # any other clears itself when its store answers
                cell.clear()

    def _all_idle(self) -> bool:
        return len(self._idle) == len(self._cells)

    @contextlib.contextmanager
    def _cell(self) -> Iterator[Cell]:
        with self._changed:
            self._changed.wait_for(lambda: self._idle)
            cell = next((c for c in self._idle if c.warm), self._idle[-1])
            self._idle.remove(cell)
        try:
            yield cell
        finally:
            with self._changed:
                self._idle.append(cell)
                self._changed.notify_all()


@lru_cache(maxsize=128)
def _result_type(core: Callable[..., Any]) -> TypeAdapter[Any]:
    if not inspect.isfunction(core) or "<locals>" in core.__qualname__:
        raise TypeError(f"{core!r} is no function of a module")
    hints = get_type_hints(core)
    if "return" not in hints:
        raise TypeError(f"{core.__qualname__} does not say what it returns")
    return TypeAdapter(hints["return"])


def _pack(core: Callable[..., Any], arguments: tuple[object, ...]) -> PackedJob:
    files: list[int] = []
    readers: list[RangedReader] = []

    def packed(value: Any) -> object:
        if hasattr(value, "read_at") and hasattr(value, "size_bytes"):
            readers.append(value)
            return Ranges(len(readers) - 1, value.size_bytes)
        if isinstance(value, io.IOBase) or hasattr(value, "fileno"):
            files.append(_descriptor(value))
            return OpenFile(len(files) - 1)
        return value

    job = Job(core.__module__, core.__qualname__, tuple(map(packed, arguments)))
    return PackedJob(job.module, pickle.dumps(job), files, readers)


def _descriptor(file: Any) -> int:
    """Return a file's descriptor, at the position that the file object shows."""
    try:
        descriptor: int = file.fileno()
    except io.UnsupportedOperation as exc:
        # A pickled copy would swallow what the core writes to it.
        raise TypeError(f"{type(file).__name__} has no descriptor to share") from exc
    if file.seekable():
        position = file.tell()
        file.seek(0, io.SEEK_END)  # drops what was read ahead, writes what was not
        file.seek(position)
    elif file.writable():
        file.flush()
    return descriptor


def _complaint(exc: ValidationError) -> str:
    """Say where the result is wrong without quoting it."""
    first = exc.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "result"
    return printable(f"{where}: {first['type']}")
