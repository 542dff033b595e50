"""Workers killed with SIGKILL while they hold twenty messages each.

    python -m tests.faults.workers --files 300 --kills 30

Real servers. Every message that a killed worker held is counted as delivered by the
broker; nobody may become a dead letter for having stood nearby.
"""

import argparse
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.demo import wait_until
from infra.samples import images
from tests.faults.flow import files, outcomes, send_all, settle
from tests.faults.outages import Report, Stage, cases_of, judge, quarantined, stage

_PREFETCH = 20
_PATIENCE_S = 300
_SENDERS = 3
_BIG = (4800, 3600)


@dataclass
class Storm(Report):
    """What a storm of kills amounts to.

    Attributes:
        kills: how many; struck: those that hit a worker with messages in hand.
        most_held: the most messages that a worker held when it was killed.
    """

    kills: int = 0
    struck: int = 0
    most_held: int = 0


def run(stage: Stage, folder: Path, count: int, kills: int, seed: int) -> Storm:
    """Send *count* files while workers are killed *kills* times."""
    folder.mkdir(parents=True)
    demo = stage.world.demo
    paths = [*files(folder, count // 3), *_photos(folder, count - count // 3)]
    calm, cases = cases_of(paths), cases_of(paths)
    send_all(demo, calm)
    settle(demo, calm, _PATIENCE_S)
    storm = Storm("workers", attempted=count)
    with ThreadPoolExecutor(_SENDERS) as senders:
        sent = [
            senders.submit(send_all, demo, cases[number::_SENDERS])
            for number in range(_SENDERS)
        ]
        _kill(stage, storm, kills, random.Random(seed))
        for each in sent:
            each.result()
    began = time.monotonic()
    settle(demo, cases, _PATIENCE_S)
    storm.recovery_s = round(time.monotonic() - began, 1)
    wait_until(demo.idle, timeout_s=60, pause_s=0.5)
    wait_until(lambda: not quarantined(stage.world), timeout_s=60, pause_s=0.5)
    judge(storm, stage.world, cases, outcomes(calm))
    return storm


def _photos(folder: Path, count: int) -> list[Path]:
    """Write photos that take a while each: a queue has to be there at every kill."""
    data = images.photo(size=_BIG)
    paths = [folder / f"big-{number:04}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(data)
    return paths


def _kill(stage: Stage, storm: Storm, kills: int, dice: random.Random) -> None:
    """Kill the sanitizer, and now and then the metadata function."""
    for number in range(kills):
        function = "metadata" if number % 10 == 9 else "sanitizer"
        victim = stage.world.processes[function][0]
        wait_until(victim.ready, timeout_s=60)
        held = _held(stage, function, dice.uniform(0, 0.2))
        victim.kill()
        victim.start()
        storm.kills += 1
        storm.struck += held > 0
        storm.most_held = max(storm.most_held, held)


def _held(stage: Stage, function: str, later_s: float) -> int:
    """Wait a little, and until a worker holds something; return how much."""
    broker = stage.world.platform.broker
    held = 0

    def holds() -> bool:
        nonlocal held
        held = broker.depths()[function].unsettled
        return held > 0

    time.sleep(later_s)
    # Not for ever: the last files may be through.
    wait_until(holds, timeout_s=2)
    return held


def main() -> None:
    """Run the storm and print its report as JSON; exit 1 if it is not good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    many = {"PRATIQUE_WORKERS": str(_PREFETCH), "PRATIQUE_LOG_FORMAT": "json"}
    with (
        TemporaryDirectory() as folder,
        stage(Path(folder, "world"), environment=many) as built,
    ):
        storm = run(built, Path(folder, "files"), given.files, given.kills, given.seed)
    print(json.dumps(asdict(storm), indent=1))
    sys.exit(0 if storm.good else 1)


if __name__ == "__main__":
    main()
