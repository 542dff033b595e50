"""What the tests of sound share: one way in, and files that were spoiled."""

import io
from collections.abc import Sequence

from hypothesis import strategies as st

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from schemas.errors import Rejected


def stripped(data: bytes, media_type: str) -> bytes:
    """Return what the stripper writes."""
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


def carriers_or_refusal(data: bytes, media_type: str) -> list[str] | str:
    """Return what the second reader finds in the result, or why there is none."""
    try:
        return carriers(io.BytesIO(stripped(data, media_type)), media_type)
    except Rejected as exc:
        return exc.reason


@st.composite
def spoiled(
    draw: st.DrawFn, samples: Sequence[tuple[str, bytes]], words: Sequence[bytes]
) -> tuple[str, bytes]:
    """One of *samples* in which some bytes were changed, cut out or put in."""
    media_type, data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 1, 4, 4, 4, 30, len(data)]))
        word = draw(st.one_of(st.sampled_from(words), st.binary(max_size=20)))
        data = data[:at] + word + data[at + gone :]
    return media_type, data
