"""Getting MinIO: built once, whole or not at all."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.servers.install import install
from schemas.errors import Unavailable

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[2]
GO = """#!/bin/sh
case "$1" in
env) echo go1.24.0 ;;
install) echo build >> "{log}"; cp /bin/true "$GOBIN/minio" ;;
esac
"""
BROKEN_GO = """#!/bin/sh
[ "$1" = env ] && { echo go1.24.0; exit; }
echo half > "$GOBIN/minio"
echo "the proxy said no"
exit 1
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache with nothing in it, and no MinIO elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    return tmp_path / "cache" / "pratique" / "bin"


def a_go(folder: Path, script: str) -> None:
    go = folder / "go"
    go.write_text(script)
    go.chmod(stat.S_IRWXU)


def test_two_that_want_minio_at_once_build_it_once(cache: Path, tmp_path: Path) -> None:
    a_go(tmp_path, GO.format(log=tmp_path / "log"))
    command = [sys.executable, "-m", "infra.servers", "install", "minio"]

    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]

    assert [one.wait() for one in both] == [0, 0]
    assert (tmp_path / "log").read_text() == "build\n"
    assert (cache / "minio").read_bytes() == Path("/bin/true").read_bytes()


def test_a_build_that_failed_says_why_and_leaves_no_binary(
    cache: Path, tmp_path: Path
) -> None:
    a_go(tmp_path, BROKEN_GO)

    with pytest.raises(Unavailable, match="the proxy said no"):
        install(["minio"])

    assert [path.name for path in cache.iterdir()] == ["minio.lock"]


def test_what_is_there_is_not_installed_again(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "minio").touch()

    install(["minio"])

    assert [path.name for path in cache.iterdir()] == ["minio"]
