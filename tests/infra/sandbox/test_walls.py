"""What a core can't reach, also when it was taken over."""

import ctypes
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from infra.jail.probe import REFUSED_BY, probe
from infra.jail.wire import Kind
from infra.platform import cores as cores_of
from infra.platform import discover
from infra.sandbox import SandboxSettings, open_sandbox
from schemas.errors import SandboxFailure
from schemas.ports import Sandbox
from tests.infra.sandbox import cores, hijacked
from tests.infra.sandbox.jails import Ranges, opened

UNWALLED = "from infra.jail.probe import probe; print(probe().model_dump_json())"
DECODERS = (
    *("AvifImagePlugin", "BmpImagePlugin", "GifImagePlugin", "IcoImagePlugin"),
    *("Jpeg2KImagePlugin", "JpegImagePlugin", "JpegXLImagePlugin", "PngImagePlugin"),
    *("TiffImagePlugin", "WebPImagePlugin"),
)


def test_no_secret_reaches_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRATIQUE_STORE", "s3+http://key:hunter2@store")

    with opened() as sandbox:
        pid, _, now = sandbox.run(cores.environment).partition(" ")
        at_start = Path(f"/proc/{pid}/environ").read_bytes()

    assert "hunter2" not in f"{now} {at_start!r}"


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


def test_a_core_can_do_none_of_what_its_walls_refuse(sandbox: Sandbox) -> None:
    found = sandbox.run(probe)

    assert (found.broken, set(found.active) & {"rlimits", "seccomp"}) == (
        [],
        {"rlimits", "seccomp"},
    )


def test_landlock_stands_wherever_the_kernel_has_it(sandbox: Sandbox) -> None:
    version = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)

    assert ("landlock" in sandbox.run(probe).active) == (version >= 1)


def test_a_process_without_walls_can_do_what_they_refuse() -> None:
    found = subprocess.run(  # as free as the tests are: the probe must notice
        [sys.executable, "-P", "-c", UNWALLED],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )

    refused = {*REFUSED_BY["landlock"], *REFUSED_BY["seccomp"]}
    assert refused <= set(json.loads(found.stdout)["done"])


def test_a_core_may_use_threads(sandbox: Sandbox) -> None:
    assert sandbox.run(cores.threads, 4) == 4


def test_a_core_is_imported_before_its_process_can_open_nothing_more() -> None:
    with opened() as sandbox:
        first = sandbox.run(cores.pid)

        assert sandbox.run(probe).pid != first


def test_nothing_of_pillow_is_there_but_the_decoders_that_cores_name() -> None:
    platform = [*cores_of(discover()), cores.__name__]
    sandbox = open_sandbox(SandboxSettings(processes=1), platform)

    with closing(sandbox):
        plugins = sandbox.run(cores.plugins)

    assert [name for name in plugins if name.split(".")[-1] not in DECODERS] == []


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
        sandbox.run(hijacked.forge, kind, payload)


def test_bytes_past_an_objects_end_are_not_fetched(sandbox: Sandbox) -> None:
    reader = Ranges(b"x")

    with pytest.raises(SandboxFailure, match="core_failed: it asks for bytes past"):
        sandbox.run(
            hijacked.forge_asks, reader, '{"reader": 0, "offset": 1, "length": 1}', 1
        )

    assert reader.asked == []


def test_endless_asking_is_ended(sandbox: Sandbox) -> None:
    ask = '{"reader": 0, "offset": 0, "length": 1}'

    with pytest.raises(SandboxFailure, match="core_failed: it asks for more ranges"):
        sandbox.run(hijacked.forge_asks, Ranges(b"x"), ask, 100_000)


def test_babble_is_a_failure(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure, match="core_failed"):
        sandbox.run(hijacked.babble, b"\xff" * 100)


def test_a_core_that_hangs_up_is_ended(sandbox: Sandbox) -> None:
    before = sandbox.run(cores.pid)

    with pytest.raises(SandboxFailure, match="hung up"):
        sandbox.run(hijacked.hang_up)

    assert not Path(f"/proc/{before}").exists()
