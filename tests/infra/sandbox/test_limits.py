"""What becomes of a core that fails or goes too far."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from tempfile import TemporaryFile

import pytest

from schemas.errors import Rejected, SandboxFailure
from schemas.ports import Sandbox
from tests.infra.sandbox import cores
from tests.infra.sandbox.jails import MIB, opened


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


def test_waiting_for_a_process_costs_no_wall_clock() -> None:
    with opened(wall_clock_s=0.5) as sandbox, ThreadPoolExecutor(3) as threads:
        naps = [threads.submit(sandbox.run, cores.nap, 0.2) for _ in range(3)]

        assert [nap.result() for nap in naps] == [None] * 3
