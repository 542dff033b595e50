"""Processes come and go, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from infra.sandbox import SandboxSettings, open_sandbox
from schemas.errors import SandboxFailure, Unavailable
from schemas.ports import Sandbox
from tests.infra.sandbox import cores
from tests.infra.sandbox.jails import descriptors, opened, pipe, watched


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
from tests.infra.sandbox import cores

sandbox = open_sandbox(SandboxSettings(processes=2), ["tests.infra.sandbox.cores"])
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
