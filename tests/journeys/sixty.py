"""Sixty files: twenty kinds through three doors, and how each has to end.

What a sample carries is known, as infra/samples puts it in; so the table says what
has to be found, removed and described, whichever servers stand behind the platform.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from infra.demo import DOORS, Case, Demo, any_outcome, wait_until
from infra.samples import audio, heif, images, tiff, video

_PATIENCE_S = 180
_COMMON = "camera_serial comment exif gps_position maker_note text thumbnail timestamp"
_STILL = f"{_COMMON} application_data colour_profile xmp trailing_data"
_PHOTO = f"{_STILL} content_credentials embedded_video gain_map iptc second_image"
_HEIC = (
    "application_data camera_serial colour_profile embedded_video exif gps_position "
    "maker_note padding text thumbnail timestamp xmp"
)
_PNG = f"{_STILL} content_credentials hidden_colours"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>'


@dataclass(frozen=True)
class Kind:
    """One kind of file, and the fields of its record that are told beforehand."""

    name: str
    data: bytes
    media_type: str
    removed: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    status: str = "processed"
    promotion: str = "clean"
    reason: str | None = None

    def row(self, door: str) -> dict[str, Any]:
        """Return what the record of this kind says in the end."""
        rebuilt = self.media_type.startswith("image/") and self.promotion == "clean"
        stored = self.promotion in ("clean", "passed")
        return {
            "filename": self.name,
            "door": door,
            "status": self.status,
            "promotion": self.promotion,
            "reason": self.reason,
            "media_type": self.media_type,
            "exif_stripped": rebuilt,
            "findings": sorted(self.removed.split()),
            "details": self.details,
            "stored_as": self.name if stored else "pending",
            "fault": None,
        }


def _picture(width: int, height: int, mode: str = "RGB") -> Any:
    return {"width": width, "height": height, "frames": 1, "mode": mode}


def _animation(mode: str = "RGB") -> Any:
    played = {"frames": 3, "duration_seconds": 0.6}
    return _picture(48, 32, mode) | played


def _sound(seconds: float, rate: int, kbits: float, channels: int = 1) -> Any:
    return {
        "duration_seconds": seconds,
        "samplerate": rate,
        "bitrate": kbits,
        "channels": channels,
    }


@cache
def kinds() -> list[Kind]:
    """Return the twenty kinds."""
    return [*_images(), *_sounds(), *_others()]


def _images() -> list[Kind]:
    jpeg, png, webp, gif = (f"image/{kind}" for kind in ("jpeg", "png", "webp", "gif"))
    return [
        Kind("photo.jpg", images.photo(), jpeg, _PHOTO, _picture(64, 96)),
        Kind("photo.heic", heif.heic(), "image/heif", _HEIC, _picture(48, 64)),
        Kind(
            "scan.tiff",
            _scan(),
            "image/tiff",
            "application_data text",
            _picture(32, 24, "I;16"),
        ),
        Kind(
            "half.jpg",
            images.halved(images.photo()),
            jpeg,
            status="rejected",
            promotion="refused",
            reason="unreadable_image",
        ),
        Kind(
            "a.png", images.png_with_everything(), png, _PNG, _picture(96, 64, "RGBA")
        ),
        Kind("moving.png", images.animated_png(), png, "text", _animation()),
        Kind("a.webp", images.webp(), webp, _STILL, _picture(96, 64)),
        Kind(
            "lossless.webp",
            images.lossless_webp(),
            webp,
            f"{_STILL} hidden_colours",
            _picture(96, 64, "RGBA"),
        ),
        Kind(
            "moving.webp",
            images.animated_webp(),
            webp,
            f"{_COMMON} application_data xmp",
            _animation(),
        ),
        Kind(
            "moving.gif",
            images.animated_gif(),
            gif,
            "application_data comment gps_position text trailing_data xmp",
            _animation("P"),
        ),
    ]


def _scan() -> bytes:
    """Return sixteen bits a sample, with an artist and a private tag."""
    rows = [bytes(range(64))] * 24
    artist, private = (2, audio.MARKER + b"\0"), (7, audio.MARKER)
    return tiff.tiff(tiff.grey(rows, bits=16, t315=artist, t65000=private))


def _sounds() -> list[Kind]:
    tags = "audio_tags cover_picture"
    wav, m4a = audio.wav(), audio.m4a()
    return [
        Kind(
            "voice.wav",
            wav,
            "audio/wav",
            f"{tags} application_data timestamp",
            _sound(1.0, 8000, 128.0),
        ),
        Kind(
            "song.flac",
            audio.flac(),
            "audio/flac",
            f"{tags} application_data padding",
            _sound(1.0, 8000, 0.832),
        ),
        Kind(
            "song.mp3",
            audio.mp3(),
            "audio/mpeg",
            f"{tags} padding",
            _sound(38 * 1152 / 44100, 44100, 63.7),
        ),
        Kind(
            "film.mov",
            video.film(brand=b"qt  "),
            "video/quicktime",
            "application_data audio_tags gps_position padding text timestamp xmp",
            {"duration_seconds": 2.0, "width": 64, "height": 48, "has_audio": True},
        ),
        Kind("a.opus", audio.ogg_opus(), "audio/ogg", tags, _sound(1.0, 48000, 13.44)),
        Kind(
            "song.m4a",
            m4a,
            "audio/mp4",
            f"{tags} application_data gps_position padding text timestamp",
            _sound(43 * 1024 / 44100, 44100, 3.10078125, 2),
        ),
        Kind(
            "cut.wav",
            audio.truncated(wav),
            "audio/wav",
            "audio_tags timestamp",
            {"error": "The sound is cut off: the end of the file is missing."},
            status="error_processing",
        ),
    ]


def _others() -> list[Kind]:
    unknown = "application/octet-stream"
    return [
        Kind("notes.txt", b"Nothing to hide here.\n", unknown, promotion="passed"),
        Kind(
            "Ünder + 100%2F &.bin",
            bytes(5000) + images.photo(),
            unknown,
            status="held",
            promotion="held",
            reason="hidden_image",
        ),
        Kind(
            "drawing.svg",
            _SVG,
            "image/svg+xml",
            status="rejected",
            promotion="refused",
            reason="unsupported_image",
        ),
    ]


def table() -> list[dict[str, Any]]:
    """Return how all sixty have to end."""
    return [kind.row(door) for kind in kinds() for door in DOORS]


def travelled(demo: Demo, folder: Path) -> list[Case]:
    """Send every kind through every door and wait until all are settled."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for kind in kinds():
        path = folder / kind.name
        path.write_bytes(kind.data)
        cases += [any_outcome(path, door) for door in DOORS]
    for case in cases:
        demo.send(case)

    def settled() -> bool:
        for case in cases:
            demo.look(case)
        return all(case.settled for case in cases)

    wait_until(settled, timeout_s=_PATIENCE_S, pause_s=0.2)
    return cases


def row(case: Case) -> dict[str, Any]:
    """Return what a record says, in the table's fields."""
    asset = case.asset
    assert asset is not None, f"{case.path.name} through {case.door}: {case.answer}"
    fields = {
        name: getattr(asset, name)
        for name in Kind("", b"", "").row("")
        if name != "stored_as"
    }
    return {**fields, "stored_as": Path(asset.path).name}


def hashes(cases: list[Case]) -> list[tuple[str, str | None, str | None]]:
    """Return name and hashes of what came in and of what went out."""
    return [
        (case.path.name, case.asset.source_sha256, case.asset.sha256)
        for case in cases
        if case.asset
    ]
