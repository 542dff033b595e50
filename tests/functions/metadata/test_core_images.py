"""The size of an image, from its header."""

import io

import pytest
from PIL import Image

from functions.metadata.core import describe
from schemas.errors import Rejected


def picture(kind: str, *, frames: int = 1) -> bytes:
    images = [Image.new("RGB", (30, 20), (n, n * 9, 200)) for n in range(frames)]
    output = io.BytesIO()
    images[0].save(output, kind, save_all=frames > 1, append_images=images[1:])
    return output.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"])
def test_an_image_yields_size_frames_and_mode(kind: str) -> None:
    found = describe(io.BytesIO(picture(kind)), "image/any")

    assert found == {"width": 30, "height": 20, "frames": 1, "mode": "RGB"}


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_frames_of_an_animation_are_counted(kind: str) -> None:
    found = describe(io.BytesIO(picture(kind, frames=4)), "image/any")

    assert found["frames"] == 4


@pytest.mark.parametrize("data", [picture("PNG")[:20], b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_an_image_that_is_broken_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        describe(io.BytesIO(data), "image/any")

    assert caught.value.reason == "unreadable_image"
    assert caught.value.detail.endswith(".")


def test_a_format_off_the_list_is_no_image_for_it() -> None:
    with pytest.raises(Rejected) as caught:
        describe(io.BytesIO(b"/* XPM */ static char *a[] = {"), "image/x-xpixmap")

    assert caught.value.reason == "unreadable_image"
