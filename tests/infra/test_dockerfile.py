"""infra/Dockerfile and .dockerignore, as far as that can be seen without an engine."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docker.utils.build import PatternMatcher  # type: ignore[import-untyped]  # no stubs

from infra.settings import PlatformSettings, variables
from tests.compositions import DOCKERFILE, ROOT, last, stages

FINAL = [
    name for name in stages() if "CMD" in {i["instruction"] for i in stages()[name]}
]
IGNORED = PatternMatcher((ROOT / ".dockerignore").read_text().splitlines())
PYTHON = re.compile(r"python:3\.\d+\.\d+-slim-[a-z]+")


def copied() -> set[str]:
    return {
        source
        for stage in stages().values()
        for instruction in stage
        if instruction["instruction"] == "COPY" and "--from" not in instruction["value"]
        for source in instruction["value"].split()[:-1]
    }


def test_a_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    done = subprocess.run(
        [hadolint, DOCKERFILE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_every_base_image_is_one_of_ours_or_pinned() -> None:
    bases = {stage[0]["value"].partition(" AS ")[0] for stage in stages().values()}

    assert {base for base in bases if not PYTHON.fullmatch(base)} == set()
    assert len(bases) == 1  # what was installed for one Python runs on the same


@pytest.mark.parametrize("stage", FINAL)
def test_nobody_runs_as_root(stage: str) -> None:
    user, _, group = last(stage, "USER").partition(":")

    assert int(user) >= 10_000
    assert int(group) >= 10_000


@pytest.mark.parametrize("stage", FINAL)
def test_no_shell_stands_between_a_signal_and_the_process(stage: str) -> None:
    assert json.loads(last(stage, "ENTRYPOINT")) == ["python", "-m", "infra"]
    assert isinstance(json.loads(last(stage, "CMD")), list)
    assert last(stage, "STOPSIGNAL") == "SIGTERM"


@pytest.mark.parametrize("stage", sorted({*FINAL} - {"pratique"}))
def test_a_function_is_asked_whether_it_lives(stage: str) -> None:
    _, _, command = last(stage, "HEALTHCHECK").partition(" CMD ")

    assert json.loads(command) == ["python", "-m", "infra.healthcheck", "livez"]


def test_operators_get_their_image_if_they_name_no_target() -> None:
    assert list(stages())[-1] == "pratique"


def test_packages_are_installed_before_any_code_is_copied() -> None:
    values = [instruction["value"] for instruction in stages()["packages"]]

    assert values[1] == "requirements.lock /"
    assert "--require-hashes" in values[2]
    assert "--no-cache-dir" in values[2]


def test_the_variables_that_it_sets_are_settings() -> None:
    named = set(re.findall(r"\b(PRATIQUE_\w+)=", last("runtime", "ENV")))

    assert named
    assert named <= variables(PlatformSettings)


def test_what_is_copied_is_there_and_gets_to_the_builder() -> None:
    assert copied() == {"requirements.lock", "schemas", "functions", "infra"}
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert [name for name in copied() if IGNORED.matches(name)] == []


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".env",
        ".venv/bin/python",
        "data/assets.db",
        "tests/conftest.py",
        "docker-compose.yml",
        "infra/__pycache__/cli.cpython-311.pyc",
    ],
)
def test_nothing_else_gets_to_the_builder(path: str) -> None:
    assert IGNORED.matches(path)


def test_the_code_that_is_copied_is_whole() -> None:
    modules = [
        str(path.relative_to(ROOT))
        for name in copied()
        for path in (ROOT / name).rglob("*.py")
    ]

    assert "infra/cli.py" in modules
    assert [path for path in modules if IGNORED.matches(path)] == []
