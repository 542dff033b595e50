"""The tables' history, run from here without an alembic.ini.

To add a step: change the models, then write versions/NNNN_what.py by hand; a test says
whether models and steps agree on both databases.
"""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to the newest schema within the caller's transaction.

    One at a time: Alembic keeps the migration that runs in a global of its module.
    """
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_newest(connection: sa.Connection) -> bool:
    """Return whether nothing is left to upgrade."""
    heads = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _config() -> Config:
    config = Config()
    # Found by package, so in a checkout and when installed.
    config.set_main_option("script_location", "infra:migrations")
    return config
