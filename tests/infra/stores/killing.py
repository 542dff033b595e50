"""Writers that get killed. A program of its own, because it forks.

python -m tests.infra.stores.killing FOLDER

kills a writer at random moments in FOLDER/random, kills a put before each of its system
calls in FOLDER/steps, and lets processes race for keys in FOLDER/race. What was seen
is appended to `reports` there, one JSON array a line.
"""

import hashlib
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

from schemas.errors import ObjectExists, ObjectNotFound
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, VERSIONED, FileRig, put

CALLS = ("open", "write", "fsync", "link", "replace", "unlink", "close")
OLD, NEW = b"old" * 1000, b"new" * 1000


def sealed(number: int, size: int) -> bytes:
    """Return bytes that begin with their own hash, then *number*."""
    body = number.to_bytes(8, "big") + bytes(size)
    return hashlib.sha256(body).digest() + body


def put_once(store: ObjectStore, ref: ObjectRef, data: bytes) -> ObjectInfo:
    """Put *data* unless the key is taken."""
    return store.put_once(
        ref,
        BytesIO(data),
        size_bytes=len(data),
        media_type="image/png",
        metadata={},
    )


def write_on(store: ObjectStore, writing: int, first: int) -> None:
    """Put objects of every size for ever, and tell of each that was acknowledged."""
    for number in count(first):
        bucket = random.choice([PLAIN, VERSIONED])
        data = sealed(number, random.choice([0, 1000, 500_000]))
        info = put(store, ObjectRef(bucket, f"k{number % 7}"), data)
        report(writing, bucket, info.ref.key, info.ref.version, number)


def kill_at_random(store: ObjectStore, reports: int) -> None:
    """Kill a writer after some acknowledgements, twelve times."""
    for number in range(12):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            write_on(store, writing, number * 1_000_000)
        os.close(writing)
        with os.fdopen(reading) as acknowledged:
            lines = [acknowledged.readline() for _ in range(random.randint(1, 30))]
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            lines += acknowledged.readlines()
        os.write(reports, "".join(lines).encode())


def kill_before(step: int) -> None:
    """Let this process die by SIGKILL before its *step*th system call."""
    left = [step]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def kill_at_each_step(store: ObjectStore, reports: int) -> None:
    """Kill every kind of put before each of its calls; report what is there then."""
    for act, bucket in ((put, PLAIN), (put, VERSIONED), (put_once, PLAIN)):
        for step in count(1):
            key = f"{act.__name__}-{step}"
            if act is put:
                put(store, ObjectRef(bucket, key), OLD)
            pid = os.fork()
            if pid == 0:
                kill_before(step)
                act(store, ObjectRef(bucket, key), NEW)
                os._exit(0)
            finished = os.waitpid(pid, 0)[1] == 0
            outcome = seen(store, ObjectRef(bucket, key))
            report(reports, act.__name__, bucket, outcome, finished)
            if finished:
                break


def seen(store: ObjectStore, ref: ObjectRef) -> str:
    """Return what is stored under *ref*, in a word."""
    try:
        with store.open(ref) as stream:
            return {OLD: "old", NEW: "new"}.get(stream.read(), "torn")
    except ObjectNotFound:
        return "nothing"


def race(store: ObjectStore, reports: int) -> None:
    """Let four processes put the same keys once; each reports which ones it won."""
    waiting, starting = os.pipe()
    for _ in range(4):
        if os.fork() == 0:
            os.close(starting)
            os.read(waiting, 1)  # returns to all of them at once, when it is closed
            take(store, reports)
            os._exit(0)
    os.close(starting)
    for _ in range(4):
        os.wait()


def take(store: ObjectStore, reports: int) -> None:
    """Put every key once, and report which ones were won."""
    for number in range(200):
        bucket = (PLAIN, VERSIONED)[number % 2]
        try:
            put_once(store, ObjectRef(bucket, f"k{number}"), b"%d" % os.getpid())
        except ObjectExists:
            continue
        report(reports, bucket, f"k{number}", os.getpid())


def report(fd: int, *what: object) -> None:
    """Append one line, in one call, or those of several processes could mix."""
    os.write(fd, json.dumps(what).encode() + b"\n")


def main() -> None:
    """Run all three."""
    for scene, folder in (
        (kill_at_random, "random"),
        (kill_at_each_step, "steps"),
        (race, "race"),
    ):
        path = Path(sys.argv[1], folder)
        rig = FileRig(f"file:{path}")
        fd = os.open(path / "reports", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        scene(rig.store, fd)
        os.close(fd)


if __name__ == "__main__":
    main()
