"""project add, list and set."""

from typing import Any

import click

from infra.commands.output import json_option, show_rows
from infra.commands.session import NotDone, Session, pass_session
from schemas.assets import Project
from schemas.doors import is_project_id

_COLUMNS = ("id", "images", "other", "max_bytes", "created_at")


@click.group()
def project() -> None:
    """Projects and their policies."""


def _policy_options(command: Any) -> Any:
    for option in (
        click.option("--images", type=click.Choice(["rebuild", "lossless"])),
        click.option("--other", type=click.Choice(["promote", "hold", "reject"])),
        click.option("--max-bytes", type=click.IntRange(min=1)),
    ):
        command = option(command)
    return command


@project.command()
@click.argument("project_id")
@_policy_options
@pass_session
def add(session: Session, /, *, project_id: str, **policy: Any) -> None:
    """Add a project; what is not said takes the default policy."""
    if not is_project_id(project_id):
        raise click.BadParameter("1 to 64 of A-Z a-z 0-9 . _ - are allowed")
    records = session.platform.records
    if records.project(project_id) is not None:
        raise NotDone(f"project {project_id} is there; use `project set`")
    row = Project(id=project_id, created_at=session.platform.clock())
    records.save_project(_with(row, policy))


@project.command("set")
@click.argument("project_id")
@_policy_options
@pass_session
def set_policy(session: Session, /, *, project_id: str, **policy: Any) -> None:
    """Change a project's policy; what is not said stays."""
    records = session.platform.records
    row = records.project(project_id)
    if row is None:
        raise NotDone(f"no project {project_id}; use `project add`")
    records.save_project(_with(row, policy))


@project.command("list")
@json_option
@pass_session
def list_projects(session: Session, *, as_json: bool) -> None:
    """List projects and their policies."""
    rows = [row.model_dump() for row in session.platform.records.projects()]
    show_rows(rows, _COLUMNS, as_json=as_json)


def _with(row: Project, policy: dict[str, Any]) -> Project:
    given = {name: value for name, value in policy.items() if value is not None}
    return Project(**{**row.model_dump(), **given})
