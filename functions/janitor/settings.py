"""Settings of the janitor."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.functions import FunctionSettings


class JanitorSettings(FunctionSettings):
    """How often it looks, and how much it does in one pass."""

    model_config = SettingsConfigDict(env_prefix="JANITOR_", extra="ignore")

    every_s: float = Field(10, gt=0, le=86_400, description="pause between two passes")
    batch: int = Field(1_000, gt=0, description="due records looked at in one pass")
    min_backoff_s: float = Field(
        20, gt=0, le=604_800, description="first pause between reminders"
    )
    max_backoff_s: float = Field(
        3_600, gt=0, le=604_800, description="longest such pause"
    )
