"""A small client of the HTTP API, for the command line and the demo."""

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from schemas.doors import clean_text
from schemas.errors import SettingsError, Unavailable

OnBytes = Callable[[int], None]


class Client:
    """Uploads files through the form or by presigned URLs; a context manager."""

    def __init__(self, url: str) -> None:
        try:
            self._http = httpx.Client(base_url=url, timeout=httpx.Timeout(30, read=300))
        except httpx.InvalidURL as exc:
            raise SettingsError(f"{url}: {exc}") from exc

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.close()

    def form(
        self,
        path: Path,
        project_id: str,
        *,
        consent: bool,
        on_bytes: OnBytes = lambda sent: None,
    ) -> dict[str, Any]:
        """Send a file with the form; return the answer, or `code` and `error`."""
        with path.open("rb") as stream:
            part = (name_of(path), _Watched(stream, on_bytes), _type_of(path))
            fields = {"project_id": project_id, "user_consent": str(consent).lower()}
            return _answer(
                self._request("POST", "/assets", data=fields, files={"file": part})
            )

    def presigned(
        self,
        path: Path,
        project_id: str,
        *,
        consent: bool,
        on_bytes: OnBytes = lambda sent: None,
    ) -> dict[str, Any]:
        """Ask for an upload URL and send the file there."""
        wish = {
            "project_id": project_id,
            "user_consent": consent,
            "filename": name_of(path),
            "content_type": _type_of(path),
            "size_bytes": path.stat().st_size,
            "method": "post",
        }
        granted = _answer(self._request("POST", "/uploads", json=wish))
        if "error" in granted:
            return granted
        upload = granted["upload"]
        with path.open("rb") as stream:
            part = (name_of(path), _Watched(stream, on_bytes), _type_of(path))
            sent = self._request(
                "POST", upload["url"], data=upload["fields"], files={"file": part}
            )
        if sent.is_success:
            return {"asset_id": granted["asset_id"], "status": "processing"}
        return {"asset_id": granted["asset_id"], **_answer(sent)}

    def asset(self, asset_id: str) -> dict[str, Any]:
        """Return an asset's record."""
        return _answer(self._request("GET", f"/assets/{asset_id}"))

    def content(self, asset_id: str) -> bytes | None:
        """Return the clean copy's bytes, or None while there is none."""
        answer = self._request(
            "GET", f"/assets/{asset_id}/content", follow_redirects=True
        )
        return answer.content if answer.is_success else None

    def _request(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **options)
        except httpx.HTTPError as exc:
            base = self._http.base_url
            raise Unavailable(
                f"{base}: {exc}; is `pratique run` up, or is --url right?"
            ) from exc


class _Watched:
    """A file whose reader is told how far it got."""

    def __init__(self, stream: BinaryIO, on_bytes: OnBytes) -> None:
        self._stream = stream
        self._on_bytes = on_bytes

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._on_bytes(self._stream.tell())
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def name_of(path: Path) -> str:
    """Return a file's name as text: on disk it may be any bytes."""
    return clean_text(path.name) or "file"


def _type_of(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = {"detail": response.text[:200]}
    if not isinstance(document, dict):  # somebody else's server
        document = {"detail": response.text[:200]}
    if response.is_success and "detail" not in document:
        return document
    code = response.headers.get("x-pratique-error", f"http_{response.status_code}")
    return {"code": code, "error": document.get("detail")}
