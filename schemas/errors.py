"""The tree of errors, sorted by what the host must do.

PratiqueError
├── Rejected            the content is refused: an outcome, never retried
├── TransientError      the same delivery may succeed later: retry it
│   ├── Unavailable     a server could not be reached: pause, burn no attempt
│   ├── Conflict        others kept changing the same record
│   └── SandboxFailure  a core was killed or crashed
└── PermanentError      no retry can help: dead-letter it
    ├── MalformedEvent
    ├── InvalidKey, InvalidRecord
    ├── ObjectNotFound, ObjectExists, AssetNotFound, QueueNotFound
    └── SettingsError
"""


class PratiqueError(Exception):
    """Anything that Pratique raises on purpose."""

    code = "error"


class Rejected(PratiqueError):
    """The content is refused. An outcome, not a failure.

    Args:
        reason: stable snake_case code that tests, records and clients rely on.
        detail: one sentence for people; never a value found in the file.
    """

    code = "rejected"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class TransientError(PratiqueError):
    """The same delivery may succeed later: retry it."""

    code = "transient"


class Unavailable(TransientError):
    """The store, the broker or the database could not be reached."""

    code = "unavailable"


class Conflict(TransientError):
    """A record was changed by others at every try."""

    code = "conflict"


class SandboxFailure(TransientError):
    """A core was killed by the wall clock or a signal, or crashed.

    Args:
        reason: code that becomes the verdict once the attempts are spent.
        detail: what happened to the process, for the log.
    """

    code = "sandbox_failure"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class PermanentError(PratiqueError):
    """No retry can help: dead-letter it."""

    code = "permanent"


class MalformedEvent(PermanentError):
    """A message is not an S3 notification."""

    code = "malformed_event"


class InvalidKey(PermanentError):
    """An object key or bucket name that no store may accept."""

    code = "invalid_key"


class InvalidRecord(PermanentError):
    """A value that no database may hold: too long a text, a NUL, a lone surrogate."""

    code = "invalid_record"


class ObjectNotFound(PermanentError):
    """Nothing is stored under this reference."""

    code = "object_not_found"


class ObjectExists(PermanentError):
    """A write-once key is taken already."""

    code = "object_exists"


class AssetNotFound(PermanentError):
    """No record has this id."""

    code = "asset_not_found"


class QueueNotFound(PermanentError):
    """The broker has no such queue: `pratique provision` declares it."""

    code = "queue_not_found"


class SettingsError(PermanentError):
    """A setting is missing or malformed; the message names it."""

    code = "settings"
