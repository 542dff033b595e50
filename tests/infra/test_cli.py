"""The command line on the embedded platform."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.cli import main, pratique
from infra.platform import Platform
from infra.samples import audio, images
from schemas.assets import Project
from schemas.errors import PermanentError
from schemas.lifecycle import Status
from schemas.ports import Message
from tests.platforms import (
    PROJECT,
    asset_of,
    clean_info,
    deliver,
    dropped,
    embedded,
    quarantine,
    quarantined,
)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        for name in ("store", "broker", "database"):
            url = getattr(opened.settings, name).get_secret_value()
            monkeypatch.setenv(f"PRATIQUE_{name.upper()}", url)
        yield opened


def call(*arguments: str) -> Result:
    return CliRunner().invoke(pratique, arguments, catch_exceptions=False)


def rows(*arguments: str) -> list[dict[str, Any]]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_doctor_finds_a_provisioned_platform_well(platform: Platform) -> None:
    checks = rows("doctor")

    assert all(check["ok"] for check in checks), checks
    assert {"store", "queues", "tables", "sandbox"} <= {c["check"] for c in checks}


def test_doctor_says_how_to_mend_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = call("doctor")

    assert result.exit_code == 1
    assert "pratique provision" in result.stdout


def test_a_dropped_file_is_listed_and_shown_with_its_timeline(
    platform: Platform, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(images.photo())

    call("drop", str(photo), "--project", PROJECT, "--consent")
    deliver(platform, "sanitizer", quarantine(platform)[0])
    listed = rows("list", "--project", PROJECT)
    shown = rows("show", listed[0]["id"])[0]

    assert [asset["status"] for asset in listed] == ["sanitized"]
    assert [event["status"] for event in shown["timeline"]][-1] == "sanitized"
    assert shown["filename"] == "photo.jpg"


def test_a_dropped_file_without_consent_waits(
    platform: Platform, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(images.photo())

    call("drop", str(photo), "--project", PROJECT)
    deliver(platform, "sanitizer", quarantine(platform)[0])

    assert rows("list", "--status", "awaiting_consent")


def test_show_of_an_unknown_asset_is_a_clear_error(platform: Platform) -> None:
    with pytest.raises(PermanentError, match="00000000-0000"):
        call("show", "00000000-0000-4000-8000-000000000000")


def test_reconcile_makes_one_pass_of_the_janitor(platform: Platform) -> None:
    quarantined(platform, b"text")

    did = rows("reconcile")

    assert did == [{"function": "janitor", "did": "arrived", "times": 1}]


def test_status_counts_queues_and_assets(platform: Platform) -> None:
    quarantined(platform, b"text")

    shown = rows("status")

    queues = {row["queue"]: row["ready"] for row in shown if "queue" in row}
    counts = {row["status"]: row["assets"] for row in shown if "status" in row}
    assert (queues["sanitizer"], counts) == (1, {"pending": 1})


def test_a_dry_replay_counts_and_sends_nothing(platform: Platform) -> None:
    dropped(platform, b"text")
    before = platform.broker.depths()["sanitizer"].ready

    counted = rows("replay", "--from", "bucket", "--dry-run")

    assert {"function": "sanitizer", "events": 1} in counted
    assert platform.broker.depths()["sanitizer"].ready == before


@pytest.mark.parametrize("origin", ["bucket", "journal", "records"])
def test_a_replay_sends_the_events_to_their_functions(
    platform: Platform, origin: str
) -> None:
    info = quarantined(platform, b"text")
    deliver(platform, "sanitizer", info)
    before = platform.broker.depths()["metadata"].ready

    sent = rows("replay", "--from", origin, "--function", "metadata")

    assert sent == [{"function": "metadata", "events": 1}]
    assert platform.broker.depths()["metadata"].ready == before + 1


def test_a_replay_of_one_asset_leaves_the_others_alone(platform: Platform) -> None:
    info = dropped(platform, b"text")
    dropped(platform, b"other", "other.bin")
    deliver(platform, "sanitizer", info)
    asset = asset_of(platform, info)

    sent = rows("replay", "--from", "journal", "--id", str(asset.id), "--dry-run")

    assert {row["function"]: row["events"] for row in sent} == {
        "sanitizer": 1,
        "metadata": 1,
    }


def test_dead_letters_are_listed_redriven_and_dropped(platform: Platform) -> None:
    for body in (b"one", b"two"):
        platform.broker.send("sanitizer", Message(body))
    with platform.broker.subscribe("sanitizer", prefetch=2) as subscription:
        while delivery := subscription.receive(timedelta(0)):
            delivery.dead_letter("malformed_event: no")

    listed = rows("dead", "list")
    again = rows("dead", "list")
    call("dead", "redrive", listed[0]["id"])
    call("dead", "drop", listed[1]["id"])

    assert listed == again
    assert [row["reason"] for row in listed] == ["malformed_event: no"] * 2
    assert rows("dead", "list") == []
    assert platform.broker.depths()["sanitizer"].ready == 1


def test_a_held_file_is_released_untouched(platform: Platform) -> None:
    platform.records.save_project(Project(id=PROJECT, other="hold"))
    info = quarantined(platform, b"text")
    deliver(platform, "sanitizer", info)
    asset_id = rows("held", "list")[0]["id"]

    call("held", "release", asset_id)
    deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert (asset.status, asset.promotion) == (Status.SANITIZED, "passed")
    assert clean_info(platform, asset).size_bytes == 4


def test_a_held_file_is_rejected_and_its_bytes_deleted(platform: Platform) -> None:
    platform.records.save_project(Project(id=PROJECT, other="hold"))
    info = quarantined(platform, b"text")
    deliver(platform, "sanitizer", info)

    call("held", "reject", str(asset_of(platform, info).id))

    asset = asset_of(platform, info)
    assert (asset.status, asset.reason) == (Status.REJECTED, "rejected_by_operator")
    assert quarantine(platform) == []


def test_a_decision_on_what_is_not_held_any_more_is_refused(platform: Platform) -> None:
    platform.records.save_project(Project(id=PROJECT, other="hold"))
    info = quarantined(platform, b"text")
    deliver(platform, "sanitizer", info)
    asset_id = str(asset_of(platform, info).id)
    call("held", "reject", asset_id)

    late = call("held", "release", asset_id)

    assert late.exit_code == 3
    assert "is rejected, not held" in late.stderr


def test_projects_are_added_changed_and_listed(platform: Platform) -> None:
    call("project", "add", "shop", "--other", "reject")
    call("project", "set", "shop", "--max-bytes", "1000")

    listed = rows("project", "list")

    assert [(p["id"], p["other"], p["max_bytes"]) for p in listed] == [
        ("shop", "reject", 1000)
    ]


def test_local_files_are_sanitized_without_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(images.photo())
    (folder / "half.jpg").write_bytes(images.halved(images.photo()))
    (folder / "notes.txt").write_text("text")

    judged = rows("sanitize", str(folder), "--out", str(tmp_path / "out"))

    verdicts = {Path(row["file"]).name: row["verdict"] for row in judged}
    assert verdicts == {
        "photo.jpg": "clean",
        "half.jpg": "rejected",
        "notes.txt": "passed",
    }
    assert all((row["out"] is None) == (row["verdict"] == "rejected") for row in judged)


def test_local_files_are_described_without_a_store(tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(audio.wav(seconds=1.0))
    cut = tmp_path / "cut.wav"
    cut.write_bytes(audio.truncated(audio.wav(seconds=1.0)))

    described = rows("describe", str(sound), str(cut))

    assert described[0]["metadata"]["duration_seconds"] == pytest.approx(1.0)
    assert described[1]["error"]


def test_a_folder_that_cannot_be_used_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    argv = ["pratique", "demo", "--dir", str(tmp_path / "taken" / "below")]
    monkeypatch.setattr("sys.argv", argv)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 3
    assert capsys.readouterr().err.startswith("error: system: ")


@pytest.mark.parametrize("command", ["upload", "drop"])
def test_a_folder_is_no_file_to_send(command: str, tmp_path: Path) -> None:
    result = call(command, str(tmp_path), "--project", PROJECT, "--consent")

    assert result.exit_code == 2
    assert "is a directory" in result.output


def test_help_is_about_pratique(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["__main__.py", "--help"])

    with pytest.raises(SystemExit):
        main()

    assert capsys.readouterr().out.startswith("Usage: pratique ")


def test_a_misspelt_setting_is_noticed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRATIQUE_PROJECT", "closed")

    result = call("doctor")

    assert result.exit_code == 1
    assert "PRATIQUE_PROJECT: no such setting" in result.stdout
