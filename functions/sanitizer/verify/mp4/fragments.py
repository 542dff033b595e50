"""Names what the fragments of an MP4 file carry besides where their samples lie.

Source: ISO/IEC 14496-12, 8.8.
"""

from collections.abc import Iterator

from functions.sanitizer.verify.mp4.boxes import column, first, inside, integer, zero
from functions.sanitizer.verify.mp4.chunks import Chunks
from functions.sanitizer.verify.mp4.movie import group_kinds, groups


class Fragments:
    """The `moof` boxes of a file, in their order.

    Args:
        sizes: of a sample of each track, in bytes, where a fragment does not say.
        chunks: where to note the places of samples.
    """

    def __init__(self, sizes: dict[int, int], chunks: Chunks) -> None:
        self._sizes, self._chunks = sizes, chunks

    def carriers(self, content: memoryview, at: int) -> Iterator[str]:
        """Yield the name of every carrier in the fragment that starts at *at*."""
        base = at
        for kind, part in inside(content):
            if kind == "traf":
                yield from self._unknown(part)
                base = self._note(part, at, base)
            elif kind == "free" and zero(part):
                continue
            elif kind != "mfhd" or len(part) < 8 or any(part[:4]) or any(part[8:]):
                yield f"box moof/{kind!r}"

    def _unknown(self, part: memoryview) -> Iterator[str]:
        heads = [kind for kind, _ in inside(part) if kind in ("tfhd", "tfdt")]
        if len(heads) != len(set(heads)) or "tfhd" not in heads:
            yield "heads of a fragment"
        for kind, box in inside(part):
            if kind in ("sbgp", "sgpd"):
                yield from groups(box) if kind == "sbgp" else group_kinds(box)
            elif kind == "tfdt" and (any(box[1:4]) or any(box[12 if box[0] else 8 :])):
                yield "tfdt: leftovers"
            elif kind == "free" and not zero(box):
                yield "free space that is not empty"
            elif kind not in ("tfhd", "tfdt", "trun", "free"):
                yield f"box traf/{kind!r}"
        yield from self._heads(part)

    def _heads(self, part: memoryview) -> Iterator[str]:
        for kind, box in inside(part):
            flags = integer(box, 1, 3) if kind in ("tfhd", "trun") else 0
            if kind == "tfhd":
                length = 8 + 8 * (flags & 1) + 4 * (flags & 0x3A).bit_count()
                known = not flags & ~0x3003B
            elif kind == "trun":
                length = 8 + 4 * (flags & 5).bit_count()
                length += 4 * (flags & 0xF00).bit_count() * integer(box, 4)
                known = not flags & ~0xF05
            else:
                continue
            if not known or length > len(box) or not zero(box[length:]):
                yield f"{kind}: flags or leftovers"

    def _note(self, part: memoryview, at: int, base: int) -> int:
        head = first(part, "tfhd")
        flags, size = integer(head, 1, 3), self._sizes[integer(head, 4)]
        if flags & 1:
            base = integer(head, 8, 8)
        elif flags & 0x20000:
            base = at
        if flags & 0x10:
            size = integer(head, 8 + 8 * (flags & 1) + 4 * (flags & 0xA).bit_count())
        end = base
        for kind, run in inside(part):
            if kind == "trun":
                end = self._run(run, base, end, size)
        return end

    def _run(self, run: memoryview, base: int, start: int, size: int) -> int:
        flags, samples = integer(run, 1, 3), integer(run, 4)
        if flags & 1:
            start = base + int.from_bytes(run[8:12], "big", signed=True)
        length = samples * size
        if flags & 0x200:
            fields = (flags & 0xF00).bit_count()
            begin = 8 + 4 * (flags & 5).bit_count()
            table = column(run[begin : begin + 4 * fields * samples], 4)
            length = sum(table[(flags & 0x100) >> 8 :: fields])
        self._chunks.add(start, start + length)
        return start + length
