"""Gives files to the real core in the real sandbox, and what comes out to a judge."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import BinaryIO

from functions.sanitizer.settings import SanitizerSettings
from infra.local import sanitize_file
from infra.platform import cores, discover
from infra.sandbox import SandboxSettings, open_sandbox
from infra.settings import load
from schemas.errors import Rejected, SandboxFailure
from schemas.policies import Policy
from schemas.ports import Sandbox
from tests.exam.judge.core import Judgement, judge
from tests.exam.memory import measured
from tests.exam.rows import Expected, Row

_GIB = 1 << 30
Judge = Callable[[BinaryIO, BinaryIO, list[str]], Judgement]


@dataclass(frozen=True)
class Task:
    """A file, its name in the report, and what is expected of it."""

    path: Path
    name: str
    expected: Expected | None = None


@dataclass(frozen=True)
class Examiner:
    """One place where files are examined, one after another.

    Attributes:
        sandbox: of one process, so that its memory can be measured.
        out: where clean copies stay.
        markers: strings that no clean copy may hold.
    """

    sandbox: Sandbox
    judge: Judge
    out: Path
    policy: Policy
    markers: tuple[str, ...]

    def examine(self, task: Task) -> Row:
        """Have one file sanitized and judged."""
        limits = load(SanitizerSettings, None).limits
        # A process that has yet to start would be the first file's delay.
        with measured(self.sandbox) as peak:
            began = time.monotonic()
            told = sanitize_file(self.sandbox, task.path, self.out, self.policy, limits)
            seconds = time.monotonic() - began
        known = {name: told[name] for name in Row.model_fields if name in told}
        row = Row.model_validate({**known, "file": task.name})
        row.seconds, row.expected = round(seconds, 3), task.expected
        row.peak_mb = None if peak.mb is None else round(peak.mb, 1)
        self._judge(task, row)
        return row

    def _judge(self, task: Task, row: Row) -> None:
        markers = [*(task.expected.markers if task.expected else ()), *self.markers]
        with ExitStack() as opened:
            original = opened.enter_context(task.path.open("rb"))
            result = opened.enter_context(_result(row))
            try:
                row.judgement = self.judge(original, result, markers)
            except (Rejected, SandboxFailure) as exc:
                row.unjudged = f"{exc}"


def _result(row: Row) -> AbstractContextManager[BinaryIO]:
    clean = row.out if row.verdict == "clean" else None
    return Path(clean).open("rb") if clean else TemporaryFile()


@contextmanager
def core_sandbox() -> Iterator[Sandbox]:
    """Open the sandbox that the platform would, of one process."""
    settings = load(SandboxSettings, None).model_copy(update={"processes": 1})
    sandbox = open_sandbox(settings, cores(discover()))
    try:
        yield sandbox
    finally:
        sandbox.close()


# A jailed process imports nothing later: what Pillow and mutagen find a reader in.
_READERS = (
    *(f"PIL.{name}ImagePlugin" for name in ("Avif", "Bmp", "Gif", "Ico", "Jpeg")),
    *(f"PIL.{name}ImagePlugin" for name in ("Jpeg2K", "Mpo", "Png", "Ppm", "Psd")),
    *(f"PIL.{name}ImagePlugin" for name in ("Tiff", "WebP")),
    *(f"mutagen.{name}" for name in ("aac", "ac3", "aiff", "apev2", "asf", "dsdiff")),
    *(f"mutagen.{name}" for name in ("dsf", "flac", "id3", "monkeysaudio", "mp3")),
    *(f"mutagen.{name}" for name in ("mp4", "musepack", "oggflac", "oggopus")),
    *(
        f"mutagen.{name}"
        for name in ("oggspeex", "oggtheora", "oggvorbis", "optimfrog")
    ),
    *(f"mutagen.{name}" for name in ("smf", "tak", "trueaudio", "wave", "wavpack")),
)


@contextmanager
def jailed_judge() -> Iterator[Judge]:
    """Open a judge that no original can bring down; it may use more than a core."""
    settings = SandboxSettings(processes=1, memory_bytes=6 * _GIB, cpu_s=120)
    sandbox = open_sandbox(settings, [*_READERS, judge.__module__])

    def judged(original: BinaryIO, result: BinaryIO, markers: list[str]) -> Judgement:
        return sandbox.run(judge, original, result, markers)

    try:
        yield judged
    finally:
        sandbox.close()


def examine_all(
    tasks: Sequence[Task],
    out: Path,
    policy: Policy,
    *,
    jobs: int = 1,
    markers: tuple[str, ...] = (),
) -> Iterator[Row]:
    """Yield a row for every file, in their order, *jobs* at once."""
    with ExitStack() as opened:
        free: SimpleQueue[Examiner] = SimpleQueue()
        for _ in range(jobs):
            sandbox = opened.enter_context(core_sandbox())
            judging = opened.enter_context(jailed_judge())
            free.put(Examiner(sandbox, judging, out, policy, markers))

        def examine(task: Task) -> Row:
            examiner = free.get()
            try:
                return examiner.examine(task)
            finally:
                free.put(examiner)

        pool = ThreadPoolExecutor(jobs)
        try:
            yield from pool.map(examine, tasks)
        finally:
            pool.shutdown(cancel_futures=True)
