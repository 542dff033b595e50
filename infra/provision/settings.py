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
        {}, description="JSON, from `upload`, `sanitizer` and so on to MinIO secrets"
    )
    store_prefix: str = Field(
        "pratique-", description="what names of MinIO users and policies begin with"
    )
    broker_secrets: _Secrets = Field(
        {}, description="JSON, from `minio`, `upload` and so on to RabbitMQ passwords"
    )
    broker_prefix: str = Field(
        "", description="what names of RabbitMQ users begin with; vhosts share users"
    )

    def store_user(self, name: str) -> str:
        """Return what MinIO calls the user, and the policy, of a function or signer."""
        return f"{self.store_prefix}{name}"

    def broker_user(self, name: str) -> str:
        """Return what RabbitMQ calls the user of a function."""
        return f"{self.broker_prefix}{name}"
