"""What a RabbitMQ broker needs besides its URL."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class AmqpOptions:
    """The retry ladder, and where figures are asked for.

    Attributes:
        management: URL of the management API with user and password; None where
            nobody asks for depths or bindings.
        delays: the rungs; each is a queue.
    """

    management: str | None = None
    delays: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
    )
