"""What the janitor is."""

from datetime import timedelta

from functions.janitor.handler import run
from functions.janitor.settings import JanitorSettings
from schemas.functions import ScheduledFunction


def _every(settings: JanitorSettings) -> timedelta:
    return timedelta(seconds=settings.every_s)


function = ScheduledFunction(
    name="janitor", settings=JanitorSettings, every=_every, run=run
)
