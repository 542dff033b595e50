"""`pratique provision` on the embedded platform."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import pratique
from infra.platform import Platform
from infra.settings import PlatformSettings, load


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRATIQUE_STORE", f"file:{tmp_path}/objects")
    monkeypatch.setenv("PRATIQUE_BROKER", f"sqlite:{tmp_path}/broker.db")
    monkeypatch.setenv("PRATIQUE_DATABASE", f"sqlite:///{tmp_path}/assets.db")


def call(*options: str) -> Result:
    return CliRunner().invoke(pratique, ["provision", *options], catch_exceptions=False)


def test_each_change_is_a_line_of_progress() -> None:
    result = call()

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "queue metadata: missing or drifted -> bound to object.created.clean",
        "queue sanitizer: missing or drifted -> bound to object.created.quarantine",
        "bucket quarantine: missing or drifted -> there, with versions",
        "bucket clean: missing or drifted -> there, without versions",
        "bucket originals: missing or drifted -> there, without versions",
        "bucket ledger: missing or drifted -> there, without versions",
        "tables: missing or old -> newest schema",
    ]


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--json",)])
def test_when_all_is_there_nothing_is_to_change(options: tuple[str, ...]) -> None:
    call()

    result = call(*options)

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "nothing to change\n"


def test_a_dry_run_shows_the_difference_and_changes_nothing(tmp_path: Path) -> None:
    result = call("--dry-run")

    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 7
    assert not (tmp_path / "objects").exists()
    assert call("--dry-run").stdout == result.stdout


def test_a_difference_is_told_to_programs() -> None:
    call()
    with Platform(load(PlatformSettings, port=0)) as platform:
        platform.broker.provision({"metadata": "elsewhere"})

    result = call("--dry-run", "--json")

    assert json.loads(result.stdout) == {
        "what": "queue metadata",
        "found": "missing or drifted",
        "wanted": "bound to object.created.clean",
    }
