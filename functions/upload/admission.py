"""The effects of an upload on records and store, in an order that survives a crash.

Everything here blocks: it is run in worker threads.
"""

import logging
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID, uuid4

from functions.upload.refusals import Code, Refusal, needing
from functions.upload.settings import UploadSettings
from functions.upload.submission import Submission, UploadRequest
from schemas.assets import Asset, Door, receipt
from schemas.doors import upload_key
from schemas.errors import PratiqueError, TransientError
from schemas.facts import Erased, Expired, Withdrawn
from schemas.functions import Context
from schemas.lifecycle import ConsentState, Status
from schemas.objects import ObjectRef, PresignedUpload

log = logging.getLogger(__name__)

_GONE = {
    Status.ERASING: Code.ERASED,
    Status.ERASED: Code.ERASED,
    Status.EXPIRED: Code.EXPIRED,
}


class Admission:
    """Puts a submission on record and its bytes into quarantine."""

    def __init__(self, ctx: Context[UploadSettings]) -> None:
        self._ctx = ctx

    def limit(self, project_id: str) -> int:
        """Return how many bytes a file of this project may have.

        Raises:
            Refusal: project_unknown, database_unavailable.
        """
        with needing(Code.DATABASE_UNAVAILABLE):
            project = self._ctx.records.project(project_id)
        if project is None and self._ctx.settings.projects == "closed":
            raise Refusal(Code.PROJECT_UNKNOWN)
        own = project.max_bytes if project else None
        most = self._ctx.settings.max_bytes
        return most if own is None else min(own, most)

    def take(
        self,
        submission: Submission,
        filename: str,
        media_type: str,
        stream: BinaryIO,
        size_bytes: int | None,
    ) -> UUID:
        """Record the submission, store its bytes, look again; return the asset's id.

        Raises:
            Refusal: database_unavailable, store_unavailable; erased or expired if that
                happened meanwhile. What reading *stream* raises comes through. No
                record stays pending then.
        """
        lasting = self._ctx.settings.transfer
        asset = self._asset(submission, "form", filename, media_type, lasting)
        self._admit(asset, submission)
        self._store(asset, stream, size_bytes)
        self._look_again(asset.id)
        log.info("accepted", extra={"asset": str(asset.id), "door": "form"})
        return asset.id

    def grant(
        self, wish: UploadRequest, filename: str
    ) -> tuple[UUID, PresignedUpload, datetime]:
        """Record the wish; return the asset's id, how to send it, and until when.

        Raises:
            Refusal: file_empty, too_large, project_unknown, …_unavailable.
        """
        limit = self.limit(wish.project_id)
        if wish.size_bytes == 0:
            raise Refusal(Code.FILE_EMPTY)
        if wish.size_bytes > limit:
            raise Refusal(Code.TOO_LARGE, limit=limit)
        expires = self._ctx.settings.presign_expires
        lasting = expires + self._ctx.settings.transfer
        asset = self._asset(wish, "presigned", filename, wish.content_type, lasting)
        with needing(Code.STORE_UNAVAILABLE):
            upload = self._sign(asset, wish, expires)
        assert asset.created_at is not None
        expires_at = asset.created_at + expires
        self._admit(asset, wish)
        log.info("accepted", extra={"asset": str(asset.id), "door": "presigned"})
        return asset.id, upload, expires_at

    def _asset(
        self,
        submission: Submission,
        door: Door,
        filename: str,
        media_type: str,
        lasting: timedelta,
    ) -> Asset:
        """Return a row that expires unless bytes come within *lasting*."""
        asset_id, now = uuid4(), self._ctx.clock()
        return Asset(
            id=asset_id,
            project_id=submission.project_id,
            reference=submission.reference,
            filename=filename,
            door=door,
            type=media_type,
            source_key=upload_key(submission.project_id, asset_id),
            consent=ConsentState.GIVEN,
            expires_at=now + lasting,
            created_at=now,
            updated_at=now,
        )

    def _admit(self, asset: Asset, submission: Submission) -> None:
        consent = receipt(asset, submission.terms_version, self._ctx.clock())
        with needing(Code.DATABASE_UNAVAILABLE):
            self._ctx.records.admit(asset, consent)

    def _ref(self, asset: Asset) -> ObjectRef:
        return ObjectRef(self._ctx.settings.buckets.quarantine, asset.source_key)

    def _sign(
        self, asset: Asset, wish: UploadRequest, expires: timedelta
    ) -> PresignedUpload:
        metadata = {"asset-id": str(asset.id)}
        if wish.method == "put":
            return self._ctx.store.presign_put(
                self._ref(asset),
                size_bytes=wish.size_bytes,
                media_type=asset.type,
                metadata=metadata,
                expires=expires,
            )
        return self._ctx.store.presign_post(
            self._ref(asset),
            max_bytes=wish.size_bytes,
            media_type=asset.type,
            metadata=metadata,
            expires=expires,
        )

    def _store(self, asset: Asset, stream: BinaryIO, size_bytes: int | None) -> None:
        try:
            with needing(Code.STORE_UNAVAILABLE):
                self._ctx.store.put(
                    self._ref(asset),
                    stream,
                    size_bytes=size_bytes,
                    media_type=asset.type,
                    metadata={"asset-id": str(asset.id)},
                )
        except PratiqueError as exc:
            self._give_up(asset.id, exc.code)
            raise

    def _give_up(self, asset_id: UUID, reason: str) -> None:
        """Close the record of bytes that were not stored."""
        now = self._ctx.clock()
        # Consent that the same form took back is withdrawn, not an upload that failed;
        # no byte was stored, so nothing is left to erase.
        withdrawn = reason == Code.CONSENT_MISSING.word
        facts = (Withdrawn(now), Erased(now)) if withdrawn else (Expired(now, reason),)
        try:
            self._ctx.records.note(asset_id, *facts)
        except TransientError as exc:  # the janitor expires it
            log.warning(
                "left_pending", extra={"asset": str(asset_id), "cause": repr(exc)}
            )

    def _look_again(self, asset_id: UUID) -> None:
        """Refuse an asset that was withdrawn or expired while its bytes came in."""
        try:
            status = Status(self._ctx.records.get(asset_id).status)
        except TransientError as exc:
            # Record and bytes are safe: a refusal would only bring them twice.
            log.warning(
                "not_looked_again", extra={"asset": str(asset_id), "cause": repr(exc)}
            )
            return
        if status in _GONE:
            raise Refusal(_GONE[status])
