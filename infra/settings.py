"""Settings of the platform, and their refusal in words."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import SettingsError
from schemas.objects import Buckets

S = TypeVar("S", bound=BaseSettings)
_PREFIX = "PRATIQUE_"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WEEK_S = 7 * 24 * 3_600
_Delay = Annotated[float, Field(ge=0, le=_WEEK_S, allow_inf_nan=False)]


def _scheme(*allowed: str) -> AfterValidator:
    def check(url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(allowed):
            raise ValueError(f"it must start with {' or '.join(allowed)}")
        return url

    return AfterValidator(check)


def _key_and_secret(pair: SecretStr) -> SecretStr:
    key, colon, secret = pair.get_secret_value().partition(":")
    if not (key and colon and secret):
        raise ValueError("it must be KEY:SECRET")
    return pair


_Keys = Annotated[SecretStr, AfterValidator(_key_and_secret)]


class PlatformSettings(BaseSettings):
    """Where store, broker and database are, and how the host behaves.

    The three URLs may carry passwords, so none of them is ever printed.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore")

    store: Annotated[SecretStr, _scheme("file:", "s3+http:", "s3+https:")] = Field(
        SecretStr("file:./data/objects"),
        description="file:PATH, s3+http://KEY:SECRET@HOST:PORT or s3+https://…",
    )
    broker: Annotated[SecretStr, _scheme("sqlite:", "amqp:", "amqps:")] = Field(
        SecretStr("sqlite:./data/broker.db"),
        description="sqlite:PATH or amqp://USER:PASSWORD@HOST:PORT/VHOST",
    )
    broker_management: SecretStr | None = Field(
        None,
        description="RabbitMQ's management API, http://USER:PASSWORD@HOST:PORT; "
        "`provision`, `status`, `dead` and `replay` ask it",
    )
    database: Annotated[SecretStr, _scheme("sqlite:", "postgresql")] = Field(
        SecretStr("sqlite:///./data/assets.db"), description="a SQLAlchemy URL"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65_535, description="0 takes a free one")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+(/[^?#]*)?$",
        description="what clients reach the HTTP API under; upload URLs start with it",
    )
    store_public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+$",
        description="what clients reach an S3 store under, if not under PRATIQUE_STORE",
    )
    upload_signer: _Keys | None = Field(
        None,
        description="KEY:SECRET that signs upload URLs of an S3 store; it should be "
        "allowed to put uploads/* into quarantine and nothing else",
    )
    download_signer: _Keys | None = Field(
        None,
        description="KEY:SECRET that signs download URLs of an S3 store; it should be "
        "allowed to read the clean bucket and nothing else",
    )
    health: str = Field(
        "127.0.0.1:0",
        pattern=r"^(.+):(\d{1,5})$",
        description="HOST:PORT where each process tells how it is; 0 takes a free port",
    )
    auth: Literal["off"] | None = Field(
        None, description="`off` lets anyone in; needed to listen beyond loopback"
    )
    quarantine_bucket: str = Field("quarantine", min_length=3, max_length=63)
    clean_bucket: str = Field("clean", min_length=3, max_length=63)
    originals_bucket: str = Field("originals", min_length=3, max_length=63)
    ledger_bucket: str = Field("ledger", min_length=3, max_length=63)
    workers: int = Field(
        max(2, os.cpu_count() or 1), ge=1, description="events at once, per function"
    )
    retry_delays_s: list[_Delay] = Field(
        [5, 30, 120, 600], description="JSON list; a delivery has one attempt more"
    )
    outage_pause_s: float = Field(
        1, gt=0, le=3_600, description="between probes in an outage"
    )
    grace_s: float = Field(
        20, ge=0, le=_WEEK_S, description="after it the janitor announces again"
    )
    stop_s: float = Field(
        8, gt=0, le=3_600, description="time to finish the work at hand"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @model_validator(mode="after")
    def _closed_unless_told(self) -> "PlatformSettings":
        if self.host not in _LOOPBACK and self.auth is None:
            raise ValueError(
                "PRATIQUE_HOST: anyone who reaches this address could read and upload; "
                "use a loopback address, or say PRATIQUE_AUTH=off"
            )
        return self

    @model_validator(mode="after")
    def _buckets_apart(self) -> "PlatformSettings":
        names = list(self.buckets.model_dump().values())
        if len(set(names)) < len(names):
            # Else what is in quarantine could be what everyone may read.
            raise ValueError("PRATIQUE_*_BUCKET: four different names are needed")
        return self

    @property
    def buckets(self) -> Buckets:
        """The bucket names by role."""
        return Buckets(
            quarantine=self.quarantine_bucket,
            clean=self.clean_bucket,
            originals=self.originals_bucket,
            ledger=self.ledger_bucket,
        )

    @property
    def retry_delays(self) -> tuple[timedelta, ...]:
        """The rungs of the retry ladder."""
        return tuple(timedelta(seconds=s) for s in self.retry_delays_s)


def load(kind: type[S], env_file: Path | None = None, **given: Any) -> S:
    """Build settings from *given*, the environment and *env_file*, in that order.

    Raises:
        SettingsError: names each variable and what is allowed; never its value.
    """
    if env_file is not None:
        _check_readable(env_file)
    try:
        return kind(_env_file=env_file, **given)
    except ValidationError as exc:
        raise SettingsError(_words(kind, exc)) from None
    except Exception as exc:  # its sources raise errors of their own for bad JSON
        if type(exc).__name__ != "SettingsError":
            raise
        raise SettingsError(str(exc)) from None


def variables(kind: type[BaseSettings]) -> set[str]:
    """Return the environment variables that settings of this *kind* are read from."""
    prefix = kind.model_config.get("env_prefix", "")
    fields = kind.model_fields.items()
    return {
        str(field.validation_alias or f"{prefix}{name}").upper()
        for name, field in fields
    }


def misspelt(known: set[str], env_file: Path | None) -> list[str]:
    """Return what is set under our prefix, but is no setting of anybody's."""
    given = {*os.environ, *(dotenv_values(env_file) if env_file else ())}
    ours = {name.upper() for name in given if name.upper().startswith(_PREFIX)}
    return sorted(ours - known)


def _check_readable(env_file: Path) -> None:
    try:
        env_file.read_text("utf-8")
    except UnicodeDecodeError as exc:
        raise SettingsError(f"--env-file: {env_file}: it is not UTF-8 text") from exc
    except OSError as exc:
        raise SettingsError(f"--env-file: {env_file}: {exc.strerror}") from exc


def _words(kind: type[BaseSettings], exc: ValidationError) -> str:
    prefix = kind.model_config.get("env_prefix", "")
    lines = []
    for error in exc.errors(include_input=False, include_url=False):
        message = error["msg"].removeprefix("Value error, ")
        name = str(error["loc"][0]) if error["loc"] else ""
        if name in kind.model_fields:  # else it is an alias: the variable's own name
            name = f"{prefix}{name}".upper()
        lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)
