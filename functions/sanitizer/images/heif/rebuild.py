"""HEIC, HEIF and AVIF: a new container around coded pictures that keep every bit.

Kept: the primary picture, what it is made of, its alpha; for sequences their pictures
and times. Inside of the coded data, what is no picture is dropped too.
"""

import re
import struct
from typing import BinaryIO

import pillow_heif
from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.heif.bits import Budget
from functions.sanitizer.images.heif.items import Choice, Shown, name_the_rest
from functions.sanitizer.images.heif.meta import Meta, read_meta
from functions.sanitizer.images.heif.movie import Movie, read_movie
from functions.sanitizer.images.heif.movie_write import movie_box
from functions.sanitizer.images.heif.pictures import Picture, Pictures, shown_size
from functions.sanitizer.images.heif.write import Store, brands, meta
from functions.sanitizer.images.isobmff import Box, file_boxes
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_MOVING_BRANDS = frozenset(b"avis msf1 hevc hevx hevm hevs".split())
_MOST_BRANDS = 256
_MOST_MEDIA = 16  # of the boxes that are looked into for a finding
_HEAD_BYTES = 16 + 4 * _MOST_BRANDS
_NOT_ZERO = re.compile(rb"[^\0]")
_SPACE = (b"free", b"skip", b"wide")
_EMBEDDED = {
    b"mpvd": Finding.EMBEDDED_VIDEO,
    b"moov": Finding.EMBEDDED_VIDEO,
    b"moof": Finding.EMBEDDED_VIDEO,
    b"jumb": Finding.CONTENT_CREDENTIALS,
}
_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a HEIF or AVIF again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`, `unsupported_image`; what else
            goes wrong is for `decoding` to name.
    """
    heif = _Heif(data, limits)
    heif.write(output)
    frames, size = heif.prove(output)
    return Rebuilt(size, frames, heif.metadata.findings)


def opened(stream: BinaryIO) -> ImageFile.ImageFile:
    """Open what `rebuild` wrote with the decoder that its brands call for.

    Raises:
        SyntaxError: it is neither.
    """
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    brands = head[8 : int.from_bytes(head[:4], "big")]
    if b"avif" in brands or b"avis" in brands:
        return AvifImageFile(stream)
    return pillow_heif.HeifImageFile(stream)  # type: ignore[no-untyped-call]  # not annotated


class _Heif:
    def __init__(self, data: View, limits: Limits) -> None:
        self.metadata = Metadata()
        self._data = data
        boxes, end = file_boxes(data)
        first = {box.kind: box for box in reversed(boxes)}
        self._brands = _brands(data, first[b"ftyp"])
        budget = Budget()
        self._meta = read_meta(data, first[b"meta"]) if b"meta" in first else Meta()
        self._movie = Movie()
        if b"moov" in first and not _MOVING_BRANDS.isdisjoint(self._brands):
            self._movie = read_movie(data, first[b"moov"], limits, budget)
        self._read_pictures(limits, budget)
        kept = {first.get(kind) for kind in (b"ftyp", b"meta")}
        if self._movie.tracks:
            kept.add(first[b"moov"])
        for box in (*boxes, *self._meta.others):
            if box not in kept:
                self._name(box)
        self._look_for_slack([box for box in boxes if box.kind == b"mdat"])
        self.metadata.read_trailer(data, end)

    def _read_pictures(self, limits: Limits, budget: Budget) -> None:
        self._shown, self._pictures = Shown(), dict[int, Picture]()
        primary = self._meta.items.get(self._meta.primary)
        if primary is None:
            if not self._movie.tracks:
                raise ValueError("no picture")
        else:
            number = primary.number
            if primary.kind == b"tmap":
                number = self._meta.targets[b"dimg", number][0]
            if (b"thmb", number) in self._meta.targets:
                raise ValueError("the picture is called a thumbnail of another")
            self._shown = Choice(self._data, self._meta).walk(number)
            pictures = Pictures(self._data, self._meta, limits, budget)
            self._pictures = pictures.read(self._shown)
            self.metadata.saw(*pictures.findings)
        self.metadata.saw(*self._movie.findings)
        name_the_rest(self._data, self._meta, self._shown, self.metadata)

    def _look_for_slack(self, media: list[Box]) -> None:
        """Note bytes that no item uses; those of tracks would look like them."""
        if self._movie.tracks:
            return
        used = sorted(e for item in self._meta.items.values() for e in item.extents)
        used.append((len(self._data), len(self._data)))
        at = 0
        for start, end in used:
            for box in media[:_MOST_MEDIA]:
                gap = max(at, box.start), min(start, box.end)
                if gap[0] < gap[1] and _NOT_ZERO.search(self._data, *gap):
                    self.metadata.saw(Finding.PADDING)
                    return
            at = max(at, end)

    def _name(self, box: Box) -> None:
        if box.kind in _SPACE:
            if _NOT_ZERO.search(self._data, box.start, box.end):
                self.metadata.saw(Finding.PADDING)
        elif box.kind == b"uuid":
            kind = self._data[box.start : box.start + 16]
            kinds = {_CREDENTIALS: Finding.CONTENT_CREDENTIALS, _XMP: Finding.XMP}
            self.metadata.saw(kinds.get(kind, Finding.APPLICATION_DATA))
        elif box.kind not in (b"mdat", b"grpl"):
            self.metadata.saw(_EMBEDDED.get(box.kind, Finding.APPLICATION_DATA))

    @property
    def _kinds(self) -> set[bytes]:
        return {p.kind for p in self._pictures.values()} | self._movie.kinds

    def write(self, output: BinaryIO) -> None:
        store = Store()
        head = brands(
            self._brands,
            self._kinds,
            still=bool(self._pictures),
            moves=bool(self._movie.tracks),
        )
        # The pictures of a movie lie in a row; the still one may be among them.
        moving = movie_box(self._movie, store.place_row)
        still = meta(self._shown, self._pictures, store)
        size = len(head) + len(still(0)) + len(moving(0)) + 8
        output.write(head + still(size) + moving(size))
        output.write(struct.pack(">I4s", 8 + store.size, b"mdat"))
        output.writelines(store.pieces)

    def prove(self, output: BinaryIO) -> tuple[int, tuple[int, int]]:
        """Decode the first picture; return how many there are, and its size.

        Raises:
            ValueError: it is another size than the headers say.
        """
        output.flush()
        output.seek(0)
        if b"av01" in self._kinds:
            image = AvifImageFile(output)
            image.load()
            plays = self._brands[0] in _MOVING_BRANDS and self._movie.tracks
            expected = self._movie.size if plays else self._primary.size
            frames = self._movie.frames if plays else 1
            if (image.size, image.n_frames) != (expected, frames):
                raise ValueError("it shows something else")
            return image.n_frames, image.size
        if not self._pictures:
            raise Rejected("unsupported_image", "a film without a still picture")
        heic = pillow_heif.open_heif(output)
        announced = heic.size  # odd sides of a crop may be rounded while decoding
        heic[0].load()  # raises if it is broken
        if len(heic) != 1 or not _near(heic.size, shown_size(self._primary)):
            raise ValueError("it shows something else")
        return 1, announced

    @property
    def _primary(self) -> Picture:
        return self._pictures[self._shown.order[0]]


def _near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are the same; edges of a crop may be rounded either way."""
    return all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))


def _brands(data: View, box: Box) -> list[bytes]:
    end = min(box.end, box.start + 4 * _MOST_BRANDS)
    letters = data[box.start : end]
    found = [letters[at : at + 4] for at in range(0, len(letters), 4)]
    return [found[0], *found[2:]]
