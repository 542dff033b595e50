"""Ten thousand small files through two workers of each function, on real servers.

    python -m tests.bench.many --files 10000

Says how fast they pass, and whether anything grows: memory and descriptors of every
process, connections and channels of the broker.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.brokers.management import Management, path
from infra.client import Client
from infra.demo import DOORS, Demo, any_outcome, wait_until
from infra.samples import images
from schemas.lifecycle import FINAL, Status
from tests.faults.flow import send
from tests.faults.outages import Stage, quarantined, stage
from tests.worlds import World

_SENDERS = 4
_PATIENCE_S = 3_600
_TWO = {"sanitizer": 2, "metadata": 2, "janitor": 2}


@dataclass
class Reading:
    """What there is at one moment, by process where it says so."""

    at_s: float
    done: int
    resident_mb: dict[str, float]
    descriptors: dict[str, int]
    connections: int
    channels: int


@dataclass
class Report:
    """What the run amounts to."""

    files: int
    seconds: float
    per_second: float
    statuses: dict[str, int]
    ready: int
    left_in_quarantine: int
    readings: list[Reading] = field(default_factory=list)


def run(stage: Stage, folder: Path, count: int, readings: int) -> Report:
    """Send *count* files and look *readings* times while they pass."""
    folder.mkdir(parents=True)
    began = time.monotonic()
    taken: list[Reading] = []
    with ThreadPoolExecutor(_SENDERS) as senders:
        sent = [
            senders.submit(_send, stage.world, folder, number, count)
            for number in range(_SENDERS)
        ]
        for share in range(1, readings + 1):
            _wait_for(stage.world, count * share // readings)
            taken.append(_read(stage.world, time.monotonic() - began))
        for each in sent:
            each.result()
    seconds = time.monotonic() - began
    world = stage.world
    wait_until(world.demo.idle, timeout_s=60, pause_s=0.5)
    wait_until(lambda: not quarantined(world), timeout_s=60, pause_s=0.5)
    depths = world.platform.broker.depths().values()
    return Report(
        files=count,
        seconds=round(seconds, 1),
        per_second=round(count / seconds, 1),
        statuses={str(k): v for k, v in world.platform.records.counts().items()},
        ready=sum(depth.ready + depth.delayed + depth.unsettled for depth in depths),
        left_in_quarantine=len(quarantined(world)),
        readings=taken,
    )


def _send(world: World, folder: Path, sender: int, count: int) -> None:
    """Send every fourth file, through the doors in turn."""
    with Client(world.platform.public_url) as client:
        demo = Demo(folder, world.platform, client)
        for number in range(sender, count, _SENDERS):
            file = folder / f"{number:05}.{'jpg' if number % 10 == 0 else 'txt'}"
            file.write_bytes(_content(number))
            send(demo, any_outcome(file, DOORS[number % 3]))
            file.unlink()


def _content(number: int) -> bytes:
    if number % 10 == 0:
        return images.photo(orientation=1 + number // 10 % 8)
    return b"note %d" % number


def _wait_for(world: World, count: int) -> None:
    wait_until(lambda: _done(world) >= count, timeout_s=_PATIENCE_S, pause_s=1)


def _done(world: World) -> int:
    counts = world.platform.records.counts()
    return sum(counts.get(Status(status), 0) for status in FINAL)


def _read(world: World, at_s: float) -> Reading:
    vhost = world.servers.broker.rpartition("/")[2]
    named = {
        f"{each.functions[0]}-{number}": each.pid
        for group in world.processes.values()
        for number, each in enumerate(group)
    }
    with closing(Management(world.servers.management)) as api:
        connections = api.get(path("vhosts", vhost, "connections"))
        channels = api.get(path("vhosts", vhost, "channels"))
    return Reading(
        at_s=round(at_s, 1),
        done=_done(world),
        resident_mb={name: _resident_mb(pid) for name, pid in named.items()},
        descriptors={name: _descriptors(pid) for name, pid in named.items()},
        connections=len(connections),
        channels=len(channels),
    )


def _resident_mb(pid: int) -> float:
    """Return what a process and its children keep in memory."""
    return round(sum(map(_own_mb, [pid, *_children(pid)])), 1)


def _own_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from _children(int(child))


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def main() -> None:
    """Run it and print the report as JSON; exit 1 if a file is not through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--readings", type=int, default=5)
    given = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        stage(Path(folder, "world"), counts=_TWO) as built,
    ):
        report = run(built, Path(folder, "files"), given.files, given.readings)
    print(json.dumps(asdict(report), indent=1))
    through = report.statuses.get(Status.PROCESSED, 0) == given.files
    sys.exit(0 if through and not report.ready else 1)


if __name__ == "__main__":
    main()
