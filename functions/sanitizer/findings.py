"""The closed list of what the sanitizer may say it removed: kinds, never values."""

from enum import StrEnum


class Finding(StrEnum):
    """A kind of data that identifies people, devices or places, or hides something."""

    EXIF = "exif"
    GPS_POSITION = "gps_position"
    CAMERA_SERIAL = "camera_serial"
    MAKER_NOTE = "maker_note"
    THUMBNAIL = "thumbnail"
    XMP = "xmp"
    IPTC = "iptc"
    COMMENT = "comment"
    TEXT = "text"
    TIMESTAMP = "timestamp"
    COLOUR_PROFILE = "colour_profile"  # an identifying profile was replaced
    SECOND_IMAGE = "second_image"
    GAIN_MAP = "gain_map"
    CONTENT_CREDENTIALS = "content_credentials"
    APPLICATION_DATA = "application_data"
    TRAILING_DATA = "trailing_data"
    HIDDEN_IMAGE = "hidden_image"
    HIDDEN_COLOURS = "hidden_colours"  # under full transparency, in unused palette
    EMBEDDED_VIDEO = "embedded_video"
    AUDIO_TAGS = "audio_tags"
    COVER_PICTURE = "cover_picture"
    PADDING = "padding"
