"""A service: parts that start together, end together, and are missed when gone."""

from pathlib import Path

import pytest

from infra.http import Server
from infra.platform import Platform
from infra.service import serving
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


def test_a_part_that_ended_by_itself_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "_serve", lambda server: None)

    with embedded(tmp_path) as platform, serving(platform) as ended:
        names = ended()

    assert names == ["upload"]
