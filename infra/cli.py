"""The `pratique` command.

Exit codes: 0 done; 1 done, but not every outcome was the wanted one; 2 wrong usage or
settings; 3 it could not be done; 4 a server could not be reached.
"""

import sys
from pathlib import Path

import click

from infra import logs
from infra.commands import assets, dead, demo, held, local, operate, projects, replay
from infra.commands import serve as serve_commands
from infra.commands.output import Session, explain
from schemas.errors import PratiqueError, SettingsError, Unavailable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    help="Read settings from this file; the environment wins.",
)
@click.pass_context
def pratique(context: click.Context, env_file: Path | None) -> None:
    """Quarantine and clearance for files that people upload."""
    context.obj = Session(env_file)


for command in (
    demo.demo,
    serve_commands.run,
    serve_commands.provision,
    projects.project,
    assets.upload,
    assets.drop,
    assets.show,
    assets.list_assets,
    operate.status,
    operate.reconcile,
    operate.doctor,
    replay.replay,
    dead.dead,
    held.held,
    local.sanitize_files,
    local.describe_files,
):
    pratique.add_command(command)


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
