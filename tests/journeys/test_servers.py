"""Journeys on real servers: each function a process with rights of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import pratique
from infra.demo import Case, any_outcome, running, wait_until
from infra.samples import images
from tests.journeys import sixty
from tests.processes import await_ready
from tests.worlds import Servers, World, world

pytestmark = pytest.mark.servers
_PATIENCE_S = 120


@pytest.fixture(scope="module")
def real(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose servers are real."""
    with world(servers, tmp_path_factory.mktemp("world")) as built:
        yield built


@pytest.fixture(scope="module")
def travelled(real: World, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """The sixty files at the end of their way."""
    return sixty.travelled(real.demo, tmp_path_factory.mktemp("sixty"))


def test_sixty_files_end_as_the_table_says_field_by_field(
    travelled: list[Case],
) -> None:
    rows = [sixty.row(case) for case in travelled]

    assert rows == sixty.table()


def test_sixty_files_end_as_on_the_embedded_adapters_byte_by_byte(
    travelled: list[Case], tmp_path: Path
) -> None:
    with running(tmp_path / "embedded") as demo:
        embedded = sixty.travelled(demo, tmp_path / "files")

    assert [sixty.row(case) for case in embedded] == sixty.table()
    assert sixty.hashes(travelled) == sixty.hashes(embedded)


def test_the_command_makes_the_bytes_that_the_pipeline_makes(
    travelled: list[Case], tmp_path: Path
) -> None:
    folder = travelled[0].path.parent
    call = ["sanitize", str(folder), "--out", str(tmp_path), "--json"]

    result = CliRunner().invoke(pratique, call)

    rows = map(json.loads, result.stdout.splitlines())
    by_command = {
        (Path(row["file"]).name, row["source_sha256"], row["sha256"]) for row in rows
    }
    assert result.exit_code == 0
    assert by_command == set(sixty.hashes(travelled))


def test_nothing_is_left_in_queues_and_in_quarantine_but_what_is_held(
    real: World, travelled: list[Case]
) -> None:
    idle = wait_until(real.demo.idle, timeout_s=_PATIENCE_S, pause_s=0.5)

    bucket = real.platform.settings.quarantine_bucket
    left = {info.ref.key for info in real.platform.store.list(bucket)}
    held = {c.asset.source_key for c in travelled if c.asset and c.status == "held"}
    assert idle
    assert left == held


def test_a_replay_of_the_journal_changes_nothing(
    real: World, travelled: list[Case]
) -> None:
    before = real.demo.snapshot(travelled)

    replayed = real.demo.replay()
    idle = wait_until(real.demo.idle, timeout_s=_PATIENCE_S, pause_s=0.5)

    assert replayed >= len(travelled)
    assert idle
    assert real.demo.snapshot(travelled) == before


def test_a_clean_copy_is_downloaded_from_the_store_itself(
    real: World, travelled: list[Case]
) -> None:
    photo = next(case for case in travelled if case.path.name == "photo.jpg")

    copy = real.demo.fetch(photo)

    assert copy is not None
    data = (real.demo.folder / copy).read_bytes()
    assert images.MARKER not in data
    assert photo.asset is not None
    assert len(data) == photo.asset.size_bytes


def test_sigterm_under_load_ends_every_process_with_0_and_loses_nothing(
    real: World, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(images.photo())
    cases = [any_outcome(path, "form") for _ in range(10)]
    for case in cases:
        real.demo.send(case)

    codes = [process.stop() for process in real.everyone]
    for process in real.everyone:
        process.start()
    await_ready(real.everyone)

    def all_processed() -> bool:
        for case in cases:
            real.demo.look(case)
        return all(case.status == "processed" for case in cases)

    assert codes == [0] * len(real.everyone)
    assert wait_until(all_processed, timeout_s=_PATIENCE_S, pause_s=0.2)
