"""The `pratique` command.

Exit codes: 0 done; 1 done, but not every outcome was the wanted one; 2 wrong usage or
settings; 3 it could not be done; 4 a server could not be reached.
"""

import sys
from importlib import import_module
from pathlib import Path

import click

from infra import logs
from infra.commands.session import Session, explain
from schemas.errors import PratiqueError, SettingsError, Unavailable

# Command, module under infra.commands, its name there.
_COMMANDS = {
    "demo": ("demo", "demo"),
    "run": ("serve", "run"),
    "provision": ("provision", "provision"),
    "project": ("projects", "project"),
    "upload": ("assets", "upload"),
    "drop": ("assets", "drop"),
    "show": ("assets", "show"),
    "list": ("assets", "list_assets"),
    "status": ("operate", "status"),
    "reconcile": ("operate", "reconcile"),
    "doctor": ("operate", "doctor"),
    "replay": ("replay", "replay"),
    "dead": ("dead", "dead"),
    "held": ("held", "held"),
    "sanitize": ("local", "sanitize_files"),
    "describe": ("local", "describe_files"),
}


class _Commands(click.Group):
    """Imports a command when it is called: no command waits for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command = getattr(import_module(f"infra.commands.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    help="Read settings from this file; the environment wins.",
)
@click.pass_context
def pratique(context: click.Context, env_file: Path | None) -> None:
    """Quarantine and clearance for files that people upload."""
    context.obj = Session(env_file)


def main() -> None:
    """Run the command; say errors in one line and exit with their code."""
    logs.configure("warning", "text")
    try:
        pratique(prog_name="pratique")
    except SettingsError as exc:
        click.echo(explain(exc), err=True)
        sys.exit(2)
    except Unavailable as exc:
        click.echo(explain(exc), err=True)
        sys.exit(4)
    except PratiqueError as exc:
        click.echo(explain(exc), err=True)
        sys.exit(3)
    except OSError as exc:  # a file or folder that was named can't be used
        click.echo(f"error: system: {exc}", err=True)
        sys.exit(3)
