"""Servers that vanish while files pass, and come back.

    python -m tests.faults.outages [notifications|broker|database|store …] --files 50

Real servers, each function a process with rights of its own. The same files go
through before, undisturbed; afterwards statuses and clean hashes have to be the same.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import httpx

from infra.brokers.management import Management, path
from infra.brokers.topology import EVENTS
from infra.demo import DOORS, Case, any_outcome, wait_until
from infra.notifications import routing_key
from infra.provision import provision
from infra.samples import images
from infra.servers import minio, postgresql_server, rabbitmq
from infra.servers.server import Server
from tests.faults.flow import files, outcomes, send_all, settle
from tests.worlds import Servers, World, world

_PATIENCE_S = 240
_AWAY_S = 20.0
_SCENARIOS = ["notifications", "broker", "database", "store"]


@dataclass
class Stage:
    """A world, and its servers by what may happen to them."""

    world: World
    broker: Server
    database: Server
    store: Server


@dataclass
class Report:
    """What a run amounts to.

    Attributes:
        differing: files whose status or clean hash the outage changed.
        answers: what a client was told meanwhile: status and Retry-After.
        retries: attempts that were burnt; dead: dead letters.
        recovery_s: from the end of the outage, or the last upload, to the last file.
    """

    scenario: str
    attempted: int
    acknowledged: int = 0
    final: int = 0
    lost: int = 0
    differing: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    not_ready: list[str] = field(default_factory=list)
    retries: int = 0
    dead: int = 0
    left_in_quarantine: int = 0
    recovery_s: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing was lost, changed, burnt or left behind."""
        left = self.lost or self.differing or self.dead or self.retries
        whole = self.acknowledged == self.final == self.attempted
        return whole and not (left or self.left_in_quarantine)


@contextmanager
def stage(folder: Path, **given: Any) -> Iterator[Stage]:
    """Start private servers and the platform on them.

    Args:
        given: see `world`.
    """
    with ExitStack() as opened:
        rabbit = opened.enter_context(rabbitmq())
        vhost = opened.enter_context(rabbit.vhost())
        store = opened.enter_context(minio(vhost.amqp_url))
        database = opened.enter_context(postgresql_server())
        database.ready()
        servers = Servers(store.url, vhost.amqp_url, vhost.management_url, database.url)
        options = {"environment": {"PRATIQUE_LOG_FORMAT": "json"}, **given}
        built = opened.enter_context(world(servers, folder, **options))
        yield Stage(built, rabbit, database, store)


def run(
    stage: Stage, folder: Path, scenario: str, count: int, away_s: float = _AWAY_S
) -> Report:
    """Send *count* files calmly, then again through *scenario*.

    Args:
        away_s: how long a server is away.
    """
    folder.mkdir(parents=True)
    paths = files(folder, count)
    calm, cases = cases_of(paths), cases_of(paths)
    report = Report(scenario, attempted=count)
    send_all(stage.world.demo, calm)
    settle(stage.world.demo, calm, _PATIENCE_S)
    burnt = _logged(stage.world, "retry")
    if scenario == "notifications":
        began = _without_notifications(stage, cases, report)
    else:
        began = _without(getattr(stage, scenario), stage, cases, report, away_s)
    settle(stage.world.demo, cases, _PATIENCE_S)
    report.recovery_s = round(time.monotonic() - began, 1)
    wait_until(stage.world.demo.idle, timeout_s=60, pause_s=0.5)
    wait_until(lambda: not quarantined(stage.world), timeout_s=60, pause_s=0.5)
    judge(report, stage.world, cases, outcomes(calm))
    report.retries = _logged(stage.world, "retry") - burnt
    return report


def cases_of(paths: list[Path]) -> list[Case]:
    """Return a case of each file, through the doors in turn."""
    return [any_outcome(path, DOORS[n % 3]) for n, path in enumerate(paths)]


def judge(
    report: Report,
    world: World,
    cases: list[Case],
    expected: dict[str, tuple[str, str | None]],
) -> None:
    """Count what became of *cases*; *expected* is their undisturbed end."""
    acknowledged = [case for case in cases if "asset_id" in case.answer]
    found = outcomes(cases)
    depths = world.platform.broker.depths()
    report.acknowledged = len(acknowledged)
    report.final = sum(case.settled for case in cases)
    report.lost = sum(not case.settled for case in acknowledged)
    report.differing = [name for name in found if found[name] != expected[name]]
    report.dead = sum(d.ready for name, d in depths.items() if name.endswith(".dead"))
    report.left_in_quarantine = len(quarantined(world))


def quarantined(world: World) -> list[Any]:
    """Return what is left in quarantine."""
    return list(world.platform.store.list(world.platform.settings.quarantine_bucket))


def _logged(world: World, event: str) -> int:
    """Return how often the processes have logged *event*."""
    return sum(each.log().count(f'"event": "{event}"') for each in world.everyone)


def _without_notifications(stage: Stage, cases: list[Case], report: Report) -> float:
    """Take every function's binding away: nothing is announced any more."""
    platform = stage.world.platform
    vhost = stage.world.servers.broker.rpartition("/")[2]
    with closing(Management(stage.world.servers.management)) as api:
        for function in platform.event_functions:
            key = routing_key(function.listens)
            api.delete(path("bindings", vhost, "e", EVENTS, "q", function.name, key))
    send_all(stage.world.demo, cases)
    began = time.monotonic()
    settle(stage.world.demo, cases, _PATIENCE_S)
    report.recovery_s = time.monotonic() - began
    provision(platform)
    return began


def _without(
    server: Server, stage: Stage, cases: list[Case], report: Report, away_s: float
) -> float:
    """Kill a server when a third is sent; bring it back after a while."""
    demo, third = stage.world.demo, len(cases) // 3
    send_all(demo, cases[:third])
    server.kill()
    sender = Thread(target=send_all, args=(demo, cases[third:]))
    sender.start()
    time.sleep(away_s / 2)
    report.answers.append(_ask(stage.world))
    report.not_ready = sorted(
        {each.functions[0] for each in stage.world.everyone if not each.ready()}
    )
    time.sleep(away_s / 2)
    server.start()
    began = time.monotonic()
    sender.join()
    return began


def _ask(world: World) -> str:
    """Upload something; return status and Retry-After of the answer."""
    answer = httpx.post(
        f"{world.platform.public_url}/assets",
        data={"project_id": "probe", "user_consent": "true"},
        files={"file": ("probe.jpg", images.jpeg(images.gradient()))},
        timeout=60,
    )
    return f"{answer.status_code} Retry-After: {answer.headers.get('retry-after')}"


def main() -> None:
    """Run scenarios and print a report of each as JSON; exit 1 if one is not good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=_SCENARIOS)
    parser.add_argument("--files", type=int, default=50)
    given = parser.parse_args()
    good = True
    with TemporaryDirectory() as folder, stage(Path(folder, "world")) as built:
        for scenario in given.scenarios:
            report = run(built, Path(folder, scenario), scenario, given.files)
            print(json.dumps(asdict(report), indent=1), flush=True)
            good = good and report.good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
