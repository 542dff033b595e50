"""What a sanitizer version stands for: the same input leads to the same bytes."""

import re
from pathlib import Path

from functions.sanitizer.core import SANITIZER_VERSION

# Every release of these may write other bytes for the same picture or sound.
CODECS = {
    "2": {
        "mutagen": "1.48.1",
        "pillow": "13.0.0",
        "pillow-heif": "1.8.1",
        "turbojpeg": "0.0.2",
    }
}


def test_the_version_is_raised_whenever_a_codec_is() -> None:
    lock = Path("requirements.lock").read_text()

    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock, re.MULTILINE))

    codecs = CODECS[SANITIZER_VERSION]
    assert {name: pinned[name] for name in codecs} == codecs
