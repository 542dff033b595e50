"""What a core may need later has to be there before files can no longer be opened."""

import encodings
import sys
from collections.abc import Iterable
from importlib import import_module

from pydantic_core import to_json

# Codecs are imported when a text is first decoded: tags come in all of these.
_CODECS = (
    *("ascii", "latin_1", "utf_8", "utf_8_sig", "raw_unicode_escape"),
    *("utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"),
    *("cp1252", "cp437", "mac_roman", "unicode_escape", "idna", "punycode"),
)
# What Pillow's picture class imports once a method is called that needs it.
_PILLOW = ("ImageColor", "ImageFile", "ImageFilter", "ImagePalette", "TiffImagePlugin")


def modules(names: Iterable[str]) -> None:
    """Import modules of these *names*, and what Python imports behind one's back.

    Raises:
        ImportError: there is no such module.
    """
    for codec in _CODECS:
        import_module(f"{encodings.__name__}.{codec}")
    for name in names:
        import_module(name)
    to_json({})  # it looks for the types that it knows when it is first used
    if pillow := sys.modules.get("PIL.Image"):
        for name in _PILLOW:
            import_module(f"PIL.{name}")
        # Or it would look for its other plugins when something is first saved.
        vars(pillow)["_initialized"] = 2
