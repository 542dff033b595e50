"""Sound streams through the strippers."""

import tracemalloc

from functions.sanitizer.av.strip import strip
from infra.samples import audio
from tests.functions.sanitizer.streams import Nowhere, Sparse


def test_memory_does_not_grow_with_the_sound() -> None:
    size = 1 << 28
    head = audio.wav(seconds=0)[:36] + b"data" + (size - 44).to_bytes(4, "little")
    output = Nowhere()
    tracemalloc.start()

    strip(Sparse(head, size), output, "audio/wav")  # type: ignore[arg-type] # as a file

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert output.size == size
    assert peak < 1 << 20
