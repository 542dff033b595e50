"""What a client says of a file, judged: consent before anything else. All pure."""

import json
import re
import unicodedata
from collections import defaultdict
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
)
from pydantic import Field as Described

from functions.upload.parts import Field, FilePart, FormError
from functions.upload.refusals import Code, Refusal, invalid
from schemas.assets import is_consent
from schemas.doors import clean_text, is_project_id

_TOKEN = r"[A-Za-z0-9!#$&^_.+-]+"  # noqa: S105  (RFC 9110's word, no secret)
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}( *;[ -~]*[!-~])?")


def _project_id(text: str) -> str:
    if not is_project_id(text):
        raise ValueError("1 to 64 of A-Z a-z 0-9 . _ -, first a letter or digit")
    return text


def _label(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ValueError("it has control characters")
    return text


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError("it is no media type, such as image/png")
    return text


ProjectId = Annotated[str, AfterValidator(_project_id)]
Label = Annotated[str, Described(max_length=255), AfterValidator(_label)]
# Web forms send what was left blank as empty.
Optional = Annotated[
    Label | None, BeforeValidator(lambda value: None if value == "" else value)
]
MediaType = Annotated[str, Described(max_length=255), AfterValidator(_media_type)]


class Submission(BaseModel):
    """What belongs to a file, whichever door it takes."""

    model_config = ConfigDict(strict=True, frozen=True)

    project_id: ProjectId = Described(description="1 to 64 of A-Z a-z 0-9 . _ -")
    terms_version: Optional = Described(None, description="what was consented to")
    reference: Optional = Described(None, description="your own name for the asset")


class UploadRequest(Submission):
    """The wish for a presigned upload."""

    user_consent: Literal[True] = Described(description="must be true")
    filename: str
    content_type: MediaType = Described(examples=["image/png"])
    size_bytes: int = Described(ge=0, description="of the file, at most")
    method: Literal["post", "put"] = "post"


class Fields:
    """The fields of a form as far as they have arrived; unknown ones are ignored."""

    def __init__(self) -> None:
        self._given: dict[str, list[Field]] = defaultdict(list)
        self._misnamed: list[str] = []

    def add(self, part: Field | FilePart) -> None:
        """Take note of a part that is not the file; a file's bytes are not touched."""
        if isinstance(part, FilePart):
            self._misnamed.append(part.name)
        elif part.name in ("user_consent", "file", *Submission.model_fields):
            self._given[part.name].append(part)

    @property
    def consented(self) -> bool | None:
        """Whether all that was said of consent is yes; None: nothing was said yet."""
        if "user_consent" in self._misnamed:
            return False
        given = self._given.get("user_consent")
        return all(_agrees(field) for field in given) if given else None

    @property
    def ready(self) -> bool:
        """Whether enough is known to judge, so that a file can be taken as it comes."""
        if self.consented is None:
            return False
        return not self.consented or bool(self._misnamed) or "project_id" in self._given

    def submission(self) -> Submission:
        """Return what the fields say.

        Raises:
            Refusal: consent_missing before everything else, field_….
        """
        if not self.consented:
            raise Refusal(Code.CONSENT_MISSING)
        self._refuse_shape()
        values = {name: _text(name, given[0]) for name, given in self._given.items()}
        try:
            return Submission.model_validate(values)
        except ValidationError as exc:
            raise invalid(exc.errors()) from exc

    def refuse_late(self, late: "Fields") -> None:
        """Judge the fields that came after a file that was taken as it came.

        Raises:
            Refusal: consent_missing before everything else; the record is written,
                so a field can only be repeated or misplaced.
        """
        if late.consented is False:
            raise Refusal(Code.CONSENT_MISSING)
        late._refuse_shape()
        for name in late._given:
            known = name == "file" or name in self._given
            answer = Code.FIELD_REPEATED if known else Code.FIELD_MISPLACED
            raise Refusal(answer, field=name)

    def _refuse_shape(self) -> None:
        for name in self._misnamed:
            if name == "file":
                raise Refusal(Code.FIELD_REPEATED, field="file")
            why = "only `file` may be a file"
            raise Refusal(Code.FIELD_INVALID, field=clean_text(name)[:64], why=why)
        for name, given in self._given.items():
            if len(given) > 1:
                raise Refusal(Code.FIELD_REPEATED, field=name)
        if "file" in self._given:
            why = "it is no file: it has no file name"
            raise Refusal(Code.FIELD_INVALID, field="file", why=why)


def _agrees(field: Field) -> bool:
    try:
        return is_consent(field.value)
    except FormError:
        return False


def _text(name: str, field: Field) -> str:
    try:
        return field.value
    except FormError as exc:
        why = "it is too long" if not field.whole else "it is not text in its charset"
        raise Refusal(Code.FIELD_INVALID, field=name, why=why) from exc


def parse_request(raw: bytes) -> UploadRequest:
    """Return the wish that a JSON body holds.

    Raises:
        Refusal: body_malformed, consent_missing before everything else, field_….
    """
    try:
        pairs = json.loads(raw, object_pairs_hook=list) if raw else []
    except (ValueError, RecursionError) as exc:
        raise Refusal(Code.BODY_MALFORMED) from exc
    members = _members(pairs)
    agreed = members.get("user_consent", [])
    if not agreed or any(value is not True for value in agreed):
        raise Refusal(Code.CONSENT_MISSING)
    for name, values in members.items():
        if len(values) > 1 and name in UploadRequest.model_fields:
            raise Refusal(Code.FIELD_REPEATED, field=name)
    try:
        return UploadRequest.model_validate({k: v[0] for k, v in members.items()})
    except ValidationError as exc:
        raise invalid(exc.errors()) from exc


def _members(pairs: object) -> dict[str, list[Any]]:
    """Return an object's values by name, each as often as it was given."""
    members: dict[str, list[Any]] = defaultdict(list)
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, tuple):  # else the body is an array, not an object
            members[pair[0]].append(pair[1])
    return members


def clean_filename(name: str) -> str:
    """Return the last segment of *name*, fit to be shown: 1 to 255 characters."""
    last = clean_text(name).replace("\\", "/").rpartition("/")[2].strip()
    if not last.strip("."):
        return "file"
    stem, dot, suffix = last.rpartition(".")
    if not dot or len(suffix) > 10:
        return last[:255]
    return f"{stem[: 254 - len(suffix)]}.{suffix}"


def clean_media_type(text: str) -> str:
    """Return *text* if it is a media type, else the one that says nothing."""
    fits = len(text) <= 255 and _MEDIA_TYPE.fullmatch(text)
    return text if fits else "application/octet-stream"
