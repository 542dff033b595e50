"""What the tests of the door ask for, and how they read a refusal."""

from datetime import timedelta

import httpx

from schemas.objects import ObjectRef, PresignedUpload
from tests.contracts.stores import PLAIN, FileRig

REF = ObjectRef(PLAIN, "p1/photo.png")
MINUTE = timedelta(minutes=1)
MEBIBYTE = bytes(1 << 20)


def get_url(rig: FileRig) -> str:
    """Return a URL that reads the photo."""
    return rig.store.presign_get(REF, expires=MINUTE, filename="photo.png")


def put_url(rig: FileRig, size: int = 4) -> PresignedUpload:
    """Return how the photo may be put."""
    return rig.store.presign_put(
        REF, size_bytes=size, media_type="image/png", metadata={}, expires=MINUTE
    )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code, having seen that the answer says why."""
    assert answer.json()["detail"]
    return answer.status_code, answer.headers["x-pratique-error"]
