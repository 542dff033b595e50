"""The tables' history, run from here without an alembic.ini.

To add a step: change the models, then write versions/NNNN_what.py by hand; a test says
whether models and steps agree on both databases.
"""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to the newest schema within the caller's transaction.

    One at a time: Alembic keeps the migration that runs in a global of its module.
    """
    config = Config()
    # Found by package, so in a checkout and when installed.
    config.set_main_option("script_location", "infra:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
