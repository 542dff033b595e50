"""What the upload function is."""

from functions.upload.app import build_app
from functions.upload.settings import UploadSettings
from schemas.functions import HttpFunction

function = HttpFunction(name="upload", settings=UploadSettings, app=build_app)
