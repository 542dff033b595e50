"""Ogg files that hold one recording after another."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from functions.metadata.av.ogg_pages import Page, page_at, pages_between
from functions.metadata.av.sound import Sound
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off

_Between = Callable[[Page, Page, int], Sound]
_SOUND = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")


def measure_chain(blocks: Blocks, between: _Between) -> Sound:
    """Return the facts of recordings in a row: how long all of them last.

    Where the blocks suffice it is exact; else what they leave unseen is estimated.

    Args:
        between: returns the facts of a recording by its first and its last page.
    """
    if not blocks.affords(-(-blocks.size_bytes // BLOCK)):
        return _estimated(blocks, between)
    sound: Sound | None = None
    length = 0.0
    for first, last in _links(blocks):
        link = between(first, last, blocks.size_bytes)
        length += link.duration_seconds or 0
        sound = sound or link
    if sound is None:
        raise cut_off()
    joined = sound.model_copy(update={"duration_seconds": length or None})
    return joined.averaged(blocks.size_bytes)


def _links(blocks: Blocks) -> Iterator[tuple[Page, Page]]:
    """Return first and last page of every recording."""
    openings: dict[bytes, Page] = {}
    at = 0
    while page := page_at(blocks, at):
        at = page.end
        if page.first and page.body.startswith(_SOUND):
            openings[page.serial] = page
        elif page.last and page.serial in openings:
            yield openings.pop(page.serial), page
    if openings:
        raise cut_off()


def _estimated(blocks: Blocks, between: _Between) -> Sound:
    """Halve the widest gap between pages of different recordings while that is paid.

    What lies between two pages of one recording is exact, a gap is estimated.
    """
    first = page_at(blocks, 0)
    places = [_place(blocks, 0), _place(blocks, (blocks.size_bytes - 1) // BLOCK)]
    if first is None or not places[-1]:
        raise cut_off()
    known = [page for found in places for page in (found[:1] + found[-1:])]
    while blocks.affords(1) and (gap := max(_gaps(known), default=None)):
        _, left, right = gap
        middle = (left.end + right.start) // 2 // BLOCK
        found = [p for p in _place(blocks, middle) if left.end <= p.start < right.start]
        if not found:
            break
        known = sorted({*known, found[0], found[-1]})
    sound = between(first, first, 0)
    length = _samples(known) / sound.samplerate if sound.samplerate else 0
    estimated = sound.model_copy(update={"duration_seconds": length or None})
    return estimated.averaged(blocks.size_bytes)


def _place(blocks: Blocks, index: int) -> list[Page]:
    """Return the pages in a block that say how far their recording has come."""
    start, end = index * BLOCK, min((index + 1) * BLOCK, blocks.size_bytes)
    return [page for page in pages_between(blocks, start, end) if page.granule > 0]


def _gaps(known: list[Page]) -> Iterator[tuple[int, Page, Page]]:
    for left, right in pairwise(known):
        if left.serial != right.serial and right.start - left.end > BLOCK:
            yield right.start - left.end, left, right


def _samples(known: list[Page]) -> float:
    """Return how many samples there are up to the last page."""
    exact = [pair for pair in pairwise(known) if pair[0].serial == pair[1].serial]
    seen = sum(right.end - left.end for left, right in exact)
    samples: float = known[0].granule
    samples += sum(b.granule - a.granule for a, b in exact)
    density = samples / (seen + known[0].end)
    for left, right in pairwise(known):
        if left.serial != right.serial:
            samples += max(right.granule, density * (right.end - left.end))
    return samples
