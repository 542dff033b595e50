"""Sessions of a PostgreSQL: seen from outside, and ended.

Each is found by the application_name that its URL gives it.
"""

from infra.engines import Database


def seen(database: Database, name: str, when: str) -> None:
    """Return once there is a session called *name* of which *when* holds."""
    _until_counted(database, "*", name, when)


def terminated(database: Database, name: str, when: str) -> None:
    """End the session called *name* once *when* holds, and see it gone."""
    _until_counted(database, "pg_terminate_backend(pid, 5000)", name, when)


def _until_counted(database: Database, what: str, name: str, when: str) -> None:
    # What ends sessions stands in the select list: WHERE may try it on every row.
    query = f"SELECT count({what}) FROM pg_stat_activity"
    query += f" WHERE application_name = '{name}' AND {when}"
    counted = 0
    with database.reading() as connection:
        while not counted:
            counted = connection.exec_driver_sql(query).scalar_one()
