"""What AMQP can't make on a RabbitMQ: the policy, and users with their rights."""

import hashlib
import logging
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from infra.brokers.amqp_url import parameters
from infra.brokers.management import Management, path
from infra.brokers.topology import ALTERNATE_POLICY, EVENTS, UNROUTED_EXCHANGE
from infra.platform import Platform
from infra.provision import rabbitmq_topology
from infra.provision.broker_rights import Rights, broker_users
from infra.provision.change import Change, NotAdministrator
from infra.provision.settings import ProvisionSettings
from schemas.functions import Function

log = logging.getLogger(__name__)
_SALT_BYTES = 4
# https://www.rabbitmq.com/docs/passwords#this-is-the-algorithm
_HASHES = {
    "rabbit_password_hashing_sha256": hashlib.sha256,
    "rabbit_password_hashing_sha512": hashlib.sha512,
}
_POLICY = {
    "pattern": f"^{re.escape(EVENTS)}$",
    "apply-to": "exchanges",
    # Never an argument of the exchange: MinIO declares it without, and would fail.
    "definition": {"alternate-exchange": UNROUTED_EXCHANGE},
    "priority": 0,
}


def changes(platform: Platform, settings: ProvisionSettings) -> Iterator[Change]:
    """Return what has to be changed, looked at when it is asked for."""
    url = platform.settings.broker_management
    if url is None:
        log.warning(
            "policy_and_users_left_out",
            extra={"missing": "PRATIQUE_BROKER_MANAGEMENT", "broker": "RabbitMQ"},
        )
        return
    broker_url = platform.settings.broker.get_secret_value()
    vhost = parameters(broker_url, "provision").virtual_host
    with closing(Management(url.get_secret_value())) as management:
        _require_administrator(management)
        yield from rabbitmq_topology.changes(management, vhost, platform)
        yield from _policy(management, vhost)
        yield from _users(management, vhost, platform, settings)


def lacking(platform: Platform, function: Function) -> Iterator[str]:
    """Return nothing: what a function sees here itself, the port tells."""
    return iter(())


def users_refused(platform: Platform, settings: ProvisionSettings) -> Iterator[str]:
    """Return the users whose password among *settings* does not let them in."""
    url = platform.settings.broker_management
    if url is None or not settings.broker_secrets:
        return
    with closing(Management(url.get_secret_value())) as management:
        _require_administrator(management)
        for short, secret in settings.broker_secrets.items():
            name = settings.broker_user(short)
            there = management.get(path("users", name))
            if there is None or not _is_password(there, secret.get_secret_value()):
                yield f"broker user {name}"


def dangers(platform: Platform) -> Iterator[str]:
    """Return nothing: a broker signs no URLs."""
    return iter(())


def _require_administrator(management: Management) -> None:
    tags = _tags(management.get(path("whoami")) or {})
    if "administrator" not in tags:
        raise NotAdministrator(
            "PRATIQUE_BROKER_MANAGEMENT: provisioning wants a user with the tag "
            f"administrator; this one has {', '.join(sorted(tags)) or 'none'}"
        )


def _tags(user: Mapping[str, Any]) -> set[str]:
    tags = user.get("tags") or []
    return set(tags.split(",") if isinstance(tags, str) else tags)  # before 3.9


def _policy(management: Management, vhost: str) -> Iterator[Change]:
    where = path("policies", vhost, ALTERNATE_POLICY)
    there = management.get(where)
    if there is not None and {key: there.get(key) for key in _POLICY} == _POLICY:
        return
    found = "missing" if there is None else str(there.get("definition"))
    wanted = f"what no queue gets of {EVENTS} goes to {UNROUTED_EXCHANGE}"
    apply = partial(management.put, where, _POLICY)
    yield Change(f"broker policy {ALTERNATE_POLICY}", found, wanted, apply)


def _users(
    management: Management,
    vhost: str,
    platform: Platform,
    settings: ProvisionSettings,
) -> Iterator[Change]:
    known = broker_users(platform)
    for short, secret in settings.broker_secrets.items():
        rights, name = known[short], settings.broker_user(short)
        where = path("users", name)
        there = management.get(where)
        password = secret.get_secret_value()
        if found := _wrong(there, password, rights):
            document = {"password": password, "tags": ",".join(rights.tags)}
            apply = partial(management.put, where, document)
            wanted = f"let in, tags: {', '.join(rights.tags) or 'none'}"
            yield Change(f"broker user {name}", found, wanted, apply)
        yield from _permissions(management, vhost, name, rights)


def _wrong(
    there: Mapping[str, Any] | None, password: str, rights: Rights
) -> str | None:
    if there is None:
        return "missing"
    if not _is_password(there, password):
        return "another password"
    if (tags := _tags(there)) != set(rights.tags):
        return f"tags: {', '.join(sorted(tags)) or 'none'}"
    return None


def _permissions(
    management: Management, vhost: str, name: str, rights: Rights
) -> Iterator[Change]:
    where = path("permissions", vhost, name)
    there = management.get(where)
    wanted = rights.permissions
    if there is not None and {key: there.get(key) for key in wanted} == wanted:
        return
    found = _words(there) if there else "none"
    apply = partial(management.put, where, wanted)
    yield Change(f"rights of broker user {name}", found, _words(wanted), apply)


def _words(permissions: Mapping[str, Any]) -> str:
    kinds = ("configure", "write", "read")
    return ", ".join(f"{kind} {permissions.get(kind)}" for kind in kinds)


def _is_password(user: Mapping[str, Any], password: str) -> bool:
    """Compare by the hash: to log in, a user without a tag would need AMQP."""
    algorithm = _HASHES.get(user.get("hashing_algorithm", ""))
    stored = b64decode(user.get("password_hash") or "")
    if algorithm is None or len(stored) <= _SALT_BYTES:
        return False
    salt, digest = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    return algorithm(salt + password.encode()).digest() == digest
