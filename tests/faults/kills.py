"""A service killed with SIGKILL again and again while files pass.

    python -m tests.faults.kills --files 200 --kills 20

The same files go through an undisturbed service first; statuses and clean hashes of
every acknowledged file have to be the same.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from infra.client import Client
from infra.demo import DOORS, Case, Demo, any_outcome, wait_until
from infra.platform import Platform
from infra.provision import provision
from infra.settings import PlatformSettings, load
from schemas.doors import clean_asset_id
from schemas.objects import ObjectInfo
from tests.faults.flow import files, outcomes, send, send_all, settle
from tests.processes import Process, free_port

_HURRY = {
    "PRATIQUE_RETRY_DELAYS_S": "[0.1, 0.5, 1, 2]",
    "PRATIQUE_GRACE_S": "1",
    "PRATIQUE_LOG_LEVEL": "warning",
    "JANITOR_EVERY_S": "0.5",
    "JANITOR_MIN_BACKOFF_S": "1",
    "JANITOR_MAX_BACKOFF_S": "5",
}


@dataclass
class Report:
    """What a run amounts to.

    Attributes:
        struck: kills that hit while something was on its way.
        differing: files whose status or clean hash the storm changed.
    """

    attempted: int
    acknowledged: int
    final: int
    lost: int
    differing: list[str]
    kills: int
    struck: int
    orphans: int
    left_in_quarantine: int
    recovery_s: float

    @property
    def good(self) -> bool:
        """Whether nothing was lost, changed or left behind."""
        return not (self.lost or self.differing or self.orphans) and (
            self.acknowledged == self.final == self.attempted
        )


@contextmanager
def service(folder: Path) -> Iterator[tuple[Process, Demo, Platform]]:
    """Run a service in *folder*, with hands to send and to look."""
    folder.mkdir()
    given = {
        "store": f"file:{folder}/objects",
        "broker": f"sqlite:{folder}/broker.db",
        "database": f"sqlite:///{folder}/assets.db",
        "port": str(free_port()),
    }
    environment = {f"PRATIQUE_{name.upper()}": value for name, value in given.items()}
    process = Process((), _HURRY | environment, folder / "log")
    settings = load(PlatformSettings, None, **given)
    with Platform(settings) as platform, Client(platform.public_url) as client:
        provision(platform)
        process.start()
        try:
            yield process, Demo(folder, platform, client), platform
        finally:
            process.kill()


def run(folder: Path, count: int, kills: int, seed: int) -> Report:
    """Send *count* files through a service that is killed *kills* times."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = files(folder, count)
    with service(folder / "calm") as (_, demo, _):
        calm = [any_outcome(p, DOORS[n % 3]) for n, p in enumerate(paths)]
        for case in calm:
            send(demo, case)
        settle(demo, calm, timeout_s=120)
    with service(folder / "stormy") as (process, demo, platform):
        cases = [any_outcome(p, DOORS[n % 3]) for n, p in enumerate(paths)]
        struck = _storm(process, demo, cases, kills, random.Random(seed))
        started = time.monotonic()
        settle(demo, cases, timeout_s=120)
        recovery_s = time.monotonic() - started
        wait_until(demo.idle, timeout_s=60)
        # A kill between record and delete leaves a version to the janitor's next pass.
        wait_until(lambda: not _quarantined(platform), timeout_s=30, pause_s=0.2)
        report = _report(platform, cases, outcomes(calm), kills, recovery_s)
        return replace(report, struck=struck)


def _storm(
    process: Process, demo: Demo, cases: list[Case], kills: int, dice: random.Random
) -> int:
    """Kill the service once in every batch of files; return how often it was busy."""
    struck = 0
    for number in range(kills):
        batch = cases[number::kills]
        assert wait_until(process.ready, timeout_s=60)
        sender = Thread(target=send_all, args=(demo, batch))
        sender.start()
        time.sleep(dice.uniform(0.0, 0.4))
        struck += sender.is_alive() or not demo.idle()
        process.kill()
        process.start()
        sender.join()
    return struck


def _report(
    platform: Platform,
    cases: list[Case],
    expected: dict[str, tuple[str, str | None]],
    kills: int,
    recovery_s: float,
) -> Report:
    found = outcomes(cases)
    bucket = platform.settings.clean_bucket
    clean = {info.ref.key for info in platform.store.list(bucket)}
    recorded = {case.asset.path for case in cases if case.asset}
    # A client that was cut off sent its file twice: the first one counts too.
    extra = {key for key in clean - recorded if not _recorded(platform, key)}
    acknowledged = [case for case in cases if "asset_id" in case.answer]
    return Report(
        attempted=len(cases),
        acknowledged=len(acknowledged),
        final=sum(case.settled for case in cases),
        lost=sum(not case.settled for case in acknowledged),
        differing=[n for n in found if found[n] != expected[n]],
        kills=kills,
        struck=0,
        orphans=len(extra),
        left_in_quarantine=len(_quarantined(platform)),
        recovery_s=round(recovery_s, 1),
    )


def _quarantined(platform: Platform) -> list[ObjectInfo]:
    return list(platform.store.list(platform.settings.quarantine_bucket))


def _recorded(platform: Platform, key: str) -> bool:
    asset_id = clean_asset_id(key)
    return asset_id is not None and platform.records.get(asset_id).path == key


def main() -> None:
    """Run the storm and print its report as JSON; exit 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        report = run(Path(folder), given.files, given.kills, given.seed)
    print(json.dumps(asdict(report), indent=1))
    sys.exit(0 if report.good else 1)


if __name__ == "__main__":
    main()
