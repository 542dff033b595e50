"""Run by Alembic with a connection that is in a transaction already."""

from alembic import context
from sqlmodel import SQLModel

import schemas.assets  # noqa: F401  (its import fills the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
)
context.run_migrations()
