"""What the sanitizer costs beside Pillow's own decoding and encoding, in one run.

    python -m tests.bench.sanitizer [--repeat 5] [--no-large] [--json]

Pictures are made: smooth noise with grain, which codes much as photographs do. Each
repetition does all ways of one picture one after another, so that a busy machine slows
them alike; what counts is the median of CPU seconds. A rebuild's are those of the
jailed process and of ours together, with reading, verification and digests; Pillow's
are those of opening and saving the same picture in our own process.

Memory is the jailed process's high-water mark, from a fresh process each.
"""

import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import pillow_heif
from PIL import Image, ImageChops

from functions.sanitizer.core import Limits
from infra.commands.output import progress, show_json, show_rows
from infra.local import sanitize_file
from infra.samples import audio
from schemas.policies import Policy
from schemas.ports import Sandbox
from tests.exam.memory import measured, used_s
from tests.exam.run import core_sandbox

_SIZE = (1_800, 1_200)
_GIB = 1 << 30
# Orientation 6 and nothing else (TIFF 6.0).
_SIDEWAYS = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"


@dataclass
class Cost:
    """One format's row; ratios are of CPU time."""

    what: str
    verdict: str
    pillow_s: float | None = None
    rebuild_s: float | None = None
    lossless_s: float | None = None
    rebuild_to_pillow: float | None = None
    rebuild_to_lossless: float | None = None


@dataclass
class Weight:
    """What one large file takes."""

    what: str
    verdict: str
    megabytes: float
    cpu_s: float
    wall_s: float
    peak_mb: float | None


def photograph(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Return smooth noise with a little grain."""
    coarse = (max(size[0] // 48, 2), max(size[1] // 48, 2))
    bands = []
    for _ in mode:
        smooth = Image.effect_noise(coarse, 90).resize(size, Image.Resampling.BICUBIC)
        grain = Image.effect_noise(size, 5)
        bands.append(ImageChops.add(smooth, grain, offset=-128))
    return Image.merge(mode, bands) if len(bands) > 1 else bands[0]


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pictures() -> Iterator[tuple[str, bytes]]:
    """Yield the pictures that ratios are measured on."""
    photo = photograph(_SIZE)
    half = photo.resize((_SIZE[0] // 2, _SIZE[1] // 2))
    pillow_heif.register_heif_opener()
    yield "JPEG 4:2:0", _saved(photo, "JPEG", quality=90)
    yield "JPEG 4:4:4", _saved(photo, "JPEG", quality=95, subsampling=0)
    yield "JPEG progressive", _saved(photo, "JPEG", quality=90, progressive=True)
    yield "PNG", _saved(half, "PNG")
    yield "PNG palette", _saved(photo.quantize(200), "PNG")
    yield "WebP lossy", _saved(half, "WEBP", quality=85)
    yield "WebP lossless", _saved(half, "WEBP", lossless=True)
    yield "GIF", _saved(photo.quantize(200), "GIF")
    yield "TIFF LZW", _saved(photo, "TIFF", compression="tiff_lzw")
    yield "BMP", _saved(photo, "BMP")
    yield "AVIF", _saved(half, "AVIF", quality=60, speed=8)
    yield "HEIC", _saved(half, "HEIF", quality=60)


def again(data: bytes) -> None:
    """Decode and encode with Pillow alone, as the same kind of file."""
    image = Image.open(BytesIO(data))
    kind = image.format or ""
    options: dict[str, object] = {}
    if kind == "JPEG":  # its own tables and subsampling
        options = {"quality": "keep", "progressive": "progressive" in image.info}
    elif kind == "WEBP":
        options = {"lossless": b"VP8L" in data[:16]}
    elif kind == "TIFF":
        options = {"compression": image.info.get("compression")}
    image.save(BytesIO(), kind, **options)


@dataclass(frozen=True)
class Bench:
    """A sandbox of one process, and a place for files."""

    sandbox: Sandbox
    place: Path

    def sanitized(self, data: bytes, policy: Policy) -> tuple[float, str]:
        """Return CPU seconds of both processes, and the verdict."""
        file = self.place / "input"
        file.write_bytes(data)
        began = self._used_s()
        row = sanitize_file(self.sandbox, file, self.place / "out", policy, Limits())
        return self._used_s() - began, str(row["verdict"])

    def _used_s(self) -> float:
        """Both processes' CPU seconds until now."""
        return self.sandbox.run(used_s) + time.process_time()

    def cost(self, what: str, data: bytes, repeat: int) -> Cost:
        """Measure one picture in every way, in turn."""
        rebuild, lossless = Policy(images="rebuild"), Policy(images="lossless")
        verdict = self.sanitized(data, rebuild)[1]
        times: list[tuple[float, float, float]] = []
        for _ in range(repeat):
            began = time.process_time()
            again(data)
            pillow = time.process_time() - began
            first, second = (self.sanitized(data, p)[0] for p in (rebuild, lossless))
            times.append((pillow, first, second))
        cost = Cost(what, verdict)
        if verdict != "clean":
            return cost
        pillow, first, second = (median(column) for column in zip(*times, strict=True))
        cost.pillow_s, cost.rebuild_s, cost.lossless_s = _short(pillow, first, second)
        cost.rebuild_to_pillow = round(first / pillow, 2)
        cost.rebuild_to_lossless = round(first / second, 2)
        return cost


def _short(*seconds: float) -> tuple[float, ...]:
    return tuple(round(each, 4) for each in seconds)


def weigh(what: str, write: Callable[[Path], None], place: Path) -> Weight:
    """Sanitize one large file in a process of its own."""
    file = place / "large"
    write(file)
    with core_sandbox() as sandbox, measured(sandbox) as peak:
        cpu, wall = sandbox.run(used_s) + time.process_time(), time.monotonic()
        row = sanitize_file(sandbox, file, place / "out", Policy(), Limits())
        wall = time.monotonic() - wall
        cpu = sandbox.run(used_s) + time.process_time() - cpu
    size = file.stat().st_size / 1e6
    file.unlink()
    if row["out"]:
        Path(row["out"]).unlink()
    verdict = f"{row['verdict']} {row.get('reason') or ''}".strip()
    return Weight(
        what=what,
        verdict=verdict,
        megabytes=round(size, 1),
        cpu_s=round(cpu, 2),
        wall_s=round(wall, 2),
        peak_mb=None if peak.mb is None else round(peak.mb),
    )


def _jpeg(scale: int, **options: object) -> Callable[[Path], None]:
    """Twelve megapixels, *scale* times as wide and as high."""

    def write(path: Path) -> None:
        photo = photograph((4_000, 3_000))
        large = Image.new("RGB", (4_000 * scale, 3_000 * scale))
        for number in range(scale * scale):
            large.paste(photo, (number % scale * 4_000, number // scale * 3_000))
        large.save(path, "JPEG", quality=90, **options)

    return write


def _heic(path: Path) -> None:
    pillow_heif.register_heif_opener()
    photograph((4_000, 3_000)).save(path, "HEIF", quality=50)


def _wave(path: Path) -> None:
    """Two gibibytes of samples that take no place on the disk."""
    layout = struct.pack("<HHIIHH", 1, 2, 48_000, 192_000, 4, 16)
    size = 2 * _GIB
    head = b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt \x10\0\0\0" + layout
    with path.open("wb") as stream:
        stream.write(head + b"data" + struct.pack("<I", size))
        stream.truncate(stream.tell() + size)


def _film(path: Path) -> None:
    """A small M4A, then media of two gibibytes that belong to no track."""
    with path.open("wb") as stream:
        stream.write(audio.m4a(1.0))
        stream.write(struct.pack(">I4sQ", 1, b"mdat", 2 * _GIB + 16))
        stream.truncate(stream.tell() + 2 * _GIB)


_LARGE: tuple[tuple[str, Callable[[Path], None]], ...] = (
    ("JPEG 12 MP", _jpeg(1)),
    ("JPEG 12 MP, to be turned", _jpeg(1, exif=_SIDEWAYS)),
    ("JPEG 48 MP", _jpeg(2)),
    ("JPEG 48 MP progressive", _jpeg(2, progressive=True)),
    ("HEIC 12 MP", _heic),
    ("WAV 2 GiB", _wave),
    ("M4A 2 GiB", _film),
)


def together(costs: list[Cost]) -> Cost:
    """Return what all clean pictures cost: the sums of their medians."""
    times = [(c.pillow_s, c.rebuild_s, c.lossless_s) for c in costs]
    pillow, first, second = (
        sum(each or 0 for each in way) for way in zip(*times, strict=True)
    )
    cost = Cost("all of them", "")
    cost.pillow_s, cost.rebuild_s, cost.lossless_s = _short(pillow, first, second)
    cost.rebuild_to_pillow = round(first / pillow, 2)
    cost.rebuild_to_lossless = round(first / second, 2)
    return cost


@contextmanager
def _bench(place: Path) -> Iterator[Bench]:
    with core_sandbox() as sandbox:
        yield Bench(sandbox, place)


@click.command(help=__doc__)
@click.option("--repeat", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--large/--no-large", default=True, help="Memory and time of large files")
@click.option("--json", "as_json", is_flag=True)
def main(*, repeat: int, large: bool, as_json: bool) -> None:
    """Run it and print what came out."""
    costs: list[Cost] = []
    weights: list[Weight] = []
    with TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        with _bench(place) as bench, progress("pictures") as steps:
            for what, data in pictures():
                costs.append(bench.cost(what, data, repeat))
                steps.advance()
        for what, write in _LARGE if large else ():
            weights.append(weigh(what, write, place))
    tables = ([*costs, together(costs)], weights)
    for rows in ([asdict(row) for row in table] for table in tables):
        if as_json:
            for row in rows:
                show_json(row)
        elif rows:
            show_rows(rows, list(rows[0]), as_json=False)


if __name__ == "__main__":
    main()
