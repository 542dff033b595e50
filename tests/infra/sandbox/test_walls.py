"""What a core can't reach, also when it was taken over."""

import signal
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from infra.jail.probe import probe
from infra.jail.wire import Kind
from schemas.errors import SandboxFailure
from schemas.ports import Sandbox
from tests.infra.sandbox import cores, hijacked
from tests.infra.sandbox.jails import Ranges, opened


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
