"""How a browser that has opened a link is let in to the pages of that one result.

The link's secret stands in a cookie for the addresses below that job's own, and for nothing else: at each
request it is looked up again, so that a revoked link lets nobody in from that moment on.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from annotations.models import Job
from annotations.sharing import links
from annotations.sharing.models import ShareLink

COOKIE = "shared-result"
READING = frozenset({"GET", "HEAD"})


def let_in(response: HttpResponse, link: ShareLink, secret: str) -> None:
    """Give the browser the cookie; a browser that closes forgets it."""
    response.set_cookie(
        COOKIE,
        secret,
        path=reverse("annotations:job", args=[link.job_id]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def link_of(request: HttpRequest, job_id: str) -> ShareLink | None:
    """The good link by which this request may read this job, if there is one."""
    secret = request.COOKIES.get(COOKIE)
    if secret is None or request.method not in READING:
        return None
    link = links.find(secret)
    return link if link is not None and link.job_id == job_id and link.is_good else None


def shared_job(request: HttpRequest, job_id: str) -> Job | None:
    """The job, where this request comes by a good link to it and only reads."""
    link = link_of(request, job_id)
    return None if link is None else Job.objects.filter(pk=job_id, user_id=link.user_id).first()
