"""What the sanitizer is."""

from functions.sanitizer.handler import handle
from functions.sanitizer.settings import SanitizerSettings
from schemas.functions import EventFunction

function = EventFunction(
    name="sanitizer",
    listens="quarantine",
    fills="promotion",
    settings=SanitizerSettings,
    handle=handle,
)
