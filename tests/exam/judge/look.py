"""A picture as it is seen: turned, in sRGB, with its transparency; frame by frame."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pillow_heif
import pillow_jxl  # noqa: F401 what it is imported for: Pillow opens JPEG XL
from PIL import Image, ImageCms, ImageOps

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_STILL = frozenset(("MPO", "HEIF", "ICO"))  # what else they hold, nobody turns to
_MOST_PIXELS = 64_000_000
_MOST_FRAMES = 400
_MOMENTS = (0.0, 0.25, 0.5, 0.75, 0.995)
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


@dataclass
class Look:
    """What there is to see.

    Attributes:
        error: why nothing can be seen.
        shown: up to five frames of an animation, in the order of time; every page
            of what has pages, three at most.
        durations_ms: of all frames.
    """

    error: str = ""
    format: str = ""
    size: tuple[int, int] = (0, 0)
    frames: int = 1
    loop: int | None = None
    profile: bool = False
    durations_ms: list[float] = field(default_factory=list)
    shown: list[Image.Image] = field(default_factory=list)

    @property
    def moves(self) -> bool:
        """Whether it is an animation, not a book of pages."""
        return self.frames > 1 and self.format != "TIFF"

    @property
    def transparent(self) -> bool:
        """Whether something shines through anywhere."""
        return any(_alpha(each).histogram()[255] < _area(each) for each in self.shown)

    @property
    def stands(self) -> bool:
        """Whether all that is sampled looks alike."""
        first = self.shown[0]
        return all(each.tobytes() == first.tobytes() for each in self.shown[1:])


def look(data: bytes, *, limit: int = _MOST_PIXELS) -> Look:
    """Return how *data* looks; `error` if no decoder here can show it."""
    pillow_heif.register_heif_opener()
    try:
        with _any_size():
            return _look(data, limit)
    except (*_BROKEN, MemoryError) as exc:
        return Look(error=f"{type(exc).__name__}: {exc}"[:120])


@contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow open what it is given, and say nothing about it."""
    guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = guard


def _look(data: bytes, limit: int) -> Look:
    image = Image.open(io.BytesIO(data))
    frames = _frames(image)
    seen = Look(format=image.format or "", frames=frames, loop=image.info.get("loop"))
    seen.profile = bool(image.info.get("icc_profile"))
    if image.width * image.height > limit:
        seen.error = f"{image.width} x {image.height} pixels are not looked at"
        return seen
    if seen.moves:
        seen.durations_ms = _durations(image, frames)
        if len(seen.durations_ms) < min(frames, _MOST_FRAMES):
            seen.frames = len(seen.durations_ms)  # it breaks off
    for number in _picked(seen):
        if not number:  # after a failed seek, and behind the last frame
            image = Image.open(io.BytesIO(data))
        if frames > 1:  # of a still, seek(0) would leave the picture that is shown
            image.seek(number)
        seen.shown.append(_as_seen(image, turn=not seen.moves))
    seen.size = seen.shown[0].size
    return seen


def _frames(image: Image.Image) -> int:
    if image.format in _STILL:
        return 1
    try:
        return getattr(image, "n_frames", 1)
    except _BROKEN:
        return 1


def _durations(image: Image.Image, frames: int) -> list[float]:
    durations = []
    for number in range(min(frames, _MOST_FRAMES)):
        try:
            image.seek(number)
            image.load()
        except _BROKEN:
            if not number:
                raise
            break
        durations.append(float(image.info.get("duration", 0) or 0))
    return durations


def _picked(seen: Look) -> list[int]:
    """Return the frames that are on at fixed moments; of pages first, middle, last."""
    last = seen.frames - 1
    if not seen.moves:
        return sorted({0, last // 2, last})
    last, total = len(seen.durations_ms) - 1, sum(seen.durations_ms)
    if not total:
        return sorted(round(moment * last) for moment in _MOMENTS)
    picked = []
    for moment in _MOMENTS:
        passed, number = seen.durations_ms[0], 0
        while passed <= moment * total and number < last:
            number += 1
            passed += seen.durations_ms[number]
        picked.append(number)
    return picked


def _as_seen(image: Image.Image, *, turn: bool) -> Image.Image:
    """Return an RGBA copy of the current frame, as an sRGB screen shows it."""
    image.load()
    profile = image.info.get("icc_profile")
    frame = ImageOps.exif_transpose(image) if turn else image.copy()
    alpha = None
    if frame.has_transparency_data:
        frame = frame.convert("RGBA")
        alpha = frame.getchannel("A")
    seen = _in_srgb(_plain(frame), profile)
    if alpha is not None:
        seen.putalpha(alpha)
    return seen.convert("RGBA")


def _plain(image: Image.Image) -> Image.Image:
    """Return a picture of eight bits, in a mode that profiles are made for."""
    if image.mode.startswith("I"):
        most = float(image.getextrema()[1])  # type: ignore[arg-type] # one band
        whole = image.mode != "I" or most > 255
        scale = 255 / 65_535 if whole else 1.0
        return image.convert("F").point(lambda v: v * scale + 0.5).convert("L")
    if image.mode == "F":
        low, high = (float(each) for each in image.getextrema())  # type: ignore[arg-type] # one band
        span = high - low if high > low else 1.0
        scale, offset = 255 / span, -low * 255 / span
        return image.point(lambda v: v * scale + offset).convert("L")
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image
    return image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image.convert("RGB")
    screen = ImageCms.createProfile("sRGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if _SPACES.get(space) != image.mode:
            return image.convert("RGB")
        turned = ImageCms.profileToProfile(
            image,
            source,
            screen,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (*_BROKEN, ImageCms.PyCMSError):
        return image.convert("RGB")
    return turned if turned is not None else image.convert("RGB")


def _alpha(image: Image.Image) -> Image.Image:
    return image.getchannel("A")


def _area(image: Image.Image) -> int:
    return image.width * image.height


def coded_pixels(data: bytes) -> Iterator[bytes]:
    """Yield what a picture's frames hold, seen or not: colours under transparency."""
    with suppress(*_BROKEN), _any_size():
        image = Image.open(io.BytesIO(data))
        few = image.width * image.height <= _MOST_PIXELS
        for number in range(min(getattr(image, "n_frames", 1), 4) if few else 0):
            image.seek(number)
            image.load()
            yield image.tobytes()
            if image.mode in ("RGBA", "P"):
                yield image.convert("RGB").tobytes()
            if image.mode == "P":
                yield bytes(image.getpalette() or b"")
            if image.mode == "P" and image.format == "BMP":
                yield from _unpacked(image)


def _unpacked(image: Image.Image) -> Iterator[bytes]:
    """Yield a bitmap's rows as they stand in a file that has no run lengths."""
    for rawmode, bits in (("P;4", 4), ("P", 8)):
        yield image.tobytes("raw", rawmode, (image.width * bits + 31) // 32 * 4, -1)
