"""Files on their way through a platform that is not left in peace."""

from collections.abc import Callable
from pathlib import Path

from infra.demo import Case, Demo, wait_until
from infra.samples import audio, images
from schemas.errors import Unavailable


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
    wait_until(lambda: settled(demo, cases), timeout_s=timeout_s, pause_s=0.2)
    for case in cases:
        demo.look(case)


def settled(demo: Demo, cases: list[Case]) -> bool:
    """Look whether every file is final.

    The last to be sent first: until it is, nobody has to read all the others.
    """
    for case in reversed(cases):
        demo.look(case)
        if not case.settled:
            return False
    return True


def outcomes(cases: list[Case]) -> dict[str, tuple[str, str | None]]:
    """Return status and clean hash of every file."""
    return {
        case.path.name: (case.status, case.asset.sha256 if case.asset else None)
        for case in cases
    }
