"""The pool of jailed processes: what it survives, shares and leaves behind."""

import json
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, SpooledTemporaryFile, TemporaryFile
from typing import Any, BinaryIO

import pytest

from infra.jail.probe import probe
from infra.jail.wire import BLOCK_BYTES, Kind
from infra.sandbox import SandboxSettings, open_sandbox
from schemas.errors import ObjectNotFound, Rejected, SandboxFailure, Unavailable
from schemas.ports import Sandbox
from tests.infra import cores

MIB = 1024 * 1024
PRELOAD = ["tests.infra.cores"]


class Ranges:
    """A RangedReader that remembers what it was asked for, and can break."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self.data = data
        self.size_bytes = len(data)
        self.error = error
        self.asked: list[int] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append(offset)
        if self.error is not None:
            raise self.error
        return self.data[offset : offset + length]


@contextmanager
def opened(**given: Any) -> Iterator[Sandbox]:
    settings = SandboxSettings(**{"processes": 1, **given})
    sandbox = open_sandbox(settings, PRELOAD)
    try:
        yield sandbox
    finally:
        sandbox.close()


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as end:
        yield source, end


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], bool]]:
    """Yield what waits for any process's end, 5 seconds at most."""
    handle = os.pidfd_open(pid)
    try:
        yield lambda: bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with opened(memory_bytes=64 * MIB, result_bytes=8192, wall_clock_s=10) as sandbox:
        yield sandbox


# Files


def test_a_file_that_was_written_to_can_be_read_back(sandbox: Sandbox) -> None:
    with TemporaryFile() as output:
        sandbox.run(cores.write, output, "first, ")
        output.seek(0, os.SEEK_END)

        sandbox.run(cores.write, output, "second")

        output.seek(0)
        assert output.read() == b"first, second"


def test_what_the_caller_read_ahead_is_not_mistaken_for_what_a_core_wrote(
    sandbox: Sandbox,
) -> None:
    with TemporaryFile() as file:
        file.write(b"old words")
        file.seek(0)
        file.read(1)

        sandbox.run(cores.write, file, "NEW")

        file.seek(0)
        assert file.read() == b"oNEWwords"


def test_a_core_may_close_its_file(sandbox: Sandbox) -> None:
    with TemporaryFile() as output:
        sandbox.run(cores.write_and_close, output, "done")

        output.seek(0)
        assert output.read() == b"done"


@pytest.mark.parametrize("kind", [NamedTemporaryFile, SpooledTemporaryFile])
def test_other_temporary_files_are_open_files_too(
    sandbox: Sandbox, kind: Callable[[], Any]
) -> None:
    with kind() as output:
        sandbox.run(cores.write, output, "done")

        output.seek(0)
        assert output.read() == b"done"


# Ranges


def test_tiny_reads_fetch_each_block_once(sandbox: Sandbox) -> None:
    reader = Ranges(bytes(8 * BLOCK_BYTES))

    sandbox.run(cores.bytewise, reader, 500)

    assert sorted(reader.asked) == [n * BLOCK_BYTES for n in range(8)]


def test_an_empty_object_is_an_empty_file(sandbox: Sandbox) -> None:
    assert sandbox.run(cores.read, Ranges(b"")) == ""


def test_seeking_before_the_start_fails_as_in_any_file(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="Invalid argument"):
        sandbox.run(cores.before_start, Ranges(b"x"))


@pytest.mark.parametrize("error", [Unavailable("store"), ObjectNotFound("b/k")])
@pytest.mark.parametrize("core", [cores.read, cores.stubborn])
def test_what_a_reader_raises_comes_through_as_it_is(
    sandbox: Sandbox, core: Callable[[BinaryIO], str], error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        sandbox.run(core, Ranges(b"x", error))

    assert raised.value is error


def test_a_process_outlives_a_readers_error(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)

    with suppress(Unavailable):
        sandbox.run(cores.read, Ranges(b"x", Unavailable("store")))

    assert sandbox.run(cores.pid) == before


def test_a_core_that_ignores_a_readers_error_is_ended(sandbox: Sandbox) -> None:
    reader = Ranges(b"x", Unavailable("store"))

    with pytest.raises(Unavailable):
        sandbox.run(cores.mulish, reader)

    assert len(reader.asked) == 1


def test_time_in_the_store_is_not_held_against_a_core() -> None:
    class Slow(Ranges):
        def read_at(self, offset: int, length: int) -> bytes:
            select.select([], [], [], 0.3)
            return super().read_at(offset, length)

    with opened(wall_clock_s=0.25) as sandbox:
        assert sandbox.run(cores.read, Slow(b"late")) == "late"


# Outcomes


def test_a_huge_result_is_a_failure(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="core_failed: 10002 bytes where 8192"):
        sandbox.run(cores.shout, 10_000)


def test_sys_exit_in_a_core_is_a_failure(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="core_failed: SystemExit"):
        sandbox.run(cores.leave)


def test_a_process_that_ends_without_a_word_has_crashed(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="core_crashed: exit 7"):
        sandbox.run(cores.vanish)


def test_an_ordinary_failure_costs_no_process(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)

    with suppress(SandboxFailure):
        sandbox.run(cores.fail, "x")

    assert sandbox.run(cores.pid) == before


def test_a_failures_traceback_goes_to_the_log_at_debug_only(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), suppress(SandboxFailure):
        sandbox.run(cores.fail, "x")

    assert [r.levelno for r in caplog.records if "cores.py" in str(vars(r))] == [
        logging.DEBUG
    ]


def test_control_characters_of_a_core_reach_no_terminal(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        sandbox.run(cores.reject, "broken", "\x1b[2Jgone")

    assert raised.value.detail == "?[2Jgone"


# Limits


def test_memory_that_a_library_lacks_is_a_verdict_however_it_is_wrapped(
    sandbox: Sandbox,
) -> None:
    with pytest.raises(Rejected, match="memory_limit"):
        sandbox.run(cores.hoard_wrapped, 65 * MIB)


def test_a_process_that_ran_out_of_memory_is_replaced(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)

    with suppress(Rejected):
        sandbox.run(cores.hoard, 65 * MIB)

    assert sandbox.run(cores.pid) != before


def test_a_process_that_leaks_is_replaced(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.leak, 20 * MIB)

    assert sandbox.run(cores.pid) != before


def test_an_earlier_jobs_leak_is_not_held_against_the_next_one(
    sandbox: Sandbox,
) -> None:
    sandbox.run(cores.leak, 10 * MIB)

    assert sandbox.run(cores.hoard, 60 * MIB) == 60 * MIB


def test_a_process_is_replaced_after_so_many_jobs() -> None:
    with opened(jobs_per_process=2) as sandbox:
        pids = [sandbox.run(cores.pid) for _ in range(4)]

    assert (pids[0] == pids[1], pids[1] != pids[2], pids[2] == pids[3]) == (True,) * 3


def test_processor_time_is_counted_anew_for_each_job() -> None:
    with opened(cpu_s=0.3) as sandbox:
        for _ in range(2):
            sandbox.run(cores.burn, 0.2)

        assert sandbox.run(cores.pid)


def test_no_core_is_dumped(sandbox: Sandbox) -> None:
    assert sandbox.run(cores.core_size) == 0


def test_a_hang_that_holds_pythons_lock_is_ended_by_the_wall_clock() -> None:
    with (
        opened(wall_clock_s=0.3) as sandbox,
        TemporaryFile() as out,
        pytest.raises(SandboxFailure, match="core_timeout"),
    ):
        sandbox.run(cores.hang_with_lock, out)


def test_what_a_core_started_ends_with_it() -> None:
    with (
        opened(wall_clock_s=0.5) as sandbox,
        ThreadPoolExecutor() as threads,
        pipe() as (here, out),
    ):
        job = threads.submit(sandbox.run, cores.hang_with_child, out)
        with watched(int(here.readline())) as ended:
            job.exception()

            assert ended()


def test_waiting_for_a_process_costs_no_wall_clock() -> None:
    with opened(wall_clock_s=0.5) as sandbox, ThreadPoolExecutor(3) as threads:
        naps = [threads.submit(sandbox.run, cores.nap, 0.2) for _ in range(3)]

        assert [nap.result() for nap in naps] == [None] * 3


# Walls


def test_no_secret_reaches_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRATIQUE_STORE", "s3+http://key:hunter2@store")

    with opened() as sandbox:
        assert "hunter2" not in sandbox.run(cores.environment)


def test_a_core_inherits_no_descriptor(sandbox: Sandbox) -> None:
    with TemporaryFile():
        kept = sandbox.run(cores.open_descriptors)

    assert [name.rpartition("/")[2] for name in kept] == ["statm", "pipe", "socket"]


def test_a_core_sits_in_a_session_of_its_own(sandbox: Sandbox) -> None:
    session, group, pid = sandbox.run(cores.session)

    assert (session, group) == (pid, pid)


def test_signals_that_the_parent_blocks_are_not_blocked_in_a_core() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPROF, signal.SIGTERM])
    try:
        with opened() as sandbox:
            assert sandbox.run(cores.blocked_signals) == []
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_chatty_core_waits_for_nobody(sandbox: Sandbox) -> None:
    assert sandbox.run(cores.chatter, 200_000) == ""


def test_the_probe_finds_no_network(sandbox: Sandbox) -> None:
    assert not sandbox.run(probe).network


# A core that was taken over


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Kind.RESULT, b"[" * 4000),
        (Kind.RESULT, b'{"x": 1}'),
        (Kind.REJECTED, b'{"reason": "Visit example.org now!"}'),
        (Kind.REJECTED, b'{"reason": "' + b"a" * 100 + b'"}'),
        (Kind.FAILED, b'"no object"'),
        (Kind.READY, b""),
        (Kind.ASK, b'{"reader": 7, "offset": 0, "length": 1}'),
        (Kind.ASK, b'{"reader": 0, "offset": -1, "length": 1}'),
        (Kind.ASK, b'{"reader": 0, "offset": 0, "length": 1000000000}'),
    ],
)
def test_a_forged_message_is_a_failure(
    sandbox: Sandbox, kind: Kind, payload: bytes
) -> None:
    with pytest.raises(SandboxFailure, match="core_failed"):
        sandbox.run(cores.forge, kind, payload)


def test_bytes_past_an_objects_end_are_not_fetched(sandbox: Sandbox) -> None:
    reader = Ranges(b"x")

    with pytest.raises(SandboxFailure, match="core_failed: it asks for bytes past"):
        sandbox.run(
            cores.forge_asks, reader, '{"reader": 0, "offset": 1, "length": 1}', 1
        )

    assert reader.asked == []


def test_endless_asking_is_ended(sandbox: Sandbox) -> None:
    ask = '{"reader": 0, "offset": 0, "length": 1}'

    with pytest.raises(SandboxFailure, match="core_failed: it asks for more ranges"):
        sandbox.run(cores.forge_asks, Ranges(b"x"), ask, 100_000)


def test_babble_is_a_failure(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="core_failed"):
        sandbox.run(cores.babble, b"\xff" * 100)


def test_a_core_that_hangs_up_is_ended(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)

    with pytest.raises(SandboxFailure, match="hung up"):
        sandbox.run(cores.hang_up)

    assert not Path(f"/proc/{before}").exists()


# Life and death


def test_a_process_that_was_killed_while_idle_costs_no_job(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)
    with watched(before) as ended:
        os.kill(before, signal.SIGKILL)
        ended()

    assert sandbox.run(cores.pid) != before


def test_an_import_that_fails_is_an_outage_and_no_fault_of_a_file() -> None:
    sandbox = open_sandbox(SandboxSettings(processes=1), ["no.such.module"])

    with pytest.raises(Unavailable, match="No module named 'no'"):
        sandbox.run(cores.nothing)

    sandbox.close()


def test_close_ends_running_and_waiting_jobs_as_an_outage() -> None:
    with opened() as sandbox, ThreadPoolExecutor() as threads, pipe() as (here, out):
        running = threads.submit(sandbox.run, cores.hang_with_lock, out)
        pid = int(here.readline())
        waiting = threads.submit(sandbox.run, cores.nothing)

        sandbox.close()

        ends = [type(running.exception()), type(waiting.exception())]
        assert (ends, Path(f"/proc/{pid}").exists()) == ([Unavailable] * 2, False)


def test_a_closed_sandbox_takes_no_job() -> None:
    with opened() as sandbox:
        sandbox.close()

        with pytest.raises(Unavailable):
            sandbox.run(cores.nothing)


def test_descriptors_do_not_pile_up(sandbox: Sandbox) -> None:
    sandbox.run(cores.nothing)
    before = descriptors()

    with TemporaryFile() as file:
        for _ in range(50):
            sandbox.run(cores.read, file)

    assert (descriptors(), len(sandbox.run(cores.open_descriptors))) == (before, 3)


def test_crashes_leave_nothing_behind() -> None:
    before = descriptors()

    with opened() as sandbox:
        for _ in range(10):
            with suppress(SandboxFailure):
                sandbox.run(cores.die, signal.SIGSEGV)

    assert descriptors() == before


PARENT = """
import json, os, sys, threading
sys.path[:] = json.loads(sys.argv[1])
from infra.sandbox import SandboxSettings, open_sandbox
from tests.infra import cores

sandbox = open_sandbox(SandboxSettings(processes=2), ["tests.infra.cores"])
out = os.fdopen(1, "wb", buffering=0)
threading.Thread(target=sandbox.run, args=(cores.hang_with_lock, out)).start()
busy = sandbox.run(cores.pid)
out.write(b"%d\\n" % busy)
threading.Event().wait()
"""


def test_children_die_with_a_parent_that_was_killed() -> None:
    command = [sys.executable, "-c", PARENT, json.dumps(sys.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        with watched(pids[0]) as first_ended, watched(pids[1]) as second_ended:
            parent.kill()

            assert (len(set(pids)), first_ended(), second_ended()) == (2, True, True)
