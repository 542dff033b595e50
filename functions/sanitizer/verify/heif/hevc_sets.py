"""Where a parameter set of HEVC ends: a one and zeros must follow its last field.

Source: ITU-T H.265, 7.3.2 and annex E.
"""


class _Walk:
    """Passes over fields: `u` of so many bits, `e` coded by Exponential Golomb."""

    def __init__(self, unit: bytes) -> None:
        content = unit[2:].replace(b"\0\0\3", b"\0\0")
        self.bits = "".join(f"{byte:08b}" for byte in content)
        self.at = 0

    def u(self, count: int = 1) -> int:
        self.at += count
        if self.at > len(self.bits):
            raise ValueError("a parameter set that ends early")
        return int(self.bits[self.at - count : self.at] or "0", 2)

    def e(self, times: int = 1) -> int:
        value = 0
        for _ in range(times):
            one = self.bits.find("1", self.at)
            if one < 0:
                raise ValueError("a parameter set that ends early")
            zeros, self.at = one - self.at, one
            value = self.u(zeros + 1) - 1
        return value

    def levels(self, layers: int) -> None:
        self.u(96)
        flags = [self.u(2) for _ in range(8 if layers else 0)][:layers]
        for flag in flags:
            self.u(88 * (flag >> 1) + 8 * (flag & 1))

    def order(self, layers: int) -> None:
        self.e(3 * (1 + layers * self.u()))

    def lists(self) -> None:
        for coefficients, matrices in ((16, 6), (64, 6), (65, 6), (65, 2)):
            for _ in range(matrices):
                self.e(coefficients if self.u() else 1)


def ends_well(unit: bytes) -> bool:
    """Say whether nothing lies behind the last field of a set.

    Raises:
        ValueError: it ends early.
    """
    walk = _Walk(unit)
    {32: _video, 33: _sequence, 34: _picture}[unit[0] >> 1](walk)
    rest = walk.bits[walk.at :]
    return len(rest) <= 8 and rest.rstrip("0") == "1"


def _video(walk: _Walk) -> None:
    walk.u(12)
    layers = walk.u(3)
    walk.u(17)
    walk.levels(layers)
    walk.order(layers)
    width = walk.u(6) + 1
    walk.u(width * walk.e())
    if walk.u(2):
        raise ValueError("a set that says more than what it is for")


def _sequence(walk: _Walk) -> None:
    walk.u(4)
    layers = walk.u(3)
    walk.u(1)
    walk.levels(layers)
    walk.e()
    walk.u(walk.e() == 3)
    walk.e(2)
    walk.e(4 * walk.u())
    walk.e(2)
    counter = walk.e() + 4
    walk.order(layers)
    walk.e(6)
    if walk.u() and walk.u():
        walk.lists()
    walk.u(2)
    if walk.u():
        walk.u(8)
        walk.e(2)
        walk.u()
    _references(walk)
    walk.u((counter + 1) * walk.e() if walk.u() else 0)
    walk.u(2)
    if walk.u():
        _use(walk, layers)
    walk.u(9 * _ranges(walk))


def _ranges(walk: _Walk) -> int:
    extensions = walk.u(8) if walk.u() else 0
    if extensions & 0x7F:
        raise ValueError("an extension that is not on the list")
    return extensions >> 7


def _references(walk: _Walk) -> None:
    last = 0
    for index in range(walk.e()):
        if index and walk.u():
            walk.u()
            walk.e()
            last = sum(1 if walk.u() else walk.u() for _ in range(last + 1))
        else:
            last = walk.e()
            last += walk.e()
            for _ in range(last):
                walk.e()
                walk.u()


def _use(walk: _Walk, layers: int) -> None:
    if walk.u():
        walk.u(32 * (walk.u(8) == 255))
    walk.u(walk.u())
    if walk.u():
        walk.u(4)
        walk.u(24 * walk.u())
    walk.e(2 * walk.u())
    walk.u(3)
    walk.e(4 * walk.u())
    if walk.u():
        walk.u(64)
        walk.e(walk.u())
        if walk.u():
            _buffers(walk, layers)
    if walk.u():
        walk.u(3)
        walk.e(5)


def _buffers(walk: _Walk, layers: int) -> None:
    kinds = walk.u() + walk.u()
    small = walk.u() if kinds else 0
    walk.u((23 + 23 * small) if kinds else 0)
    for _ in range(layers + 1):
        fixed = walk.u() or walk.u()
        late = 0
        if fixed:
            walk.e()
        else:
            late = walk.u()
        count = 1 if late else walk.e() + 1
        for _ in range(kinds * count):
            walk.e(2 + 2 * small)
            walk.u()


def _picture(walk: _Walk) -> None:
    walk.e(2)
    walk.u(7)
    walk.e(3)
    skips = walk.u(2) & 1
    walk.e(walk.u())
    walk.e(2)
    tiled = walk.u(6) >> 1 & 1
    if tiled:
        edges = walk.e()
        edges += walk.e()
        walk.e(0 if walk.u() else edges)
        walk.u()
    walk.u()
    if walk.u():
        walk.u()
        walk.e(0 if walk.u() else 2)
    if walk.u():
        walk.lists()
    walk.u()
    walk.e()
    walk.u()
    if _ranges(walk):
        walk.e(skips)
        walk.u()
        if walk.u():
            walk.e()
            walk.e(2 * walk.e() + 2)
        walk.e(2)
