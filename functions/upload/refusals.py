"""Every error answer: its code, its HTTP status, its sentence."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from pydantic import BaseModel

from schemas.errors import PratiqueError, TransientError


class Code(Enum):
    """The error answers; a member's name in lower case is the code clients see."""

    CONSENT_MISSING = (
        400,
        "User consent is mandatory and must be explicitly set to 'true'.",
    )
    BODY_MALFORMED = 400, "The body is malformed."
    BODY_INCOMPLETE = 400, "The body breaks off before its end."
    PROJECT_UNKNOWN = 404, "There is no such project."
    ASSET_UNKNOWN = 404, "There is no such asset."
    NOT_FOUND = 404, "There is nothing here."
    METHOD_NOT_ALLOWED = 405, "This method is not allowed here."
    BODY_TOO_SLOW = 408, "The body took too long to arrive."
    NOT_READY = 409, "The asset is {status}: there is no clean copy yet."
    REJECTED = 410, "The file was rejected: there will be no clean copy."
    EXPIRED = 410, "The bytes of this asset did not arrive in time."
    RETIRED = 410, "The clean copy was removed at the end of its retention."
    ERASED = 410, "Consent was withdrawn: the asset is gone."
    TOO_LARGE = 413, "More than {limit} bytes are not accepted."
    UNSUPPORTED_MEDIA_TYPE = 415, "Send {expected}."
    FIELD_MISSING = 422, "The field `{field}` is missing."
    FIELD_REPEATED = 422, "The field `{field}` may be given only once."
    FIELD_INVALID = 422, "The field `{field}` is not valid: {why}."
    FIELD_MISPLACED = 422, "Send the field `{field}` before the file."
    FILE_MISSING = 422, "The file is missing: send it in the field `file`."
    FILE_EMPTY = 422, "The file is empty."
    INTERNAL = 500, "Something went wrong here."
    STORE_UNAVAILABLE = 503, "The object store can't be reached: try again."
    DATABASE_UNAVAILABLE = 503, "The database can't be reached: try again."
    DISK_UNAVAILABLE = 503, "There is no room for the file now: try again."

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence

    @property
    def word(self) -> str:
        """The code as clients see it."""
        return self.name.lower()


class Refusal(PratiqueError):
    """A request that gets an error answer.

    Args:
        names: what the sentence's placeholders stand for.
    """

    def __init__(self, answer: Code, **names: object) -> None:
        self.detail = answer.sentence.format(**names)
        super().__init__(self.detail)
        self.answer = answer
        self.code = answer.word


class Problem(BaseModel):
    """The body of every error answer; its code is the header X-Pratique-Error."""

    detail: str


@contextmanager
def needing(answer: Code, failure: type[Exception] = TransientError) -> Iterator[None]:
    """Turn the *failure* of what the block needs into *answer*."""
    try:
        yield
    except failure as exc:
        raise Refusal(answer) from exc


def invalid(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """Return the refusal for what Pydantic found; it says nothing of the values."""
    error = errors[0]
    field = error["loc"][-1] if error["loc"] else "body"
    if error["type"] == "missing":
        return Refusal(Code.FIELD_MISSING, field=field)
    why = str(error["msg"]).removeprefix("Value error, ")
    return Refusal(Code.FIELD_INVALID, field=field, why=why[:1].lower() + why[1:])
