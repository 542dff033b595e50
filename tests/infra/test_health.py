"""The health endpoint: what a process tells of itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from infra.demo import wait_until
from infra.health import answering
from infra.http import Server
from infra.jail.probe import probe
from infra.platform import Platform
from infra.service import serving
from schemas.errors import SettingsError, Unavailable
from tests.platforms import embedded

NOWHERE = "127.0.0.1:0"


def asked(
    platform: Platform,
    path: str,
    until: Callable[[httpx.Response], bool] = lambda answer: True,
    *,
    functions: tuple[str, ...] = ("sanitizer",),
) -> httpx.Response:
    """Return the answer of a process that runs *functions*, once it is as wanted."""
    with serving(platform, functions) as service, answering(service, NOWHERE) as url:
        answers = []

        def as_wanted() -> bool:
            answers.append(httpx.get(f"{url}{path}"))
            return until(answers[-1])

        assert wait_until(as_wanted, timeout_s=10)
        return answers[-1]


def test_a_process_whose_servers_answer_is_alive_and_ready(tmp_path: Path) -> None:
    with embedded(tmp_path) as platform:
        alive = asked(platform, "/livez")
        ready = asked(platform, "/readyz")

    assert (alive.status_code, alive.json()) == (200, {"alive": True, "ended": []})
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "troubles": {}})


def test_metrics_say_what_confines_the_cores(tmp_path: Path) -> None:
    with embedded(tmp_path) as platform:
        platform.sandbox.run(probe)
        answer = asked(platform, "/metrics")

    protections = platform.sandbox.protections()
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert protections["rlimits"]
    assert lines == [
        f'pratique_sandbox_protection{{protection="{name}"}} {float(active)}'
        for name, active in protections.items()
    ]


def test_a_function_that_ended_by_itself_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve, calls = Server._serve, []

    def ends_at_once(server: Server) -> None:
        calls.append(server)
        if len(calls) > 1:  # the first is the function's, the second the endpoint's
            serve(server)

    monkeypatch.setattr(Server, "_serve", ends_at_once)
    with embedded(tmp_path) as platform:
        answer = asked(platform, "/livez", functions=("upload",))

    assert (answer.status_code, answer.json()["ended"]) == (503, ["upload"])


def test_without_its_store_a_process_is_alive_but_not_ready(tmp_path: Path) -> None:
    with embedded(tmp_path) as platform:
        shutil.rmtree(tmp_path / "objects")
        alive = asked(platform, "/livez")
        ready = asked(platform, "/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "platform" in ready.json()["troubles"]


def test_a_function_that_can_not_consume_is_not_ready_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded(tmp_path) as platform:
        subscribe = platform.broker.subscribe
        refusals: list[str] = []

        def refuse_thrice(queue: str, *, prefetch: int) -> object:
            if len(refusals) < 3:
                refusals.append(queue)
                raise Unavailable("the broker does not answer")
            return subscribe(queue, prefetch=prefetch)

        monkeypatch.setattr(platform.broker, "subscribe", refuse_thrice)
        with (
            serving(platform, ("sanitizer",)) as service,
            answering(service, NOWHERE) as url,
        ):
            before = service.troubles()
            ready = wait_until(
                lambda: httpx.get(f"{url}/readyz").is_success, timeout_s=10
            )

    assert before == {"sanitizer": "queue sanitizer is not read"}
    assert ready


def test_an_address_that_is_taken_is_refused_by_the_setting_s_name(
    tmp_path: Path,
) -> None:
    with (
        embedded(tmp_path) as platform,
        serving(platform, ("janitor",)) as service,
        answering(service, NOWHERE) as url,
        pytest.raises(SettingsError, match="PRATIQUE_HEALTH"),
        answering(service, url.removeprefix("http://")),
    ):
        pass
