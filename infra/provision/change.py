"""What one thing is, what it should be, and how it becomes that."""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.errors import SettingsError


class NotAdministrator(SettingsError):
    """The platform's own credentials may not do, or see, what provisioning wants."""


@dataclass(frozen=True)
class Change:
    """A difference between what there is and what there has to be.

    Attributes:
        what: the thing, as its server calls it.
        apply: makes it as wanted. Safe to run twice.
    """

    what: str
    found: str
    wanted: str
    apply: Callable[[], object] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.what}: {self.found} -> {self.wanted}"
