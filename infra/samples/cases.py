"""The demo's files: what is sent through which door, and how it has to end."""

from pathlib import Path

from infra.demo import DOORS, Case
from infra.samples import audio, images
from schemas.assets import Door
from schemas.lifecycle import Status


def demo_cases(folder: Path) -> list[Case]:
    """Write the samples into *folder* and return their cases."""
    folder.mkdir(parents=True, exist_ok=True)

    def case(
        name: str, data: bytes, door: Door, expected: str, *, consent: bool = True
    ) -> Case:
        path = folder / name
        path.write_bytes(data)
        return Case(path, door, frozenset({str(expected)}), consent)

    photo, mp3 = images.photo(), audio.mp3()
    through_each = [case("photo.jpg", photo, d, Status.PROCESSED) for d in DOORS]
    return [
        *through_each,
        case("moving.gif", images.animated_gif(), "presigned", Status.PROCESSED),
        case("song.mp3", mp3, "form", Status.PROCESSED),
        case("voice.wav", audio.wav(), "drop", Status.PROCESSED),
        case("notes.txt", b"Nothing to hide here.\n", "drop", Status.PROCESSED),
        case("cut.wav", audio.truncated(audio.wav()), "form", Status.ERROR_PROCESSING),
        case("half.jpg", images.halved(photo), "presigned", Status.REJECTED),
        case("no-consent.jpg", photo, "form", "refused", consent=False),
        case("silent-drop.jpg", photo, "drop", Status.AWAITING_CONSENT, consent=False),
    ]
