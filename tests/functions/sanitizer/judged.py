"""What the image tests share: one way in, one way to look at the result."""

from io import BytesIO
from typing import Literal

from PIL import Image, ImageChops, ImageStat

from functions.sanitizer.core import Limits, Sanitized, sanitize
from functions.sanitizer.verify import av, images
from schemas.policies import Policy


def judged(
    data: bytes,
    *,
    limits: Limits | None = None,
    other: Literal["promote", "hold", "reject"] = "promote",
    released: bool = False,
) -> tuple[Sanitized, bytes]:
    """Return the verdict on *data* and what was written."""
    output = BytesIO()
    policy = Policy(other=other, released=released)
    result = sanitize(BytesIO(data), output, policy, limits or Limits())
    return result, output.getvalue()


def cleaned(data: bytes) -> bytes:
    """Return the clean copy of what must come out clean."""
    result, output = judged(data)
    assert result.verdict == "clean", result
    reader = images if result.exif_stripped else av
    assert reader.carriers(BytesIO(output), result.media_type) == []
    return output


def findings(data: bytes) -> set[str]:
    """Return the kinds that were removed, as the record will hold them."""
    result, _ = judged(data)
    assert result.verdict == "clean", result
    return {str(finding) for finding in result.findings}


def opened(data: bytes) -> Image.Image:
    """Return the decoded picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def frames(data: bytes) -> list[tuple[Image.Image, float]]:
    """Return every frame as it is shown, with its duration in milliseconds."""
    image = Image.open(BytesIO(data))
    shown = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        shown.append((image.convert("RGBA"), image.info.get("duration", 0)))
    return shown


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of what is seen, of 255."""
    assert one.size == other.size
    pair = [
        Image.alpha_composite(_backdrop(i), i.convert("RGBA")) for i in (one, other)
    ]
    return max(ImageStat.Stat(ImageChops.difference(*pair)).mean)


def _backdrop(image: Image.Image) -> Image.Image:
    return Image.new("RGBA", image.size, (127, 127, 127, 255))
