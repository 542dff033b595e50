"""Which items of a HEIF or AVIF show the picture, and what the others were.

Kept: the primary item, the pictures that it is derived from, and alpha of any of these.
"""

import re
from dataclasses import dataclass, field

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata
from functions.sanitizer.images.heif.meta import Item, Meta
from functions.sanitizer.images.heif.properties import ALPHA, auxiliary_type
from functions.sanitizer.images.pictures import View
from schemas.errors import Rejected

CODED = (b"av01", b"hvc1")
DERIVED = (b"grid", b"iovl", b"iden")
_MOST_LEVELS = 8
_MOST_KEPT = 5_000
_METADATA_BYTES = 8 << 20
_GAIN_MAP = re.compile(rb"(?i)gain-?map")
_CREDENTIALS = re.compile(rb"(?i)c2pa|jumb")


@dataclass
class Shown:
    """The items to keep, the primary one first.

    Attributes:
        inputs: what a derived picture is made of, in order.
        alpha: by picture, the one that says how opaque it is.
        premultiplied: pictures whose colours are darkened by their alpha.
        hidden: pictures that are only parts of others.
    """

    order: list[int] = field(default_factory=list)
    inputs: dict[int, list[int]] = field(default_factory=dict)
    alpha: dict[int, int] = field(default_factory=dict)
    premultiplied: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)


class Choice:
    """Walks from the primary item to all that it shows."""

    def __init__(self, data: View, meta: Meta) -> None:
        self._data = data
        self._meta = meta
        self._open: set[int] = set()
        self._purposes: dict[int, bytes] = {}
        self.shown = Shown()

    def walk(self, primary: int) -> Shown:
        """Return what is shown.

        Raises:
            Rejected: `unsupported_image`: of a kind that nothing here decodes.
            ValueError: items refer to each other in circles, or to none.
        """
        self._visit(primary, 0)
        return self.shown

    def _visit(self, number: int, level: int) -> None:
        if number in self._open or level > _MOST_LEVELS:
            raise ValueError("items that are made of themselves")
        if number in self.shown.inputs:
            return
        item = self._meta.items.get(number)
        if item is None:
            raise ValueError("no such item")
        _supported(item)
        self._open.add(number)
        shown = self.shown
        shown.order.append(number)
        if len(shown.order) > _MOST_KEPT:
            raise ValueError("too many items")
        inputs = self._meta.targets.get((b"dimg", number), [])
        shown.inputs[number] = inputs if item.kind in DERIVED else []
        shown.hidden.update(shown.inputs[number])
        for part in shown.inputs[number]:
            self._visit(part, level + 1)
        alpha = self._alpha(number)
        if alpha is not None:
            shown.alpha[number] = alpha
            if alpha in self._meta.targets.get((b"prem", number), []):
                shown.premultiplied.add(number)
            self._visit(alpha, level + 1)
        self._open.remove(number)

    def _alpha(self, number: int) -> int | None:
        for source in self._meta.sources.get((b"auxl", number), []):
            if source not in self._purposes and source in self._meta.items:
                item = self._meta.items[source]
                self._purposes[source] = purpose(self._data, self._meta, item)
            if self._purposes.get(source) in ALPHA:
                return source
        return None


def _supported(item: Item) -> None:
    if item.kind not in (*CODED, *DERIVED):
        raise Rejected("unsupported_image", "it is coded in a way not known here")
    if item.elsewhere:
        raise Rejected("unsupported_image", "the picture lies outside of the file")


def purpose(data: View, meta: Meta, item: Item) -> bytes:
    """Return what an auxiliary item is for; nothing if it does not say."""
    for box, _ in meta.properties_of(item):
        if box.kind == b"auxC":
            return auxiliary_type(data[box.start : min(box.end, box.start + 256)])
    return b""


def name_the_rest(data: View, meta: Meta, shown: Shown, metadata: Metadata) -> None:
    """Note what the items are that are not kept; one of a kind is enough to read."""
    parts = {t for (kind, _), ts in meta.targets.items() if kind == b"dimg" for t in ts}
    for number, item in meta.items.items():
        if number in shown.inputs:
            continue
        if item.kind in (*CODED, *DERIVED, b"jpeg", b"unci"):
            if number not in parts:
                metadata.saw(_picture(data, meta, item))
        else:
            _other(data, item, metadata)


def _picture(data: View, meta: Meta, item: Item) -> Finding:
    if (b"thmb", item.number) in meta.targets:
        return Finding.THUMBNAIL
    if _GAIN_MAP.search(purpose(data, meta, item)):
        return Finding.GAIN_MAP
    return Finding.SECOND_IMAGE


def _other(data: View, item: Item, metadata: Metadata) -> None:
    match item.kind:
        case b"Exif" if Finding.EXIF not in metadata.findings:
            block = _beginning(data, item)
            metadata.read_exif(block[4 + int.from_bytes(block[:4], "big") :])
        case b"mime" if b"rdf" in item.content_type:
            if Finding.XMP in metadata.findings:
                return
            metadata.read_xmp(_beginning(data, item))
        case b"mime" | b"uri " | b"jumb" if _CREDENTIALS.search(item.content_type):
            metadata.saw(Finding.CONTENT_CREDENTIALS)
        case b"tmap":
            metadata.saw(Finding.GAIN_MAP)
        case b"iptc":
            metadata.saw(Finding.IPTC)
        case kind if kind != b"Exif":
            metadata.saw(Finding.APPLICATION_DATA)


def _beginning(data: View, item: Item) -> bytes:
    """Return an item's first bytes: enough to name what is in it."""
    start, end = item.extents[0] if item.extents else (0, 0)
    return data[start : min(end, start + _METADATA_BYTES)]
