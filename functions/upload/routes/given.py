"""What the routes are given."""

from typing import Annotated, Any

from fastapi import Depends, Request

from functions.upload.intake import Intake
from functions.upload.refusals import Code, Problem, Refusal
from functions.upload.settings import UploadSettings
from schemas.functions import Context


def _context(request: Request) -> Context[UploadSettings]:
    context: Context[UploadSettings] = request.app.state.context
    return context


def _intake(request: Request) -> Intake:
    intake: Intake = request.app.state.intake
    return intake


def once_each(request: Request) -> None:
    """Refuse a query that gives a parameter twice: which of them is meant?"""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise Refusal(Code.FIELD_REPEATED, field=name[:64])


Ctx = Annotated[Context[UploadSettings], Depends(_context)]
TheIntake = Annotated[Intake, Depends(_intake)]


def problems(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route, for its documentation."""
    answers: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        answer = answers.setdefault(
            code.status,
            {"model": Problem, "description": "X-Pratique-Error:"},
        )
        answer["description"] += f" `{code.word}`"
    return answers
