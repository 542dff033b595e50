"""The metadata function's pure core: how large images are, how long sound lasts."""

from typing import BinaryIO

from functions.metadata.av.audio import describe_audio
from functions.metadata.blocks import Blocks, TooScattered
from functions.metadata.errors import NotSound
from functions.metadata.images.picture import describe_image
from functions.metadata.kinds import HEAD_BYTES, Kind, kind_of
from schemas.errors import Rejected

# The head, the tail and some of the middle: a store is asked no more than that.
_MOST_BLOCKS = 6
_COMPLAINTS = {
    family: f"The file is not {what} that can be read: it is damaged or incomplete."
    for family, what in (("audio", "sound or film"), ("image", "an image"))
}
_SCATTERED = "The file's parts are scattered in a way that can't be followed."


def describe(source: BinaryIO, media_type: str) -> dict[str, int | float | str | bool]:
    """Return the technical facts of a file.

    Sound: `duration_seconds`, `samplerate` (Hz), `bitrate` (kbit/s), `channels`.
    Films: `duration_seconds`, `width`, `height`, `has_audio`. Images: `width`,
    `height`, `frames`, `mode`; of an animation `duration_seconds`. Sizes are those
    that are seen, in pixels. Anything else: nothing, and that is no failure.

    Args:
        source: seekable; fetched in blocks of 64 KiB, six at most. More are fetched of
            a GIF (all, 128 MiB at most), of other animations and of pages (one for
            each at most), and of a JPEG with a profile of more than 300 KiB (64).
        media_type: what the file was said to be: it only decides whether bytes that
            are not recognised are a failure.

    Raises:
        Rejected: `unreadable_audio` or `unreadable_image`; the detail is a sentence
            for people.
    """
    blocks = Blocks(source, _MOST_BLOCKS)
    kind = kind_of(blocks.read_at(0, HEAD_BYTES))
    said = media_type.partition("/")[0]
    family = kind.family if kind else said
    if family not in _COMPLAINTS:
        return {}
    try:
        return _guarded(blocks, kind, family)
    except NotSound:
        if kind and kind.weak and said != "audio":
            return {}
        raise


def _guarded(
    blocks: Blocks, kind: Kind | None, family: str
) -> dict[str, int | float | str | bool]:
    """Turn whatever a parser raises into one refusal: hostile bytes find all of it."""
    try:
        return _describe(blocks, kind)
    except Rejected:
        raise
    except TooScattered as exc:
        raise Rejected(f"unreadable_{family}", _SCATTERED) from exc
    except Exception as exc:
        if blocks.failure:
            raise blocks.failure from exc
        raise Rejected(f"unreadable_{family}", _COMPLAINTS[family]) from exc


def _describe(blocks: Blocks, kind: Kind | None) -> dict[str, int | float | str | bool]:
    if kind is None:
        raise ValueError("not recognised")
    if kind.family == "image":
        return dict(describe_image(blocks, kind))
    return describe_audio(blocks, kind)
