"""What every sandbox promises: the docstrings of schemas/ports/sandbox.py."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from infra.sandbox import SandboxSettings, open_sandbox
from schemas.errors import Rejected, SandboxFailure
from schemas.ports import Sandbox
from tests.infra.sandbox import cores, hijacked
from tests.infra.sandbox.jails import MIB, Ranges, pipe


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        processes=2,
        memory_bytes=64 * MIB,
        cpu_s=0.2,
        wall_clock_s=10,
        file_size_bytes=MIB,
        open_files=32,
    )
    opened = open_sandbox(settings, ["tests.infra.sandbox.cores"])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def hasty() -> Iterator[Sandbox]:
    opened = open_sandbox(SandboxSettings(processes=1, wall_clock_s=0.3))
    yield opened
    opened.close()


def test_a_core_runs_in_another_process(sandbox: Sandbox) -> None:
    pid = sandbox.run(cores.pid)

    assert pid != os.getpid()


def test_protections_are_told_by_name_once_a_core_has_run() -> None:
    opened = open_sandbox(SandboxSettings(processes=1), ["tests.infra.sandbox.cores"])
    before = dict(opened.protections())

    opened.run(cores.pid)

    told = opened.protections()
    opened.close()
    assert before == {}
    assert told["rlimits"] is True
    assert set(told.values()) <= {True, False}


def test_a_core_that_is_no_function_of_a_module_is_refused(sandbox: Sandbox) -> None:
    def local() -> None: ...

    with pytest.raises(TypeError, match="no function of a module"):
        sandbox.run(local)


def test_a_core_has_no_network(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(SandboxFailure, match="core_failed: PermissionError"):
            sandbox.run(cores.connect, port)


def test_open_files_are_limited(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="Too many open files"):
        sandbox.run(cores.open_many)


def test_the_size_of_files_is_limited(sandbox: Sandbox) -> None:
    with TemporaryFile() as output, pytest.raises(Rejected) as raised:
        sandbox.run(cores.write_zeros, output, MIB + 1)

    assert raised.value.reason == "output_too_large"


def test_one_cores_end_leaves_another_one_unharmed(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor() as threads, pipe() as (here, out), pipe() as (inn, end):
        neighbour = threads.submit(sandbox.run, cores.meet, out, inn)
        assert here.read(5) == b"hello"  # it runs

        with pytest.raises(SandboxFailure):
            sandbox.run(cores.die, signal.SIGKILL)

        end.write(b"still")
        end.flush()
        assert neighbour.result() == "still"


def test_the_pool_refills(sandbox: Sandbox) -> None:
    for _ in range(2):
        with pytest.raises(SandboxFailure):
            sandbox.run(cores.vanish)

    assert sandbox.run(cores.pid) != os.getpid()


def test_as_many_cores_run_at_once_as_there_are_processes(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor() as threads, pipe() as one, pipe() as other:
        first = threads.submit(sandbox.run, cores.meet, one[1], other[0])
        second = threads.submit(sandbox.run, cores.meet, other[1], one[0])

        assert (first.result(), second.result()) == ("hello", "hello")


def test_many_threads_share_the_pool(sandbox: Sandbox) -> None:
    points = [cores.Point(x=n) for n in range(100)]

    with ThreadPoolExecutor(8) as threads:
        moved = threads.map(
            lambda point: sandbox.run(cores.shifted, point, cores.Shift(1)), points
        )

        assert [point.x for point in moved] == list(range(1, 101))


def test_a_core_reads_an_open_file_from_where_it_stands(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"head and tail")
    with (tmp_path / "file").open("rb") as file:
        file.read(9)

        assert sandbox.run(cores.read, file) == "tail"


def test_what_a_core_writes_is_in_the_callers_file(sandbox: Sandbox) -> None:
    with TemporaryFile() as output:
        output.write(b"before, ")

        sandbox.run(cores.write, output, "within")

        output.seek(0)
        assert output.read() == b"before, within"


@pytest.mark.parametrize(
    ("mode", "there"), [("rb", "rb"), ("wb", "wb"), ("ab", "ab"), ("r+b", "rb+")]
)
def test_an_open_file_keeps_its_mode(
    sandbox: Sandbox, tmp_path: Path, mode: str, there: str
) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open(mode) as file:
        assert sandbox.run(cores.mode, file) == there


def test_a_file_without_a_descriptor_is_refused_rather_than_copied(
    sandbox: Sandbox,
) -> None:
    with pytest.raises(TypeError, match="no descriptor"):
        sandbox.run(cores.read, BytesIO())


def test_a_ranged_reader_becomes_a_seekable_file(sandbox: Sandbox) -> None:
    reader = Ranges(b"head" + bytes(200_000) + b"tail")

    assert sandbox.run(cores.ends, reader) == ["tail", "head", ""]


def test_ranges_are_fetched_and_not_the_object(sandbox: Sandbox) -> None:
    reader = Ranges(b"head" + bytes(10 * MIB) + b"tail")

    sandbox.run(cores.ends, reader)

    assert reader.asked_bytes <= 2 * 64 * 1024


def test_other_arguments_are_pickled(sandbox: Sandbox) -> None:
    moved = sandbox.run(cores.shifted, cores.Point(x=1, y=2), cores.Shift(3))

    assert moved == cores.Point(x=4, y=2)


def test_a_result_of_another_type_than_annotated_is_a_failure(
    sandbox: Sandbox,
) -> None:
    with pytest.raises(SandboxFailure, match="core_failed: result: int_type"):
        sandbox.run(cores.lie)


def test_a_core_that_does_not_say_what_it_returns_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match="does not say what it returns"):
        sandbox.run(cores.untyped)


def test_nothing_a_hijacked_core_sends_is_executed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(SandboxFailure, match="core_failed"):
        sandbox.run(hijacked.forge_pickle, str(tmp_path / "made by a pickle"))

    assert list(tmp_path.iterdir()) == []


def test_a_rejection_comes_through(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        sandbox.run(cores.reject, "too_many_pixels", "it has too many pixels")

    assert (raised.value.reason, raised.value.detail) == (
        "too_many_pixels",
        "it has too many pixels",
    )


def test_a_core_past_its_memory_is_rejected(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        sandbox.run(cores.hoard, 65 * MIB)

    assert raised.value.reason == "memory_limit"


def test_a_core_past_its_processor_time_is_rejected(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        sandbox.run(cores.spin)

    assert raised.value.reason == "cpu_limit"


def test_a_core_past_the_wall_clock_times_out(hasty: Sandbox) -> None:
    with pytest.raises(SandboxFailure) as raised:
        hasty.run(cores.hang)

    assert raised.value.reason == "core_timeout"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_core_that_a_signal_ends_has_crashed(sandbox: Sandbox, number: int) -> None:
    with pytest.raises(SandboxFailure, match=f"^core_crashed: signal {number:d}$"):
        sandbox.run(cores.die, number)


def test_a_core_that_raises_anything_else_has_failed(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match=r"^core_failed: LookupError: no such"):
        sandbox.run(cores.fail, "no such box")


def test_close_ends_every_process() -> None:
    sandbox = open_sandbox(SandboxSettings(processes=1))
    pid = sandbox.run(cores.pid)

    sandbox.close()

    assert not Path(f"/proc/{pid}").exists()


def test_close_is_safe_to_run_twice() -> None:
    sandbox = open_sandbox(SandboxSettings(processes=1))

    sandbox.close()

    sandbox.close()
