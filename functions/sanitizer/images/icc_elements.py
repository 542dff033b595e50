"""The elements of a colour profile that take part in a conversion, cut to their length.

Layouts: ICC.1:2022 section 10. An element is copied to where its own structure ends;
reserved fields become zero; what does not follow its structure is dropped.
"""

import math
import struct
from collections.abc import Callable

_PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its function


def colorimetric(element: bytes) -> bytes | None:
    """Return *element* without anything around its structure; None if it is broken."""
    measure = _MEASURES.get(element[:4])
    try:
        size = measure(element) if measure else 0
    except (struct.error, LookupError):
        return None
    if not 8 < size <= len(element):
        return None
    return element[:4] + bytes(4) + element[8:size]


def _xyz(_element: bytes) -> int:
    return 20


def _matrix(_element: bytes) -> int:
    return 8 + 9 * 4


def _code_points(_element: bytes) -> int:
    return 12


def _curve(element: bytes) -> int:
    (count,) = struct.unpack_from(">I", element, 8)
    return int(12 + 2 * count)


def _parametric(element: bytes) -> int:
    (function,) = struct.unpack_from(">H", element, 8)
    return 12 + 4 * _PARAMETERS[function]


def _lut8(element: bytes) -> int:
    inputs, outputs, grid = element[8:11]
    return int(48 + 256 * inputs + grid**inputs * outputs + 256 * outputs)


def _lut16(element: bytes) -> int:
    inputs, outputs, grid = element[8:11]
    before, after = struct.unpack_from(">HH", element, 48)
    entries = inputs * before + grid**inputs * outputs + outputs * after
    return int(52 + 2 * entries)


def _lut_chain(element: bytes) -> int:
    """The end of a lutAToB or lutBToA whose parts lie one behind the other.

    Anything between the parts but up to three zero bytes is not a table: 0.
    """
    spans = sorted(set(_chain_spans(element)))  # equal curves may be shared
    at = 32
    for start, end in spans:
        if not at <= start <= at + 3 or any(element[at:start]):
            return 0
        at = end
    return at


def _chain_spans(element: bytes) -> list[tuple[int, int]]:
    inputs, outputs = element[8:10]
    b_curves, matrix, m_curves, table, a_curves = struct.unpack_from(">5I", element, 12)
    to_pcs = element.startswith(b"mAB ")
    pcs_side, device_side = (outputs, inputs) if to_pcs else (inputs, outputs)
    spans = [_curves_span(element, b_curves, pcs_side)]
    if matrix:
        spans.append((matrix, matrix + 48))
    if m_curves:
        spans.append(_curves_span(element, m_curves, pcs_side))
    if table:
        spans.append((table, table + _table_bytes(element[table:], inputs, outputs)))
    if a_curves:
        spans.append(_curves_span(element, a_curves, device_side))
    return spans


def _curves_span(element: bytes, start: int, count: int) -> tuple[int, int]:
    at = end = start
    for _ in range(count):
        measure = _CURVES[element[at : at + 4]]
        end = at + measure(element[at : at + 64])
        at = end + -end % 4
    return start, end


def _table_bytes(table: bytes, inputs: int, outputs: int) -> int:
    return 20 + math.prod(table[:inputs]) * outputs * table[16]


_CURVES: dict[bytes, Callable[[bytes], int]] = {b"curv": _curve, b"para": _parametric}
_MEASURES: dict[bytes, Callable[[bytes], int]] = _CURVES | {
    b"XYZ ": _xyz,
    b"sf32": _matrix,
    b"cicp": _code_points,
    b"mft1": _lut8,
    b"mft2": _lut16,
    b"mAB ": _lut_chain,
    b"mBA ": _lut_chain,
}
