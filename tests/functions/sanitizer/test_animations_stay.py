"""An animation moves the same before and after."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, difference, frames
from tests.functions.sanitizer.judged import opened as decoded


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(images.animated_png(), id="apng"),
        pytest.param(images.animated_gif(), id="gif"),
        pytest.param(images.animated_webp(), id="webp"),
        pytest.param(images.animated_webp(lossless=True), id="lossless webp"),
    ],
)
def test_an_animation_keeps_frames_durations_and_loops(source: bytes) -> None:
    output = cleaned(source)

    before, after = frames(source), frames(output)
    assert [duration for _, duration in after] == [duration for _, duration in before]
    assert len(after) == 3
    assert all(
        difference(one, other) == 0
        for (one, _), (other, _) in zip(before, after, strict=True)
    )
    assert decoded(output).info["loop"] == 3


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_a_gif_keeps_how_frames_make_room(disposal: int) -> None:
    pictures = [Image.new("P", (8, 8), 0) for _ in range(3)]
    for index, picture in enumerate(pictures):
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
        picture.paste(index + 1, (index, index, index + 3, index + 3))
    source = _saved(
        pictures[0],
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        disposal=disposal,
        transparency=0,
        optimize=False,
    )

    before, after = frames(source), frames(cleaned(source))

    assert [image.tobytes() for image, _ in after] == [
        image.tobytes() for image, _ in before
    ]


def test_the_frames_of_an_apng_keep_place_blending_and_disposal() -> None:
    first = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    second = first.copy()
    second.paste((0, 255, 0, 128), (2, 3, 6, 7))
    source = _saved(
        first,
        "PNG",
        save_all=True,
        append_images=[second, first],
        duration=40,
        disposal=[0, 2, 1],
        blend=[0, 1, 0],
    )

    output = cleaned(source)

    assert _controls(output) == _controls(source)


def _controls(png: bytes) -> list[bytes]:
    parts = png.split(b"fcTL")[1:]
    return [part[:26] for part in parts]


def test_an_apng_that_breaks_off_shows_what_came_before() -> None:
    source = images.animated_png()
    third = source.rindex(b"fcTL")
    out_of_order = b"\0\0\0\x63" + source[third + 8 : third + 30]
    damaged = images.chunk(b"fcTL", out_of_order)
    source = source[: third - 4] + damaged + source[third + 34 :]

    output = cleaned(source)

    assert len(frames(output)) == 2
