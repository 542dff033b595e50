"""Does the result look like the original? Thresholds as the facts have them.

Changed is: displayed size, frames, durations (by more than 20 ms and 1 %), loop, alpha
lost, more than 8 bits reduced, or colours: a copy reduced to 32 by 32 boxes, of
premultiplied sRGB, that differs in the mean by more than 3 of 255; by more than 2 where
the profile was dropped; by more than 1 with a box that differs by more than 40.
"""

import math

from PIL import Image, ImageChops, ImageStat
from pydantic import BaseModel

from tests.exam.judge.look import Look
from tests.exam.judge.scan import Scan

_DEEP = frozenset(("PNG", "TIFF", "AVIF", "HEIF", "JPEG2000", "JXL"))
_EXACT_DB = 99.0
_BOXES = 32


class Fidelity(BaseModel):
    """How much of the look there is.

    Attributes:
        changed: what a viewer would notice, by name.
        psnr_db: over whole pictures of 8 bits, premultiplied; 99 where they are equal.
    """

    changed: list[str] = []
    psnr_db: float | None = None

    @property
    def exact(self) -> bool:
        """Whether no pixel differs."""
        return self.psnr_db == _EXACT_DB


def compare(original: Look, result: Look, before: Scan, after: Scan) -> Fidelity:
    """Return what *result* looks like beside a readable *original*."""
    if result.error:
        return Fidelity(changed=["unreadable"])
    changed = [
        name
        for name, differs in (
            ("size", original.size != result.size),
            ("frames", not _same_frames(original, result, before)),
            ("durations", _slower(original, result)),
            ("loop", _loops(original) != _loops(result)),
            ("alpha", original.transparent and not result.transparent),
            ("bitdepth", _shallower(original, before, after)),
        )
        if differs
    ]
    if original.size != result.size:
        return Fidelity(changed=changed)
    pairs = _pairs(original, result)
    if any(a.size == b.size and _recoloured(a, b, original, result) for a, b in pairs):
        changed.append("colours")
    return Fidelity(changed=changed, psnr_db=min(_psnr_db(a, b) for a, b in pairs))


def _same_frames(original: Look, result: Look, before: Scan) -> bool:
    if original.frames == result.frames:
        return True
    if not original.moves:
        return original.frames - before.hidden_pages <= result.frames < original.frames
    if result.frames == 1:
        return original.stands
    return not _slower(original, result)  # equal neighbours were joined


def _slower(original: Look, result: Look) -> bool:
    if not (original.moves and result.moves):
        return False
    before, after = sum(original.durations_ms), sum(result.durations_ms)
    return abs(before - after) > max(20, before / 100)


def _loops(seen: Look) -> int | None:
    if not seen.moves:
        return None
    return 1 if seen.loop is None else seen.loop


def _shallower(original: Look, before: Scan, after: Scan) -> bool:
    deep = original.format in _DEEP and before.bits > 8
    return deep and 0 < after.bits < before.bits


def _pairs(original: Look, result: Look) -> list[tuple[Image.Image, Image.Image]]:
    if len(original.shown) == len(result.shown):
        return list(zip(original.shown, result.shown, strict=True))
    return [(original.shown[0], result.shown[0])]


def _recoloured(a: Image.Image, b: Image.Image, original: Look, result: Look) -> bool:
    size = (min(_BOXES, a.width), min(_BOXES, a.height))
    small = [_seen(each).resize(size, Image.Resampling.BOX) for each in (a, b)]
    difference = ImageChops.difference(*small)
    mean = sum(ImageStat.Stat(difference).mean) / 4
    most = max(band[1] for band in _extrema(difference))
    dropped = original.profile and not result.profile
    return mean > (2 if dropped else 3) or (mean > 1 and most > 40)


def _extrema(image: Image.Image) -> list[tuple[float, float]]:
    return [image.getchannel(band).getextrema() for band in image.getbands()]  # type: ignore[misc] # one band each


def _psnr_db(a: Image.Image, b: Image.Image) -> float:
    if a.size != b.size:
        return 0.0
    squares = ImageStat.Stat(ImageChops.difference(_seen(a), _seen(b))).sum2
    error = sum(squares) / (4 * a.width * a.height)
    return min(_EXACT_DB, 10 * math.log10(255**2 / error)) if error else _EXACT_DB


def _seen(image: Image.Image) -> Image.Image:
    """Return colours times alpha: what is not seen does not count."""
    return image.convert("RGBa")
