"""What the metadata function is."""

from functions.metadata.handler import handle
from functions.metadata.settings import MetadataSettings
from schemas.functions import EventFunction

function = EventFunction(
    name="metadata",
    listens="clean",
    fills="description",
    settings=MetadataSettings,
    handle=handle,
)
