"""Prints a filled .env: `(umask 077; set -C; python3 -m infra.secrets > .env)`.

Needs no package. The names are those that .env.example leaves empty.
"""

import re
import secrets
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / ".env.example"
_EMPTY = re.compile(r"^([A-Z][A-Z0-9_]*)=$", re.MULTILINE)
_BYTES = 16  # 128 bits; MinIO takes 40 characters at most


def filled(example: str) -> str:
    """Return *example* with a secret of its own after each empty name.

    Hexadecimal, as the secrets become parts of URLs.
    """
    return _EMPTY.sub(lambda name: f"{name[1]}={secrets.token_hex(_BYTES)}", example)


if __name__ == "__main__":
    sys.stdout.write(filled(EXAMPLE.read_text("utf-8")))
