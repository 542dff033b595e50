"""The house rules that no linter knows."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = [
    path
    for folder in ("schemas", "functions", "infra", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def test_every_file_fits_in_300_lines() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in CODE}

    assert {path: count for path, count in lines.items() if count > 300} == {}


def test_the_three_floors_and_the_files_that_were_asked_for_are_there() -> None:
    asked_for = ["functions", "infra", "schemas", "tests", "pyproject.toml"]

    assert [name for name in asked_for if not (ROOT / name).exists()] == []
