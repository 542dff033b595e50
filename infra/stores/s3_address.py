"""Where an S3 server is and as whom we speak to it: what its URL says.

    s3+http://KEY:SECRET@HOST:PORT?region=us-east-1

KEY and SECRET are percent-encoded where they hold what a URL can't.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from minio.credentials.credentials import Credentials

from schemas.errors import SettingsError

_PORTS = {"http": 80, "https": 443}
_REGION = re.compile(r"[a-z0-9-]{1,63}")
_SHAPE = "s3+http://KEY:SECRET@HOST:PORT or s3+https://…"


@dataclass(frozen=True)
class Address:
    """A server's URL without path, its region, and the keys of one of its users."""

    base_url: str
    region: str
    keys: Credentials

    def url(
        self, bucket: str = "", key: str = "", query: Mapping[str, str] | None = None
    ) -> SplitResult:
        """Return the URL of the server, a bucket or an object, as it is signed."""
        path = f"/{bucket}/{quote(key, safe='/~')}" if key else f"/{bucket}"
        return urlsplit(f"{self.base_url}{path}?{encoded(query or {})}")


def encoded(query: Mapping[str, str]) -> str:
    """Return a query in the one form that SigV4 takes: sorted, blanks as %20."""
    pairs = [(quote(k, safe="~"), quote(v, safe="~")) for k, v in query.items()]
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def read_address(url: str) -> Address:
    """Return what an `s3+http:` or `s3+https:` URL says.

    Raises:
        SettingsError: without the URL's text, which may hold a password.
    """
    try:
        parts = urlsplit(url.removeprefix("s3+"))
        base_url = _base_url(parts)
    except ValueError:
        raise SettingsError(f"the store's URL is malformed: {_SHAPE}") from None
    if parts.path.strip("/") or parts.fragment:
        raise SettingsError(f"the store's URL has a path or fragment: {_SHAPE}")
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    if not (key and secret):
        raise SettingsError(f"the store's URL lacks a key or its secret: {_SHAPE}")
    return Address(base_url, _region(parts.query), Credentials(key, secret))


def elsewhere(address: Address, public_url: str | None, pair: str) -> Address:
    """Return *address* as a signer's of `KEY:SECRET`, as clients reach it.

    Raises:
        SettingsError: the public URL is none.
    """
    key, _, secret = pair.partition(":")
    try:
        base_url = _base_url(urlsplit(public_url)) if public_url else address.base_url
    except ValueError:
        raise SettingsError("PRATIQUE_STORE_PUBLIC_URL is no URL of a server") from None
    return Address(base_url, address.region, Credentials(key, secret))


def _base_url(parts: SplitResult) -> str:
    """Return scheme, host and port as clients send them in the header Host."""
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or not re.fullmatch(r"[\w.:-]+", host):
        raise ValueError("no server")
    name = f"[{host}]" if ":" in host else host
    if parts.port is None or parts.port == _PORTS[parts.scheme]:
        return f"{parts.scheme}://{name}"
    return f"{parts.scheme}://{name}:{parts.port}"


def _region(query: str) -> str:
    options = parse_qs(query, keep_blank_values=True)
    values = options.pop("region", ["us-east-1"])
    if options or len(values) != 1 or not _REGION.fullmatch(values[0]):
        raise SettingsError("the store's URL: the only option is region=NAME")
    return values[0]
