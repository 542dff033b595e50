"""What an S3 store needs besides its URL."""

from dataclasses import dataclass


@dataclass(frozen=True)
class S3Options:
    """Who signs URLs, and for which address.

    Attributes:
        public_url: what clients reach the server under; None for the store's own URL.
        upload_signer, download_signer: `KEY:SECRET`. Keys of their own, as a signer's
            rights are what any client has: an unsigned copy-source header makes a copy
            of an upload.
        connections: how many are kept open, one for each worker at least.
    """

    public_url: str | None = None
    upload_signer: str | None = None
    download_signer: str | None = None
    connections: int = 10
