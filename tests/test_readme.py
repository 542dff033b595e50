"""The README names only what exists."""

import re
from pathlib import Path

import click

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
