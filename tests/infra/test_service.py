"""A service: parts that start together, end together, and are missed when gone."""

import signal
from pathlib import Path

import pytest

from infra.http import Server
from infra.platform import Platform
from infra.service import serving, until_signalled
from infra.settings import PlatformSettings, load
from schemas.errors import QueueNotFound
from tests.platforms import embedded


def test_a_function_without_its_queue_is_refused_by_that_name(tmp_path: Path) -> None:
    settings = load(
        PlatformSettings,
        store=f"file:{tmp_path}/objects",
        broker=f"sqlite:{tmp_path}/broker.db",
        database=f"sqlite:///{tmp_path}/assets.db",
    )

    with (
        Platform(settings) as platform,
        pytest.raises(QueueNotFound, match="sanitizer"),
        serving(platform, ("sanitizer",)),
    ):
        pass


def test_a_second_sigterm_does_not_cut_short_what_the_first_began() -> None:
    with until_signalled() as stopped:
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)

        assert stopped.is_set()


def test_a_second_ctrl_c_ends_at_once() -> None:
    with until_signalled():
        signal.raise_signal(signal.SIGINT)

        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGINT)


def test_a_part_that_ended_by_itself_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "_serve", lambda server: None)

    with embedded(tmp_path) as platform, serving(platform) as service:
        names = service.ended()

    assert names == ["upload"]
