"""Who may do what on the broker: the least that each one's work wants."""

import re
from dataclasses import dataclass

from infra.brokers.topology import EVENTS
from infra.platform import Platform
from schemas.functions import EventFunction, Function

_NOTHING = "^$"


@dataclass(frozen=True)
class Rights:
    """What a user may do, as patterns of names of exchanges and queues."""

    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    tags: tuple[str, ...] = ()

    @property
    def permissions(self) -> dict[str, str]:
        """The part that belongs to one vhost."""
        return {"configure": self.configure, "write": self.write, "read": self.read}


def broker_users(platform: Platform) -> dict[str, Rights]:
    """Return every user and what it may do."""
    written = ["amq.default"]
    if not platform.settings.store.get_secret_value().startswith("s3+"):
        written.append(EVENTS)  # no server announces what functions put
    return {
        # It declares the exchange at each event, so it has to be allowed to.
        "minio": Rights(configure=_only(EVENTS), write=_only(EVENTS)),
        # The tag lets `status`, `dead` and `replay` ask the management API.
        "operator": Rights(".*", ".*", ".*", tags=("management",)),
        **{
            name: Rights(write=_only(*written), read=_queue(function))
            for name, function in platform.functions.items()
        },
    }


def _only(*names: str) -> str:
    return f"^({'|'.join(map(re.escape, names))})$"


def _queue(function: Function) -> str:
    return _only(function.name) if isinstance(function, EventFunction) else _NOTHING
