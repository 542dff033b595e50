"""Adapters meet ports; functions are found by name."""

from pathlib import Path

import pytest

import functions
from infra.platform import discover
from infra.runtime import settle
from schemas.errors import SettingsError
from schemas.events import ObjectCreated, dump
from schemas.objects import ObjectRef
from schemas.ports import Message
from tests.platforms import dropped, embedded

_FUNCTION = '''
"""A function that somebody added: one folder, nothing else."""

from schemas.functions import EventFunction, FunctionSettings, Outcome

seen = []


def handle(event, ctx):
    seen.append(ctx.store.head(event.ref).size_bytes)
    return Outcome.DONE


function = EventFunction(
    name="echo",
    listens="quarantine",
    fills="promotion",
    settings=FunctionSettings,
    handle=handle,
)
'''


def test_a_function_is_added_by_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "more" / "echo"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "function.py").write_text(_FUNCTION)
    monkeypatch.setattr(
        functions, "__path__", [*functions.__path__, str(tmp_path / "more")]
    )

    with embedded(tmp_path) as platform:
        dropped(platform, b"five!")
        function = next(f for f in platform.event_functions if f.name == "echo")
        with platform.broker.subscribe("echo", prefetch=1) as subscription:
            delivery = subscription.receive(platform.settings.retry_delays[0])
            assert delivery is not None
            settle(delivery, function, platform.context(function), ())

    from functions.echo.function import (  # type: ignore[import-not-found]  # noqa: PLC0415  # made above
        seen,
    )

    assert seen == [5]


def test_the_four_functions_are_found() -> None:
    assert set(discover()) == {"janitor", "metadata", "sanitizer", "upload"}


def test_an_unknown_function_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with (
        embedded(tmp_path) as platform,
        pytest.raises(SettingsError, match="janitor, metadata, sanitizer, upload"),
    ):
        platform.select(("scanner",))


def test_a_created_object_is_announced_to_the_function_of_its_bucket(
    tmp_path: Path,
) -> None:
    with embedded(tmp_path) as platform:
        dropped(platform, b"text")

        depths = platform.broker.depths()

    assert (depths["sanitizer"].ready, depths["metadata"].ready) == (1, 0)


def test_a_sent_event_goes_to_one_queue_and_not_into_the_journal(
    tmp_path: Path,
) -> None:
    event = ObjectCreated(ObjectRef("clean", "p1/x/a.png"))
    with embedded(tmp_path) as platform:
        platform.send("metadata", event)

        depths = platform.broker.depths()
        journal = list(platform.broker.history())

    assert (depths["sanitizer"].ready, depths["metadata"].ready) == (0, 1)
    assert journal == []


def test_what_is_published_is_in_the_journal(tmp_path: Path) -> None:
    event = ObjectCreated(ObjectRef("quarantine", "drops/p1/a.png", "v1"))
    with embedded(tmp_path) as platform:
        platform.broker.publish("object.created.quarantine", Message(dump(event)))

        journal = list(platform.broker.history())

    assert [message.key for message in journal] == ["object.created.quarantine"]
