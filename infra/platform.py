"""The one place where adapters meet ports and settings meet functions."""

import importlib.util
import pkgutil
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import functions
from infra.brokers import open_broker
from infra.brokers.options import AmqpOptions
from infra.database import open_records
from infra.listening import listen
from infra.notifications import Role, routing_key
from infra.sandbox import SandboxSettings, open_sandbox
from infra.settings import PlatformSettings, load, misspelt, variables
from infra.stores import open_store
from infra.stores.options import S3Options
from schemas.errors import PermanentError, SettingsError
from schemas.events import ObjectCreated, dump
from schemas.functions import Context, EventFunction, Function
from schemas.ports import AssetRecords, Broker, Clock, Message, ObjectStore, Sandbox


def utcnow() -> datetime:
    """The clock of every platform that is not told another one."""
    return datetime.now(UTC)


def discover() -> dict[str, Function]:
    """Return every function, found by its folder's name."""
    found = {}
    for module in pkgutil.iter_modules(functions.__path__):
        name = module.name
        found[name] = importlib.import_module(f"functions.{name}.function").function
    return found


def cores(names: Iterable[str]) -> list[str]:
    """Return the modules of the pure cores that functions of these *names* have."""
    modules = (f"functions.{name}.core" for name in names)
    return [module for module in modules if importlib.util.find_spec(module)]


class Platform:
    """Ports opened on first use, closed together; a context manager."""

    def __init__(
        self,
        settings: PlatformSettings,
        *,
        env_file: Path | None = None,
        clock: Clock = utcnow,
    ) -> None:
        if settings.port == 0:
            # Now, not when serving begins: upload URLs are signed for what it becomes.
            with listen(settings.host, 0) as free:
                settings.port = free.getsockname()[1]
        self.settings = settings
        self.clock = clock
        self.functions = discover()
        self._env_file = env_file
        self._opened = ExitStack()

    def __enter__(self) -> "Platform":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened. Safe to run twice."""
        self._opened.close()

    @cached_property
    def broker(self) -> Broker:
        """The broker that PRATIQUE_BROKER names."""
        management = self.settings.broker_management
        broker = open_broker(
            self.settings.broker.get_secret_value(),
            clock=self.clock,
            amqp=AmqpOptions(
                management=management.get_secret_value() if management else None,
                delays=self.settings.retry_delays,
            ),
        )
        self._opened.callback(broker.close)
        return broker

    @cached_property
    def store(self) -> ObjectStore:
        """The store that PRATIQUE_STORE names."""
        store = open_store(
            self.settings.store.get_secret_value(),
            public_url=self.public_url,
            announce=self._notify,
            clock=self.clock,
            s3=self._s3_options(),
        )
        self._opened.callback(store.close)
        return store

    def _s3_options(self) -> S3Options:
        settings = self.settings
        upload, download = settings.upload_signer, settings.download_signer
        return S3Options(
            public_url=settings.store_public_url,
            upload_signer=upload.get_secret_value() if upload else None,
            download_signer=download.get_secret_value() if download else None,
            # Each worker reads and writes at once; the HTTP function has threads more.
            connections=max(10, 2 * settings.workers),
        )

    @cached_property
    def records(self) -> AssetRecords:
        """The records in the database that PRATIQUE_DATABASE names."""
        records = open_records(
            self.settings.database.get_secret_value(),
            clock=self.clock,
            grace=timedelta(seconds=self.settings.grace_s),
        )
        self._opened.callback(records.close)
        return records

    @cached_property
    def sandbox(self) -> Sandbox:
        """The pool in which cores run."""
        settings = load(SandboxSettings, self._env_file)
        sandbox = open_sandbox(settings, cores(self.functions))
        self._opened.callback(sandbox.close)
        return sandbox

    @property
    def public_url(self) -> str:
        """What clients reach the HTTP API under, without a trailing slash."""
        given = self.settings.public_url
        host = f"[{h}]" if ":" in (h := self.settings.host) else h
        return (given or f"http://{host}:{self.settings.port}").rstrip("/")

    def unknown_variables(self) -> list[str]:
        """Return variables that are set but mean nothing: typing errors, mostly."""
        known = variables(PlatformSettings)
        for function in self.functions.values():
            known |= variables(function.settings)
        return misspelt(known, self._env_file)

    @property
    def event_functions(self) -> list[EventFunction[Any]]:
        """The functions that have a queue."""
        return [f for f in self.functions.values() if isinstance(f, EventFunction)]

    def select(self, names: tuple[str, ...]) -> list[Function]:
        """Return the functions called *names*; all of them for none.

        Raises:
            SettingsError: there is no such function; the message lists what there is.
        """
        for name in names:
            if name not in self.functions:
                known = ", ".join(sorted(self.functions))
                raise SettingsError(
                    f"no function is called {name!r}: there are {known}"
                )
        return [
            self.functions[name]
            for name in dict.fromkeys(names or sorted(self.functions))
        ]

    def context(self, function: Function) -> Context[Any]:
        """Return all that *function* gets to see."""
        return Context(
            store=self.store,
            records=self.records,
            announce=self.announce,
            sandbox=self.sandbox,
            clock=self.clock,
            settings=load(
                function.settings, self._env_file, buckets=self.settings.buckets
            ),
        )

    def announce(self, event: ObjectCreated) -> None:
        """Send *event* to the queues of the functions that listen to its bucket."""
        for function in self.listening(event):
            self.send(function.name, event)

    def listening(self, event: ObjectCreated) -> list[EventFunction[Any]]:
        """Return the functions that listen to the bucket of *event*.

        Raises:
            PermanentError: the bucket is not announced.
        """
        role = self.role_of(event.ref.bucket)
        return [f for f in self.event_functions if f.listens == role]

    def send(self, queue: str, event: ObjectCreated) -> None:
        """Send *event* to one function's queue, marked as a replay."""
        self.broker.send(queue, Message(dump(event), headers={"x-replay": "true"}))

    def role_of(self, bucket: str) -> Role:
        """Return which of the announced buckets *bucket* is.

        Raises:
            PermanentError: it is neither of them.
        """
        buckets = self.settings.buckets
        roles: dict[str, Role] = {
            buckets.quarantine: "quarantine",
            buckets.clean: "clean",
        }
        if bucket not in roles:
            raise PermanentError(f"bucket {bucket!r} is not announced")
        return roles[bucket]

    def _notify(self, event: ObjectCreated) -> None:
        """Publish what a store without a notification service of its own created."""
        buckets = self.settings.buckets
        if event.ref.bucket in (buckets.quarantine, buckets.clean):
            key = routing_key(self.role_of(event.ref.bucket))
            self.broker.publish(key, Message(dump(event)))
