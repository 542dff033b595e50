"""What the platform's exchanges, queues and bindings drifted to, as far as it is seen.

AMQP tells only whether something is there; the management API also tells how.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.brokers import topology
from infra.brokers.headers import dead_queue
from infra.brokers.management import Management, path
from infra.notifications import routing_key
from infra.platform import Platform
from infra.provision.change import Change
from schemas.errors import SettingsError


def changes(management: Management, vhost: str, platform: Platform) -> Iterator[Change]:
    """Return what all functions share and is missing, and bindings that are too many.

    Raises:
        SettingsError: something is there with other arguments; to make it anew would
            lose what is in it.
    """
    make = partial(platform.broker.provision, {})
    for name, kind in topology.EXCHANGES.items():
        there = management.get(path("exchanges", vhost, name))
        if there is None:
            yield Change(f"exchange {name}", "missing", kind, make)
        elif there["type"] != kind or there["arguments"] or not there["durable"]:
            raise _other(f"exchange {name}", there)
    for name, wanted in _queues(platform).items():
        there = management.get(path("queues", vhost, name))
        if there is not None and there["arguments"] != wanted:
            raise _other(f"queue {name}", there)
        if there is None and name in topology.shared_queues():
            yield Change(f"queue {name}", "missing", "there", make)
    yield from _unbound(management, vhost, platform)
    yield from _bindings(management, vhost, platform)


def _unbound(
    management: Management, vhost: str, platform: Platform
) -> Iterator[Change]:
    """Return what would keep nothing, or be kept nowhere: only this API tells."""
    make = partial(platform.broker.provision, {})
    wanted: list[tuple[str, str, str, partial[None]]] = [
        (topology.EVENTS, topology.JOURNAL, topology.JOURNAL_KEY, make),
        (topology.UNROUTED_EXCHANGE, topology.UNROUTED, "", make),
    ]
    for function in platform.event_functions:
        name, key = function.name, routing_key(function.listens)
        again = partial(platform.broker.provision, {name: key})
        wanted.append((topology.DEAD, dead_queue(name), name, again))
    for exchange, queue, key, apply in wanted:
        there = management.get(path("queues", vhost, queue))
        if there and key not in management.bindings(vhost, exchange, queue):
            yield Change(f"binding of queue {queue}", "missing", exchange, apply)


def _queues(platform: Platform) -> dict[str, dict[str, Any]]:
    """Return the arguments of every queue."""
    found = topology.shared_queues()
    for function in platform.event_functions:
        delays = platform.settings.retry_delays
        found |= topology.queues_of(function.name, delays)
    return found


def _bindings(
    management: Management, vhost: str, platform: Platform
) -> Iterator[Change]:
    for function in platform.event_functions:
        name, key = function.name, routing_key(function.listens)
        there = management.bindings(vhost, topology.EVENTS, name)
        # A queue without its key is incomplete, which is seen without management.
        if key in there and len(there) > 1:
            found = ", ".join(sorted(there))
            apply = partial(platform.broker.provision, {name: key})
            yield Change(f"bindings of queue {name}", found, key, apply)


def _other(what: str, there: dict[str, Any]) -> SettingsError:
    return SettingsError(
        f"{what} was declared as {there.get('type', 'classic')} with arguments "
        f"{there['arguments']}, and RabbitMQ changes neither; provisioning deletes "
        "nothing: see that it is empty, delete it, and run `pratique provision` again"
    )
