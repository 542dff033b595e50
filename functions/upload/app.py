"""The HTTP API: routes, and one shape for every error answer."""

import logging
from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from functions.upload.form import FormError
from functions.upload.intake import Intake
from functions.upload.pace import Linger
from functions.upload.refusals import Code, Refusal, invalid
from functions.upload.routes import assets, health, submit
from functions.upload.settings import UploadSettings
from schemas import __version__
from schemas.functions import Context
from schemas.ports import ASGIApp

log = logging.getLogger(__name__)


def build_app(ctx: Context[UploadSettings]) -> ASGIApp:
    """Return the app that serves *ctx*; it needs no lifespan."""
    # Its /docs loads nothing from elsewhere: it works, and tells nobody, offline too.
    app = FastAPIOffline(
        redoc_url=None,
        title="Pratique",
        version=__version__,
        summary="Quarantine and clearance for files that people upload.",
        redirect_slashes=False,
    )
    app.state.context = ctx
    app.state.intake = Intake(ctx)
    for routes in (submit, assets, health):
        app.include_router(routes.router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(FormError, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _misdirected)
    app.add_exception_handler(Exception, _crashed)
    settings = ctx.settings
    app.add_middleware(
        Linger, seconds=settings.linger_s, max_bytes=settings.linger_bytes
    )
    return app


def _answer(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(
        {"detail": detail}, status, {**(headers or {}), "x-pratique-error": code}
    )


async def _refused(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Refusal)
    if exc.answer.status < 500:
        log.info("refused", extra={"code": exc.code})
        return _answer(exc.answer.status, exc.code, exc.detail)
    log.warning("refused", extra={"code": exc.code, "cause": repr(exc.__cause__)})
    seconds = request.app.state.context.settings.retry_after_s
    headers = {"retry-after": str(seconds)}
    return _answer(exc.answer.status, exc.code, exc.detail, headers)


async def _unreadable(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, FormError)
    log.info("refused", extra={"code": exc.code})
    return _answer(Code[exc.code.upper()].status, exc.code, exc.detail)


async def _invalid(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    return await _refused(request, invalid(exc.errors()))


async def _misdirected(request: Request, exc: Exception) -> JSONResponse:
    """Answer what the router refused."""
    assert isinstance(exc, HTTPException)
    known = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}
    code = known.get(exc.status_code)
    if code is None:
        return _answer(exc.status_code, f"http_{exc.status_code}", str(exc.detail))
    return _answer(code.status, code.word, code.sentence, exc.headers)


async def _crashed(request: Request, exc: Exception) -> JSONResponse:
    """Answer without a word of what happened; the server logs the traceback, once."""
    return _answer(Code.INTERNAL.status, Code.INTERNAL.word, Code.INTERNAL.sentence)
