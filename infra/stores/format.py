"""How one object lies in a file of the embedded store: its bytes, then a label.

    bytes | label (JSON) | length of the label (4 bytes, big endian) | MAGIC

The label comes last because a stream's length is known only at its end; and a file
that was cut has no label, so it is never taken for an object.
"""

import os
import stat
import struct
from collections.abc import Mapping

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from schemas.objects import ObjectInfo, ObjectRef

_MAGIC = b"PRATIQ1\n"
_END = struct.Struct(">I8s")
# A key of 1,024 bytes and 2 KB of metadata, escaped as JSON, stay far below.
_MAX_LABEL_BYTES = 65_536


class Label(BaseModel):
    """What the store knows of an object beside its bytes.

    Attributes:
        write_id: tells two writes under one name apart.
        marker: a delete marker, as in ObjectInfo.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    size_bytes: int
    media_type: str
    metadata: Mapping[str, str]
    created_at: AwareDatetime
    write_id: str
    marker: bool = False

    def info(self, bucket: str, version: str | None) -> ObjectInfo:
        """Return what the port says of the object."""
        return ObjectInfo(
            ObjectRef(bucket, self.key, version),
            self.size_bytes,
            self.media_type,
            self.created_at,
            dict(self.metadata),
            self.marker,
        )


def seal(label: Label) -> bytes:
    """Return what follows an object's bytes in its file."""
    text = label.model_dump_json().encode()
    return text + _END.pack(len(text), _MAGIC)


def read_label(fd: int) -> Label | None:
    """Return the label of an open file, or None if it holds no whole object."""
    status = os.fstat(fd)
    end = status.st_size - _END.size
    if not stat.S_ISREG(status.st_mode) or end < 0:
        return None
    length, magic = _END.unpack(os.pread(fd, _END.size, end))
    if magic != _MAGIC or length > min(end, _MAX_LABEL_BYTES):
        return None
    try:
        label = Label.model_validate_json(os.pread(fd, length, end - length))
    except ValidationError:
        return None
    return label if label.size_bytes == end - length else None
