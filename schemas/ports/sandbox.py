"""The sandbox port."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

T = TypeVar("T")


class Sandbox(Protocol):
    """Runs pure cores in processes that can be lost.

    A core is a function of a module, found by its name. It runs without the network,
    under limits of memory, processor time, wall clock, open files and file size. One
    core's end leaves every other one unharmed, and the pool refills.
    """

    def run(self, core: Callable[..., T], /, *arguments: object) -> T:
        """Run *core* and return its result.

        An open file among *arguments* is the same open file there; a RangedReader
        becomes a seekable BinaryIO whose reads are fetched by range; everything else
        is pickled. The result comes back as JSON and is validated against the core's
        return annotation, so nothing a hijacked core sends is executed.

        Raises:
            Rejected: the core raised it, or went past its memory (`memory_limit`) or
                processor time (`cpu_limit`).
            SandboxFailure: it was killed by the wall clock (`core_timeout`) or a
                signal (`core_crashed`), or raised anything else (`core_failed`).
        """

    def protections(self) -> Mapping[str, bool]:
        """Return by name which protections confine cores, and which are missing here.

        Empty until the first process is ready.
        """

    def close(self) -> None:
        """End every process. Safe to run twice."""
