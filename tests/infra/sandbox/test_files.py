"""Files and ranges that a core is given."""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from tempfile import NamedTemporaryFile, SpooledTemporaryFile, TemporaryFile
from typing import Any, BinaryIO

import pytest

from infra.jail.wire import BLOCK_BYTES
from schemas.errors import ObjectNotFound, SandboxFailure, Unavailable
from schemas.ports import Sandbox
from tests.infra.sandbox import cores
from tests.infra.sandbox.jails import Ranges, opened


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
