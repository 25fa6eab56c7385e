"""The API itself: its parts, its errors, and its OpenAPI description."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from annotations.api import exports, jobs, results, service, uploads, webhooks
from annotations.api.authentication import unknown_token
from annotations.api.problems import KINDS, MEDIA_TYPE, Problem, problem_of_status
from annotations.storage.port import StorageError

log = structlog.get_logger(__name__)

DESCRIPTION = """Everything that the site does with jobs, for scripts. Make a token on your profile and send
it: `Authorization: Bearer gas_…`. Errors are problem details (RFC 9457). Lists go by cursor. Each answer says
in `RateLimit` how many requests are left in the minute. Requests that make something take an
`Idempotency-Key`."""


class Api(NinjaAPI):
    """Adds to the description what all operations have in common."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        components = schema["components"]
        components["schemas"]["Problem"] = PROBLEM_SCHEMA
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                _document_errors(method, operation)
        return schema


PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 has it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "The kind of problem; leads to its description."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "message"],
                "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _document_errors(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if (
        set(responses) - {200}
        and responses.get(200, {}).get("description") == "OK"
        and "content" not in responses[200]
    ):
        del responses[200]  # ninja's guess, where the operation says itself what it answers
    statuses = {401, 403, 404, 422, 429, 503} | ({400, 409, 413, 415} if method != "get" else {409})
    for status in sorted(statuses):
        kinds = [kind.title for kind in KINDS.values() if kind.status == status]
        responses[status] = {
            "description": "; ".join(kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


api = Api(
    title="Genomics Annotation Service",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url=None,
    docs_decorator=require_safe,
    servers=[{"url": "/"}],  # by whatever name one came
)
api.add_router("/jobs", jobs.router)
api.add_router("/jobs", results.router)
api.add_router("/jobs", exports.router)
api.add_router("/uploads", uploads.router)
api.add_router("/webhooks", webhooks.router)
api.add_router("", service.router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem.response()


@api.exception_handler(AuthenticationError)
def _not_authenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return unknown_token("Send a token, as in: Authorization: Bearer gas_…").response()


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"where": _place(fault["loc"]), "message": fault["msg"]} for fault in error.errors]
    told = "; ".join(f"{fault['where']}: {fault['message']}" for fault in errors[:3])
    return Problem("invalid", told or KINDS["invalid"].meaning, errors=errors).response()


def _place(loc: Sequence[str | int]) -> str:
    """body.upload_id: the second `body` is what our functions call it, and no name of the caller's."""
    names = [str(part) for part in loc]
    return ".".join(names[1:] if names[:2] == ["body", "body"] else names)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        if request.content_type != "application/json":
            return problem_of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return Problem("malformed", "The body is no JSON that can be read.").response()
    return problem_of_status(error.status_code)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_of_status(HTTPStatus.NOT_FOUND)


@api.exception_handler(StorageError)
def _unavailable(request: HttpRequest, error: StorageError) -> HttpResponse:
    log.warning("storage_failed", error=str(error))
    return Problem(
        "unavailable", "The storage can't be reached. Try again later.", headers={"Retry-After": "30"}
    ).response()
