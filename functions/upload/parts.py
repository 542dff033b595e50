"""What a form is made of, and what can be wrong with it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from schemas.errors import PermanentError

FormCode = Literal[
    "unsupported_media_type",  # not a form
    "body_malformed",  # no boundary, or no multipart after all
    "body_incomplete",  # it ended, or the client left, before the form's end
    "too_large",  # more than FormLimits.total_bytes
    "field_invalid",  # a field that is no text, or longer than field_bytes
]
# A closed list: looking up whatever name a client sends loads and caches codecs.
CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
}


class FormError(PermanentError):
    """A form that can't be read.

    Args:
        code: which kind, stable.
        detail: one sentence for people, without anything that the client sent.
    """

    def __init__(self, code: FormCode, detail: str) -> None:
        super().__init__(detail)
        self.code: FormCode = code
        self.detail = detail


@dataclass(frozen=True)
class FormLimits:
    """How much of a form is read.

    Attributes:
        total_bytes: of the whole body; parts: fields and files together;
        field_bytes: of one field's value; header_bytes: of one header line of a part.
    """

    total_bytes: int
    parts: int = 64
    field_bytes: int = 64 * 1024
    header_bytes: int = 8 * 1024


@dataclass(frozen=True)
class Field:
    """A field of a form; what is wrong with its value is said when it is asked for.

    Attributes:
        whole: whether *raw* is all of it; else it went past FormLimits.field_bytes.
    """

    name: str
    raw: bytes
    charset: str = "utf-8"
    whole: bool = True

    @property
    def value(self) -> str:
        """Return the text.

        Raises:
            FormError: field_invalid: it is too long, or not text in its charset.
        """
        if not self.whole:
            raise FormError("field_invalid", "A field of the form is too long.")
        codec = CHARSETS.get(self.charset.lower())
        if codec is None:
            raise FormError("field_invalid", "A field's charset is not known.")
        try:
            return self.raw.decode(codec)
        except UnicodeDecodeError as exc:
            raise FormError("field_invalid", f"A field is not {codec} text.") from exc


@dataclass(frozen=True)
class FilePart:
    """A file of a form, as the client names and types it: trust neither.

    Attributes:
        chunks: its bytes; what is left of them when the next part is asked for is
            read and dropped, up to FormLimits.total_bytes.
    """

    name: str
    filename: str
    media_type: str
    chunks: AsyncIterator[bytes]
