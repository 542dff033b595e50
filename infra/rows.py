"""How a model's attributes and its table's columns belong together."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import SQLModel

from schemas.doors import is_storable
from schemas.errors import InvalidRecord

M = TypeVar("M", bound=SQLModel)


class Columns(Generic[M]):
    """The columns of one model's table, by attribute.

    Attributes:
        labeled: what to select or return, so that read finds every attribute.
    """

    def __init__(self, model: type[M]) -> None:
        mapper = sa.inspect(model, raiseerr=True)
        self._columns = {attr.key: attr.columns[0] for attr in mapper.column_attrs}
        self._class = mapper.class_manager
        self.table: sa.Table = mapper.local_table
        self.labeled = [column.label(name) for name, column in self._columns.items()]

    def read(self, row: sa.Row[Any]) -> M:
        """Return a plain instance that belongs to no session.

        Filled as the ORM fills one: validation would cost ten times as much, and the
        row is ours.
        """
        instance: M = self._class.new_instance()
        instance.__dict__.update(row._mapping)
        instance.__pydantic_fields_set__.update(self._columns)
        return instance

    def values(self, instance: M) -> dict[str, Any]:
        """Return an instance's attributes."""
        return {name: getattr(instance, name) for name in self._columns}

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return attributes as parameters of an INSERT or UPDATE.

        Both databases refuse the same values here: SQLite alone would store them, and
        PostgreSQL's driver has errors of its own for some.

        Raises:
            InvalidRecord: a value that PostgreSQL does not take.
        """
        bound = {}
        for name, value in values.items():
            column = self._columns[name]
            if not _fits(value, column.type):
                raise InvalidRecord(f"{column}: a value that no database may hold")
            bound[column.key] = value
        return bound


def _fits(value: object, kind: sa.types.TypeEngine[Any]) -> bool:
    if isinstance(value, str):
        longest = getattr(kind, "length", None)
        return is_storable(value) and (longest is None or len(value) <= longest)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return True
