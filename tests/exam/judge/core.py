"""The exam's own judge: a pure core, so that the sandbox can run it too."""

from collections.abc import Callable
from typing import BinaryIO

from pydantic import BaseModel

from tests.exam.judge.fidelity import Fidelity, compare
from tests.exam.judge.film import scan_film
from tests.exam.judge.gif import scan_gif
from tests.exam.judge.heif import scan_heif
from tests.exam.judge.jp2 import scan_jp2, scan_jxl
from tests.exam.judge.jpeg import scan_jpeg
from tests.exam.judge.look import Look, coded_pixels, look
from tests.exam.judge.mpeg import syncsafe
from tests.exam.judge.png import scan_png
from tests.exam.judge.scan import IMAGES, SOUNDS, Scan, sniff
from tests.exam.judge.simple import scan_bmp, scan_ico, scan_webp
from tests.exam.judge.sound import (
    length_s,
    only_levels,
    scan_aiff,
    scan_flac,
    scan_mpeg,
    scan_packed,
    scan_tags,
    scan_wav,
)
from tests.exam.judge.survived import survived
from tests.exam.judge.tiff import scan_tiff

_SCANNERS: dict[str, Callable[[Scan], None]] = {
    "jpeg": scan_jpeg,
    "png": scan_png,
    "gif": scan_gif,
    "webp": scan_webp,
    "tiff": scan_tiff,
    "bmp": scan_bmp,
    "ico": scan_ico,
    "heic": scan_heif,
    "avif": scan_heif,
    "jp2": scan_jp2,
    "jxl": scan_jxl,
    "wav": scan_wav,
    "aiff": scan_aiff,
    "flac": scan_flac,
    "mp3": scan_mpeg,
    "aac": scan_packed,
    "mp4": scan_film,
    "ogg": scan_tags,
    "asf": scan_tags,
    "wavpack": scan_packed,
    "ape": scan_packed,
}


# Where gains and gaps may stand, if nothing else does.
_TAGS = frozenset(("audio_tags", "flac_block", "film_box"))


class Judgement(BaseModel):
    """What is to be said of an original and, where there is one, of its result.

    Attributes:
        readable: whether a decoder here shows or plays the original.
        leaks: kind and place of what the result need not hold.
        survived: what of the original's metadata is found again in it.
    """

    format: str
    readable: bool = False
    problem: str = ""
    leaks: list[tuple[str, str]] = []
    survived: list[str] = []
    fidelity: Fidelity | None = None

    @property
    def leaky(self) -> bool:
        """Whether the result says more than it should."""
        return bool(self.leaks or self.survived)

    @property
    def faithful(self) -> bool:
        """Whether it looks or sounds as before, as far as that can be told."""
        return self.fidelity is not None and not self.fidelity.changed


def judge(original: BinaryIO, result: BinaryIO, canaries: list[str]) -> Judgement:
    """Judge an original and its result; an empty *result* is none."""
    before = scanned(_all(original))
    data = _all(result)
    judgement = Judgement(format=before.format)
    shown = None
    if before.format in SOUNDS:
        judgement.readable = length_s(before.data, before.format) is not None
    else:
        shown = look(before.data)
        judgement.readable, judgement.problem = not shown.error, shown.error
    if not data:
        return judgement
    after = scanned(data)
    markers = tuple(canary.encode() for canary in canaries)
    judgement.leaks = [(leak.kind, leak.where) for leak in after.leaks[:20]]
    judgement.survived = survived(before, after, markers)
    if after.format in SOUNDS and only_levels(data, after.format):
        judgement.survived = [s for s in judgement.survived if s[:5] != "bytes"]
    judgement.survived += _drawn(data, markers) if after.format in IMAGES else []
    if judgement.readable:
        judgement.fidelity = _fidelity(before, after, shown)
    return judgement


def scanned(data: bytes) -> Scan:
    """Return what a file holds; of a format that is not known, nothing is known."""
    found = Scan(data, sniff(data))
    if data.startswith(b"ID3") and (behind := _behind_tag(data)) is not None:
        return behind
    scan = _SCANNERS.get(found.format)
    if scan is None:
        found.leak("unknown", f"no scanner for {found.format}")
        return found
    try:
        scan(found)
    except LookupError:
        found.leak("garbage", "a structure that breaks off")
    if found.format in SOUNDS and found.leaks and only_levels(data, found.format):
        found.leaks = [leak for leak in found.leaks if leak.kind not in _TAGS]
    return found


def _behind_tag(data: bytes) -> Scan | None:
    """Return the scan of what a tag stands before, unless that is MPEG audio."""
    size = 10 + syncsafe(data[6:10])
    if sniff(data[size : size + 64]) in ("mp3", "other"):
        return None
    inner = scanned(data[size:])
    found = Scan(data, inner.format)
    found.leak("audio_tags", "a tag before the file", 0, size)
    for leak in inner.leaks:
        found.leak(leak.kind, leak.where, leak.start + size, leak.end + size)
    return found


def _fidelity(before: Scan, after: Scan, shown: Look | None) -> Fidelity:
    if shown is not None:
        return compare(shown, look(after.data), before, after)
    was, now = (length_s(each.data, each.format) for each in (before, after))
    if was is None or now is None:
        return Fidelity(changed=["unreadable"])
    longer = abs(was - now) > max(0.05, was / 100)
    return Fidelity(changed=["durations"] if longer else [])


def _drawn(data: bytes, markers: tuple[bytes, ...]) -> list[str]:
    """Return canaries among the pixels, seen or not."""
    if not markers:
        return []
    return [
        f"canary {marker.decode()} in the pixels"
        for pixels in coded_pixels(data)
        for marker in markers
        if marker in pixels
    ]


def _all(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read()
