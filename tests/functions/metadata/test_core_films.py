"""How long and how large a film is, from its headers."""

import struct

import pytest

from functions.metadata.core import describe
from schemas.errors import Rejected
from tests.functions.metadata import films
from tests.functions.metadata.far import Far, near

FILE_TYPE = films.box(b"ftyp", b"isom", bytes(4))
MEDIA = films.box(b"mdat", bytes(1000))


def facts(data: bytes) -> dict[str, int | float | str | bool]:
    return describe(near(data), "video/any")  # type: ignore[arg-type] # reads like a file


def test_a_film_yields_its_length_and_size_and_whether_it_sounds() -> None:
    movie = films.movie(films.track(1, b"vide"), films.track(2, b"soun"))

    found = facts(FILE_TYPE + movie + MEDIA)

    assert found == {
        "duration_seconds": 60.0,
        "width": 320,
        "height": 180,
        "has_audio": True,
    }


def test_a_film_that_was_turned_has_the_size_that_is_seen() -> None:
    movie = films.movie(films.track(1, b"vide", matrix=films.TURNED))

    found = facts(FILE_TYPE + MEDIA + movie)

    assert (found["width"], found["height"], found["has_audio"]) == (180, 320, False)


@pytest.mark.parametrize("each_its_own", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_fragments_last_as_long_as_the_last_one_of_a_track_says(
    listed: bool, each_its_own: bool
) -> None:
    made = films.in_fragments(count=400, listed=listed, each_its_own=each_its_own)
    source = near(made)

    found = describe(source, "audio/any")  # type: ignore[arg-type] # reads like a file

    assert found["duration_seconds"] == pytest.approx(400.0)
    assert len(source.fetched) <= 6


def test_a_film_of_hours_costs_six_blocks_at_most() -> None:
    tables = [
        films.track(n, kind, samples=200_000)
        for n, kind in ((1, b"vide"), (2, b"soun"))
    ]
    movie = films.movie(*tables)
    size = 500 << 20
    media = struct.pack(">I4s", size - len(movie) - len(FILE_TYPE), b"mdat")
    source = Far(size, {0: FILE_TYPE + media, size - len(movie): movie})

    found = describe(source, "video/any")  # type: ignore[arg-type] # reads like a file

    assert (found["duration_seconds"], len(source.fetched) <= 6) == (60.0, True)


def test_a_film_that_was_cut_is_refused_with_a_sentence() -> None:
    movie = films.movie(films.track(1, b"vide"))

    with pytest.raises(Rejected, match="cut off"):
        facts((FILE_TYPE + movie + MEDIA)[:-1])


def test_a_movie_that_contains_itself_without_end_is_refused() -> None:
    nested = b""
    for _ in range(2000):
        nested = films.box(b"moov", nested)

    with pytest.raises(Rejected):
        facts(FILE_TYPE + nested)
