"""Schemas for tests on a PostgreSQL that they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import sqlalchemy as sa


@contextmanager
def schema(admin: sa.Engine) -> Iterator[str]:
    """Give the URL of an empty schema; drop it and all that is in it afterwards."""
    name = f"test_{uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    url = admin.url.update_query_dict({"options": f"-c search_path={name}"})
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.schema.DropSchema(name, cascade=True))
