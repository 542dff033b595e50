"""The README names only what exists."""

import re
from pathlib import Path

import click

from functions.sanitizer.findings import Finding
from infra.cli import pratique
from infra.platform import discover
from infra.settings import PlatformSettings, variables

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    _, _, rest = README.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def settings() -> set[str]:
    known = variables(PlatformSettings)
    for function in discover().values():
        known |= variables(function.settings)
    return known


def commands() -> dict[str, click.Command]:
    context = click.Context(pratique)
    found = {
        n: pratique.get_command(context, n) for n in pratique.list_commands(context)
    }
    return {name: command for name, command in found.items() if command}


def test_every_variable_in_the_settings_table_is_a_setting() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", section("Settings")))

    assert named
    assert named <= settings()


def test_every_command_is_in_the_operate_table_and_every_row_exists() -> None:
    rows = re.findall(
        r"^\| (.*?) \|", section("Operate").replace("\\|", "/"), re.MULTILINE
    )
    named = {code.split()[0] for row in rows for code in re.findall(r"`([^`]+)`", row)}

    assert named == set(commands())


def test_the_options_of_replay_exist() -> None:
    options = set(re.findall(r"`(--[a-z-]+)`", section("Operate"))) - {"--help"}
    known = {
        name
        for command in commands().values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }

    assert options <= known


def test_every_path_that_it_names_is_there() -> None:
    paths = set(re.findall(r"`((?:schemas|functions|infra|tests)/[\w./]*)`", README))

    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def first_cells(section_title: str, header: str) -> set[str]:
    """Return the code words in the first column of the table under *header*."""
    _, _, rest = section(section_title).partition(f"\n| {header} |")
    rows = rest.partition("\n\n")[0].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| ")]
    return {word for cell in cells for word in re.findall(r"`([a-z_]+)`", cell)}


def test_the_list_of_findings_is_the_closed_list() -> None:
    named = first_cells("What becomes of a file", "finding")

    assert named == {str(finding) for finding in Finding}


def test_every_reason_of_a_refusal_is_listed_and_every_listed_one_exists() -> None:
    named = first_cells("What becomes of a file", "reason")
    code = "".join(
        path.read_text()
        for floor in ("schemas", "functions", "infra")
        for path in (ROOT / floor).rglob("*.py")
        if "metadata" not in path.parts
    )

    refusals = r'(?:Rejected|SandboxFailure|_rejection|Refused)\(\s*"([a-z_]+)"'
    given = set(re.findall(refusals, code)) - {"unreadable_audio"}  # never the end
    assert given <= named
    assert [reason for reason in sorted(named) if f'"{reason}"' not in code] == []
