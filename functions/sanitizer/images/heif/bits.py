"""Numbers that are not made of whole bytes, and how much of them a file may hold."""

from dataclasses import dataclass

# A thousand tiles of a hundred slices each; a hostile file has millions.
_MAX_UNITS = 200_000


class Bits:
    """Takes numbers bit by bit off the front of *data*.

    Raises:
        ValueError: by every method, where the data end too early.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)
        self._size = self._left

    @property
    def at(self) -> int:
        """How many bits were taken."""
        return self._size - self._left

    def take(self, count: int) -> int:
        """Take an unsigned number of *count* bits."""
        if count > self._left:
            raise ValueError("a header that ends early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def flag(self) -> bool:
        """Take one bit."""
        return bool(self.take(1))

    def golomb(self) -> int:
        """Take an exponential Golomb code: ue(v) of HEVC, uvlc() of AV1."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise ValueError("a number that is too large")
        return (1 << zeros) - 1 + self.take(zeros)


@dataclass
class Budget:
    """What is left of the units that one file's coded pictures may consist of."""

    units: int = _MAX_UNITS

    def spend(self) -> None:
        """Take one unit off.

        Raises:
            ValueError: there is none left.
        """
        self.units -= 1
        if self.units < 0:
            raise ValueError("too many units")
