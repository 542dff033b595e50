"""Private servers, started from binaries and ended exactly.

Each has its own temporary directory, free loopback ports and a password, so it
disturbs no server that is there already. It dies with the process that started it,
also by SIGKILL; of a process killed so the directory stays behind, and nothing else.
"""

from infra.servers.objectstore import MinioServer, minio
from infra.servers.postgres import (
    PostgresqlServer,
    postgresql,
    postgresql_server,
    postgresql_version,
)
from infra.servers.rabbit import RabbitAccess, RabbitServer, Vhost, rabbitmq

__all__ = [
    "MinioServer",
    "PostgresqlServer",
    "RabbitAccess",
    "RabbitServer",
    "Vhost",
    "minio",
    "postgresql",
    "postgresql_server",
    "postgresql_version",
    "rabbitmq",
]
