"""What decoding a JPEG costs, told from its headers and the size of its code."""

_SIDE = 8  # of a block


def samples(
    size: tuple[int, int], components: list[tuple[int, int, int]]
) -> dict[int, int]:
    """Return how many samples each component has, in whole blocks.

    Args:
        components: identifier, sampling factors and quantisation table of each.
    """
    factors = [(number, both >> 4, both & 15) for number, both, _ in components]
    widest = max((across for _, across, _ in factors), default=1)
    highest = max((down for *_, down in factors), default=1)
    return {
        number: _blocks(size[0] * across, widest) * _blocks(size[1] * down, highest)
        for number, across, down in factors
    }


def weight(coded_bytes: int, *, progressive: bool, arithmetic: bool) -> int:
    """Return how many bytes of progressive Huffman codes may take as long."""
    if arithmetic:
        return 5 * coded_bytes
    return coded_bytes if progressive else coded_bytes // 5


def _blocks(length: int, factor: int) -> int:
    """Return a side in samples, once it is divided and rounded up to blocks."""
    divisor = max(factor, 1) * _SIDE
    return -(-length // divisor) * _SIDE
