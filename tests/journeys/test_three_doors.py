"""Files through all three doors of a running embedded service."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.demo import DOORS, Case, Demo, any_outcome, running, wait_until
from infra.samples import audio, images
from infra.samples.cases import demo_cases
from schemas.assets import Door
from tests.faults.flow import settled

PATIENCE_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journey")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    with running(folder) as started:
        yield started


def travel(demo: Demo, cases: list[Case]) -> None:
    for case in cases:
        demo.send(case)
    assert wait_until(lambda: settled(demo, cases), timeout_s=PATIENCE_S)
    assert wait_until(demo.idle, timeout_s=PATIENCE_S)


def test_every_sample_ends_as_it_should_and_a_replay_changes_nothing(
    demo: Demo, tmp_path: Path
) -> None:
    cases = demo_cases(tmp_path)
    travel(demo, cases)
    before = demo.snapshot(cases)

    replayed = demo.replay()
    idle = wait_until(demo.idle, timeout_s=PATIENCE_S)

    outcomes = {(c.path.name, c.door): c.status for c in cases}
    assert outcomes == {(c.path.name, c.door): min(c.expected) for c in cases}
    assert idle
    assert replayed > 0
    assert demo.snapshot(cases) == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.jpg", images.photo()),
        ("picture.png", images.png_with_everything()),
        ("picture.webp", images.webp()),
        ("moving.gif", images.animated_gif()),
    ],
)
def test_an_image_comes_out_clean_through_every_door(
    demo: Demo, folder: Path, tmp_path: Path, door: Door, name: str, data: bytes
) -> None:
    path = tmp_path / f"{door}-{name}"
    path.write_bytes(data)
    case = any_outcome(path, door)

    travel(demo, [case])
    copy = demo.fetch(case)

    assert case.asset is not None
    assert (case.status, case.asset.exif_stripped) == ("processed", True)
    assert copy is not None
    assert images.MARKER not in (folder / copy).read_bytes()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.wav", audio.wav()),
        ("a.flac", audio.flac()),
        ("a.mp3", audio.mp3()),
        ("a.ogg", audio.ogg_vorbis()),
        ("a.m4a", audio.m4a()),
    ],
)
def test_audio_comes_out_clean_with_its_three_figures(
    demo: Demo, folder: Path, tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    case = any_outcome(path, "form")

    travel(demo, [case])
    copy = demo.fetch(case)

    assert case.status == "processed"
    assert case.asset is not None
    assert {"duration_seconds", "samplerate", "bitrate"} <= set(case.asset.details)
    assert copy is not None
    assert audio.MARKER not in (folder / copy).read_bytes()


@pytest.mark.parametrize("door", DOORS)
def test_a_file_whose_name_is_no_text_gets_through_every_door(
    demo: Demo, tmp_path: Path, door: Door
) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"text")
    case = any_outcome(path, door)

    travel(demo, [case])

    assert case.status == "processed"


@pytest.mark.parametrize("door", DOORS)
def test_an_empty_file_is_refused_at_every_door(
    demo: Demo, tmp_path: Path, door: Door
) -> None:
    path = tmp_path / f"{door}-empty.bin"
    path.touch()
    case = any_outcome(path, door)

    travel(demo, [case])

    outcome = case.row(None)
    assert outcome["as_expected"]
    assert outcome["reason"] == "file_empty"
