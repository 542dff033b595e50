"""One call of the command: settings, platform, and how errors are told."""

from functools import cached_property
from pathlib import Path

import click

from infra.platform import Platform
from infra.settings import PlatformSettings, load
from schemas.errors import PratiqueError


class NotDone(click.ClickException):
    """What was asked for can't be done; nothing was changed."""

    exit_code = 3


class Session:
    """One call of the command: its settings and the platform, opened when needed."""

    def __init__(self, env_file: Path | None) -> None:
        self.env_file = env_file

    @cached_property
    def settings(self) -> PlatformSettings:
        """The platform's settings."""
        return load(PlatformSettings, self.env_file)

    @cached_property
    def platform(self) -> Platform:
        """The platform; closed when the command ends."""
        platform = Platform(self.settings, env_file=self.env_file)
        click.get_current_context().find_root().call_on_close(platform.close)
        return platform


pass_session = click.make_pass_decorator(Session)


def explain(exc: PratiqueError) -> str:
    """Return what is printed for an error."""
    return f"error: {exc.code}: {exc}"
