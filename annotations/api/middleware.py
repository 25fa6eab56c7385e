"""What every answer below /api/ has in common."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from annotations.api.problems import MEDIA_TYPE, problem_of_status

API = "/api/"
# What of an answer stays when problem details take the place of its body.
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def manners(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """HEAD is GET without the body, errors are problem details whoever met them, no cache keeps answers."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(API):
            return get_response(request)
        method = request.method
        if method == "HEAD":
            request.method = "GET"
        response = get_response(request)
        request.method = method  # by which the server knows that it sends no body
        if response.status_code >= 400 and MEDIA_TYPE not in response.headers.get("Content-Type", ""):
            response = _as_problem(response)
        if pace := getattr(request, "pace", None):
            for name, value in pace.headers().items():
                response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    return middleware


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    problem = problem_of_status(response.status_code)
    for name in KEPT_HEADERS:
        if name in response.headers:
            problem.headers[name] = response.headers[name]
    return problem
