"""The embedded store under kill -9 and among other processes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.objects import ObjectRef
from tests.contracts.stores import PLAIN, VERSIONED, FileRig, content, put
from tests.infra.stores import killing


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all that kills and races, once, and return the folder of it."""
    folder = tmp_path_factory.mktemp("killing")
    subprocess.run([sys.executable, "-m", killing.__name__, folder], check=True)
    return folder


def reports(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "reports").read_text().splitlines()]


def whole(data: bytes) -> bool:
    return hashlib.sha256(data[32:]).digest() == data[:32]


def number_in(data: bytes) -> int:
    return int.from_bytes(data[32:40], "big")


def drafts(folder: Path) -> list[Path]:
    return list((folder / ".drafts").iterdir())


def test_kills_at_random_moments_lose_nothing_acknowledged(scenes: Path) -> None:
    rig = FileRig(f"file:{scenes}/random")

    acknowledged = reports(scenes / "random")

    infos = [i for bucket in (PLAIN, VERSIONED) for i in rig.store.list(bucket)]
    versions = {
        info.ref: number_in(content(rig.store, info.ref))
        for info in infos
        if info.ref.version
    }
    assert len(acknowledged) >= 12
    assert all(whole(content(rig.store, info.ref)) for info in infos)
    for bucket, key, version, number in acknowledged:
        if version is None:  # a later put may have replaced it, an earlier one not
            assert number_in(content(rig.store, ObjectRef(bucket, key))) >= number
        else:
            assert versions[ObjectRef(bucket, key, version)] == number


def test_a_put_killed_before_any_of_its_steps_leaves_old_or_new_and_no_litter(
    scenes: Path,
) -> None:
    littered = drafts(scenes / "steps")
    put(FileRig(f"file:{scenes}/steps").store, ObjectRef(PLAIN, "sweeper"))

    steps = reports(scenes / "steps")

    outcomes = {tuple(ended) for *ended, finished in steps if not finished}
    assert outcomes == {
        ("put", PLAIN, "old"),
        ("put", PLAIN, "new"),
        ("put", VERSIONED, "old"),
        ("put", VERSIONED, "new"),
        ("put_once", PLAIN, "nothing"),
        ("put_once", PLAIN, "new"),
    }
    assert (littered != [], drafts(scenes / "steps")) == (True, [])


def test_of_several_processes_one_wins_each_key(scenes: Path) -> None:
    rig = FileRig(f"file:{scenes}/race")

    won = reports(scenes / "race")

    stored = [
        [info.ref.bucket, info.ref.key, int(content(rig.store, info.ref))]
        for bucket in (PLAIN, VERSIONED)
        for info in rig.store.list(bucket)
    ]
    assert (len(won), sorted(won)) == (200, stored)
    assert len({pid for *_, pid in won}) > 1
