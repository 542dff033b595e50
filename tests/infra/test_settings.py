"""Settings are refused in words, and secrets are never printed."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from functions.sanitizer.settings import SanitizerSettings
from infra.listening import listen
from infra.platform import discover
from infra.sandbox import SandboxSettings
from infra.settings import PlatformSettings, load
from schemas.errors import SettingsError

FUNCTIONS = [function.settings for function in discover().values()]


def test_the_defaults_need_no_server() -> None:
    settings = load(PlatformSettings)

    assert settings.store.get_secret_value().startswith("file:")
    assert settings.broker.get_secret_value().startswith("sqlite:")
    assert settings.database.get_secret_value().startswith("sqlite:")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PRATIQUE_STORE", "ftp://secret@host", "file: or s3+http: or s3+https:"),
        ("PRATIQUE_BROKER", "kafka:secret", "sqlite: or amqp:"),
        ("PRATIQUE_DATABASE", "mysql://secret@host", "sqlite: or postgresql"),
        ("PRATIQUE_PORT", "secret", "integer"),
        ("PRATIQUE_PORT", "70000", "65535"),
        ("PRATIQUE_RETRY_DELAYS_S", "secret", "retry_delays_s"),
        ("PRATIQUE_RETRY_DELAYS_S", "[5, -1]", "greater than or equal to 0"),
        ("PRATIQUE_RETRY_DELAYS_S", "[Infinity]", "finite"),
        ("PRATIQUE_RETRY_DELAYS_S", "[1e300]", "less than or equal to"),
        ("PRATIQUE_STOP_S", "inf", "less than or equal to"),
        ("PRATIQUE_OUTAGE_PAUSE_S", "inf", "less than or equal to"),
        ("PRATIQUE_GRACE_S", "1e300", "less than or equal to"),
        ("PRATIQUE_PUBLIC_URL", "secret", "https?"),
        ("PRATIQUE_PUBLIC_URL", "http://me:secret@host", "https?"),
        ("PRATIQUE_QUARANTINE_BUCKET", "q", "at least 3"),
        ("PRATIQUE_WORKERS", "0", "greater than or equal to 1"),
        ("PRATIQUE_LOG_LEVEL", "loud", "'debug', 'info'"),
    ],
)
def test_a_malformed_setting_is_refused_by_name_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        load(PlatformSettings)

    message = str(refused.value)
    assert name.removeprefix("PRATIQUE_").lower() in message.lower()
    assert allowed in message
    assert "secret" not in message


def test_buckets_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRATIQUE_CLEAN_BUCKET", "quarantine")

    with pytest.raises(SettingsError, match="four different names"):
        load(PlatformSettings)


@pytest.mark.parametrize("host", ["a..b", "203.0.113.7", "::2"])
def test_an_address_that_is_not_ours_is_refused_by_the_setting(host: str) -> None:
    with pytest.raises(SettingsError, match="PRATIQUE_HOST"):
        listen(host, 0)


def test_listening_beyond_loopback_wants_a_word_about_auth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRATIQUE_HOST", "0.0.0.0")

    with pytest.raises(SettingsError, match="PRATIQUE_AUTH=off"):
        load(PlatformSettings)


def test_an_env_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PRATIQUE_PORT=9001\nPRATIQUE_WORKERS=7\nOTHER=1\n")
    monkeypatch.setenv("PRATIQUE_PORT", "9002")

    settings = load(PlatformSettings, env_file)

    assert (settings.port, settings.workers) == (9002, 7)


@pytest.mark.parametrize("kind", [PlatformSettings, SandboxSettings, *FUNCTIONS])
def test_one_env_file_serves_everybody(
    kind: type[BaseSettings], tmp_path: Path
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text(
        "PRATIQUE_PORT=9001\nSANDBOX_OPEN_FILES=99\nJANITOR_EVERY_S=9\n"
    )

    settings = load(kind, env_file)

    assert isinstance(settings, kind)


def test_an_env_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_bytes(b"PRATIQUE_PORT=9001\n\xff\xfe")

    with pytest.raises(SettingsError, match=r"--env-file.*not UTF-8"):
        load(PlatformSettings, env_file)


def test_a_missing_env_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--env-file"):
        load(PlatformSettings, tmp_path / "missing.env")


def test_urls_with_passwords_are_not_printed() -> None:
    settings = PlatformSettings(database="postgresql://user:hunter2@host/db")

    assert "hunter2" not in repr(settings)


def test_a_limit_that_admits_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANITIZER_MAX_PIXELS", "-1")

    with pytest.raises(SettingsError, match="SANITIZER_MAX_PIXELS"):
        load(SanitizerSettings)
