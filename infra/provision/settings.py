"""Secrets of the users that provision makes."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_SHORTEST = 8  # MinIO refuses shorter secrets


def _long_enough(secrets: dict[str, SecretStr]) -> dict[str, SecretStr]:
    if short := sorted(
        name for name, secret in secrets.items() if len(secret) < _SHORTEST
    ):
        raise ValueError(f"{', '.join(short)}: at least {_SHORTEST} characters")
    return secrets


_Secrets = Annotated[dict[str, SecretStr], AfterValidator(_long_enough)]


class ProvisionSettings(BaseSettings):
    """Who gets a user of their own. Without secrets no users are made."""

    model_config = SettingsConfigDict(env_prefix="PROVISION_", extra="ignore")

    store_secrets: _Secrets = Field(
        {},
        description="JSON, user to secret: the MinIO user of `upload` is called "
        "`pratique-upload`",
    )
    broker_secrets: _Secrets = Field({}, description="JSON, RabbitMQ user to password")
