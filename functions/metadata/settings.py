"""Settings of the metadata function."""

from pydantic_settings import SettingsConfigDict

from schemas.functions import FunctionSettings


class MetadataSettings(FunctionSettings):
    """It needs nothing but the buckets' names."""

    model_config = SettingsConfigDict(env_prefix="METADATA_", extra="ignore")
