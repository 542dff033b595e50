"""The three servers of a person or a script: started, provisioned, told and ended."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from infra.servers.hold import Request
from infra.servers.objectstore import minio_answers
from infra.servers.postgres import postgresql_answers
from infra.servers.rabbit import RabbitAccess
from infra.servers.shared import end, held, holds
from infra.servers.state import Running, State, locked, read, write
from schemas.errors import Unavailable

if TYPE_CHECKING:
    from infra.provision import ProvisionSettings

SERVERS = ("rabbitmq", "postgresql", "minio")


def start() -> State:
    """Start and provision them; return what runs already, if it does.

    Raises:
        SettingsError: something is missing; the message says how to get it.
        Unavailable: one does not answer; the message says what to do.
    """
    with locked(_path().with_suffix(".lock")):
        state = read(_path())
        if state is None or not _held(state):
            _remove(state)
            return _started()
        silent = [name for name, it in state.servers.items() if not answers(name, it)]
        if silent:
            raise Unavailable(
                f"{', '.join(silent)}: no answer; run: sh tests/servers stop"
            )
        return state


def stop() -> bool:
    """End them and remove their data; tell whether there were any.

    Raises:
        Unavailable: they do not end.
    """
    with locked(_path().with_suffix(".lock")):
        state = read(_path())
        if state is not None and state.holder is not None:
            end(state.holder)
        _remove(state)
        return state is not None


def running() -> State | None:
    """Return what was started and not stopped."""
    return read(_path())


def answers(name: str, it: Running) -> bool:
    """Whether a server answers now."""
    if name == "rabbitmq":
        return RabbitAccess(it.url, str(it.management_url)).answers()
    ask: Callable[[str], bool] = (
        postgresql_answers if name == "postgresql" else minio_answers
    )
    return ask(it.url)


def _path() -> Path:
    for variable in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        if given := os.environ.get(variable):
            return Path(given) / "pratique" / "servers.json"
    return Path.home() / ".cache" / "pratique" / "servers.json"


def _held(state: State) -> bool:
    return state.holder is not None and holds(state.holder)


def _remove(state: State | None) -> None:
    """Remove what servers that have ended, however they did, left behind."""
    if state is not None and state.home is not None:
        shutil.rmtree(state.home, ignore_errors=True)
    _path().unlink(missing_ok=True)
    _path().with_suffix(".log").unlink(missing_ok=True)


def _started() -> State:
    home = Path(tempfile.mkdtemp(prefix="pratique-servers-"))
    home.chmod(0o711)  # servers run as others, in directories of their own
    request = Request(state=_path(), home=home, servers=list(SERVERS))
    with ExitStack() as undo:
        undo.callback(lambda: _remove(State(home=home)))
        state = held(request)
        if state.holder is not None:
            undo.callback(end, state.holder)
        if state.error is not None:
            raise Unavailable(state.error)
        state.variables = _provisioned(state)
        write(_path(), state)
        undo.pop_all()
    return state


def _provisioned(state: State) -> dict[str, str]:
    """Make buckets, queues, tables and users; return the variables that name them."""
    # Here, as the platform with all its functions takes a second to load.
    from infra.platform import Platform  # noqa: PLC0415
    from infra.provision import ProvisionSettings, provision  # noqa: PLC0415
    from infra.provision.broker_rights import broker_users  # noqa: PLC0415
    from infra.provision.store_rights import store_users  # noqa: PLC0415
    from infra.settings import PlatformSettings, load  # noqa: PLC0415

    urls = {
        "store": state.servers["minio"].url,
        "broker": state.servers["rabbitmq"].url,
        "broker_management": str(state.servers["rabbitmq"].management_url),
        "database": state.servers["postgresql"].url,
    }
    with Platform(load(PlatformSettings, None, **urls)) as platform:
        users = ProvisionSettings(
            store_secrets=_secrets(store_users(platform.functions)),
            broker_secrets=_secrets(broker_users(platform)),
        )
        provision(platform, users)
    return {
        **{f"PRATIQUE_{name.upper()}": url for name, url in urls.items()},
        "PRATIQUE_UPLOAD_SIGNER": _signer(users, "upload-signer"),
        "PRATIQUE_DOWNLOAD_SIGNER": _signer(users, "download-signer"),
        "PROVISION_STORE_SECRETS": _told(users.store_secrets),
        "PROVISION_BROKER_SECRETS": _told(users.broker_secrets),
    }


def _secrets(users: Iterable[str]) -> dict[str, SecretStr]:
    return {name: SecretStr(secrets.token_urlsafe(24)) for name in users}


def _signer(settings: "ProvisionSettings", name: str) -> str:
    secret = settings.store_secrets[name].get_secret_value()
    return f"{settings.store_user(name)}:{secret}"


def _told(given: dict[str, SecretStr]) -> str:
    return json.dumps({name: it.get_secret_value() for name, it in given.items()})
