"""A service killed with SIGKILL again and again while files pass.

    python -m tests.faults.kills --files 200 --kills 20

The same files go through an undisturbed service first; statuses and clean hashes of
every acknowledged file have to be the same.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import httpx

from infra.client import Client
from infra.demo import DOORS, Case, Demo, any_outcome, wait_until
from infra.listening import listen
from infra.platform import Platform
from infra.provision import provision
from infra.samples import audio, images
from infra.settings import PlatformSettings, load
from schemas.doors import clean_asset_id
from schemas.errors import Unavailable
from schemas.objects import ObjectInfo

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


def files(folder: Path, count: int) -> list[Path]:
    """Write *count* files of several kinds, all different."""
    makers: list[tuple[str, Callable[[int], bytes]]] = [
        ("jpg", lambda n: images.photo(orientation=1 + n % 8)),
        ("gif", lambda n: images.animated_gif()),
        ("wav", lambda n: audio.wav(seconds=0.1 + n / 1000)),
        ("mp3", lambda n: audio.mp3()),
        ("txt", lambda n: b"note %d" % n),
        ("half.jpg", lambda n: images.halved(images.photo())),
        ("cut.wav", lambda n: audio.truncated(audio.wav(seconds=0.5))),
    ]
    paths = []
    for number in range(count):
        suffix, make = makers[number % len(makers)]
        path = folder / f"{number:04}.{suffix}"
        path.write_bytes(make(number))
        paths.append(path)
    return paths


class Service:
    """`pratique run` as a process that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with listen("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        self.environment = {
            **os.environ,
            **_HURRY,
            "PRATIQUE_STORE": f"file:{folder}/objects",
            "PRATIQUE_BROKER": f"sqlite:{folder}/broker.db",
            "PRATIQUE_DATABASE": f"sqlite:///{folder}/assets.db",
            "PRATIQUE_PORT": str(port),
        }
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it serves some moments later."""
        command = [sys.executable, "-m", "infra", "run"]
        self._process = subprocess.Popen(
            command, env=self.environment, stderr=subprocess.DEVNULL
        )

    def ready(self) -> bool:
        """Whether it takes requests."""
        try:
            return httpx.get(f"{self.url}/readyz").is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """Kill it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(20)

    def platform(self) -> Platform:
        """Return a platform on the same store, broker and database."""
        given: dict[str, Any] = {
            name: self.environment[f"PRATIQUE_{name.upper()}"]
            for name in ("store", "broker", "database", "port")
        }
        return Platform(load(PlatformSettings, **given))


@contextmanager
def service(folder: Path) -> Iterator[tuple[Service, Demo]]:
    """Run a service in *folder*, with hands to send and to look."""
    folder.mkdir()
    process = Service(folder)
    with process.platform() as platform, Client(process.url) as client:
        provision(platform)
        process.start()
        try:
            yield process, Demo(folder, platform, client)
        finally:
            process.kill()


def send(demo: Demo, case: Case) -> None:
    """Send a file until it is acknowledged, as a patient client would."""

    def acknowledged() -> bool:
        try:
            demo.send(case)
        except Unavailable:
            return False
        return case.answer.get("status") == "processing" or case.door == "drop"

    assert wait_until(acknowledged, timeout_s=60, pause_s=0.1), case.answer


def send_all(demo: Demo, cases: list[Case]) -> None:
    """Send one file after the other."""
    for case in cases:
        send(demo, case)


def settle(demo: Demo, cases: list[Case], timeout_s: float) -> None:
    """Wait until every file is final, or the time is up."""

    def settled() -> bool:
        for case in cases:
            demo.look(case)
        return all(case.settled for case in cases)

    wait_until(settled, timeout_s=timeout_s, pause_s=0.2)


def outcomes(cases: list[Case]) -> dict[str, tuple[str, str | None]]:
    """Return status and clean hash of every file."""
    return {
        case.path.name: (case.status, case.asset.sha256 if case.asset else None)
        for case in cases
    }


def run(folder: Path, count: int, kills: int, seed: int) -> Report:
    """Send *count* files through a service that is killed *kills* times."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = files(folder, count)
    with service(folder / "calm") as (_, demo):
        calm = [any_outcome(p, DOORS[n % 3]) for n, p in enumerate(paths)]
        for case in calm:
            send(demo, case)
        settle(demo, calm, timeout_s=120)
    with service(folder / "stormy") as (process, demo):
        cases = [any_outcome(p, DOORS[n % 3]) for n, p in enumerate(paths)]
        struck = _storm(process, demo, cases, kills, random.Random(seed))
        started = time.monotonic()
        settle(demo, cases, timeout_s=120)
        recovery_s = time.monotonic() - started
        wait_until(demo.idle, timeout_s=60)
        # A kill between record and delete leaves a version to the janitor's next pass.
        with process.platform() as platform:
            wait_until(lambda: not _quarantined(platform), timeout_s=30, pause_s=0.2)
        report = _report(process, cases, outcomes(calm), kills, recovery_s)
        return replace(report, struck=struck)


def _storm(
    process: Service, demo: Demo, cases: list[Case], kills: int, dice: random.Random
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
    process: Service,
    cases: list[Case],
    expected: dict[str, tuple[str, str | None]],
    kills: int,
    recovery_s: float,
) -> Report:
    found = outcomes(cases)
    with process.platform() as platform:
        settings = platform.settings
        clean = {info.ref.key for info in platform.store.list(settings.clean_bucket)}
        recorded = {case.asset.path for case in cases if case.asset}
        # A client that was cut off sent its file twice: the first one counts too.
        extra = {key for key in clean - recorded if not _recorded(platform, key)}
        left = _quarantined(platform)
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
        left_in_quarantine=len(left),
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
