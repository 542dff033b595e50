"""Settings of the upload function, as the platform reads them."""

import pytest

from functions.upload.settings import UploadSettings
from infra.settings import load
from schemas.errors import SettingsError


def test_settings_come_from_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOAD_MAX_BYTES", "7")
    monkeypatch.setenv("PRATIQUE_PROJECTS", "closed")

    settings = load(UploadSettings)

    assert (settings.max_bytes, settings.projects) == (7, "closed")


@pytest.mark.parametrize(
    ("name", "value"), [("UPLOAD_MAX_BYTES", "0"), ("PRATIQUE_PROJECTS", "ajar")]
)
def test_a_malformed_setting_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=rf"^{name}: "):
        load(UploadSettings)
