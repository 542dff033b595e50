"""Makes all that a platform stands on, and mends what drifted; deletes no data."""

from collections.abc import Iterable, Iterator
from functools import partial

from pydantic import SecretStr

from infra.notifications import routing_key
from infra.platform import Platform
from infra.provision.broker_rights import broker_users
from infra.provision.change import Change
from infra.provision.servers import VERSIONED, server_of
from infra.provision.settings import ProvisionSettings
from infra.provision.store_rights import store_users
from schemas.errors import SettingsError

__all__ = ["Change", "ProvisionSettings", "changes", "provision"]


def provision(
    platform: Platform, secrets: ProvisionSettings | None = None
) -> list[Change]:
    """Make everything as it has to be; return what was changed. Safe to run twice.

    Args:
        secrets: whose users are made; None makes no users.

    Raises:
        SettingsError: something can't be mended without losing data, a user's name
            is unknown, or the platform's own credentials are no administrator's.
        Unavailable: a server could not be reached; what was done stands.
    """
    done = []
    for change in changes(platform, secrets or ProvisionSettings.model_construct()):
        change.apply()
        done.append(change)
    return done


def changes(platform: Platform, settings: ProvisionSettings) -> Iterator[Change]:
    """Return what has to be changed, each looked at when it is asked for.

    In the order in which to apply them: queues come before what publishes to them, as
    an event that no queue is bound to is lost.
    """
    _check_names(platform, settings)
    yield from _of_server(platform.settings.broker, platform, settings)
    yield from _queues(platform)
    yield from _buckets(platform)
    yield from _of_server(platform.settings.store, platform, settings)
    yield from _tables(platform)


def _check_names(platform: Platform, settings: ProvisionSettings) -> None:
    _check(settings.store_secrets, store_users(platform.functions), "STORE")
    _check(settings.broker_secrets, broker_users(platform), "BROKER")


def _check(given: Iterable[str], known: Iterable[str], which: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise SettingsError(
            f"PROVISION_{which}_SECRETS: no user is called {', '.join(unknown)}; "
            f"there are {', '.join(sorted(known))}"
        )


def _queues(platform: Platform) -> Iterator[Change]:
    for function in platform.event_functions:
        name, key = function.name, routing_key(function.listens)
        if not platform.broker.provisioned(name, key):
            apply = partial(platform.broker.provision, {name: key})
            yield Change(
                f"queue {name}", "missing or drifted", f"bound to {key}", apply
            )


def _buckets(platform: Platform) -> Iterator[Change]:
    for role, name in platform.settings.buckets.model_dump().items():
        versioned = role == VERSIONED
        if not platform.store.provisioned(name, versioned=versioned):
            apply = partial(platform.store.provision, name, versioned=versioned)
            wanted = f"there, with{'' if versioned else 'out'} versions"
            yield Change(f"bucket {name}", "missing or drifted", wanted, apply)


def _tables(platform: Platform) -> Iterator[Change]:
    if not platform.records.provisioned():
        apply = platform.records.provision
        yield Change("tables", "missing or old", "newest schema", apply)


def _of_server(
    url: SecretStr, platform: Platform, settings: ProvisionSettings
) -> Iterator[Change]:
    if server := server_of(url):
        yield from server.changes(platform, settings)
