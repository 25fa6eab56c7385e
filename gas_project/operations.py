"""Queues and workers, on one page of the admin."""

from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from kombu.exceptions import KombuError

from annotations.models import Job, Status
from gas_project.audit import note
from gas_project.celery import app
from tasks.deadletters import looked_at, requeue
from tasks.queues import QUEUE_NAMES, dead_letters
from tasks.sqs import Broker

log = structlog.get_logger(__name__)

WORKERS_ANSWER_WITHIN_SECONDS = 1.5
SHOWN_LETTERS = 50
UNREACHABLE = (BotoCoreError, ClientError, KombuError, OSError)


@require_http_methods(["GET", "HEAD", "POST"])
def queues(request: HttpRequest) -> HttpResponse:
    """What waits where and who works on it; POST sends the dead letters of `queue` back to it."""
    return admin.site.admin_view(_queues)(request)


def _queues(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        _requeue(request, request.POST.get("queue", ""))
        return redirect("queues")
    oldest = Job.objects.filter(status=Status.PENDING).order_by("submitted_at").first()
    context = admin.site.each_context(request) | {
        "title": "Queues and workers",
        "queues": _described_queues(),
        "workers": _workers(),
        "oldest": oldest,
        "may_requeue": _may_requeue(request),
    }
    return render(request, "queues.html", context)


def _may_requeue(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("annotations.change_job"))


def _requeue(request: HttpRequest, queue: str) -> None:
    if queue not in QUEUE_NAMES or not _may_requeue(request):
        messages.error(request, "There is no such queue, or you may not do this.")
        return
    try:
        sent = requeue(Broker(), queue)
    except UNREACHABLE as error:
        messages.error(request, f"The broker can't be reached, or refuses: {error}")
        return
    note(request, f"queue {queue}", f"Sent {sent} dead letters back.")
    messages.success(request, f"{sent} sent back to {queue}.")


def _described_queues() -> list[dict[str, Any]] | None:
    """None where the broker can't be reached."""
    try:
        broker = Broker()
        return [
            {
                "name": queue,
                "depth": broker.depth(queue),
                "dead": broker.depth(dead_letters(queue)),
                "letters": looked_at(broker, queue)[:SHOWN_LETTERS]
                if broker.depth(dead_letters(queue)).waiting
                else [],
            }
            for queue in QUEUE_NAMES
        ]
    except UNREACHABLE as error:
        log.warning("not_ready", needed="broker", error=str(error))
        return None


def _workers() -> list[dict[str, Any]]:
    """Who answers within a second and a half, and what they work on."""
    try:
        ask = app.control.inspect(timeout=WORKERS_ANSWER_WITHIN_SECONDS)
        stats, active = ask.stats() or {}, ask.active() or {}
    except UNREACHABLE as error:
        log.warning("not_ready", needed="broker", error=str(error))
        return []
    return [
        {
            "name": name,
            "processes": len(found.get("pool", {}).get("processes", [])),
            "done": sum(found.get("total", {}).values()),
            "active": active.get(name, []),
        }
        for name, found in sorted(stats.items())
    ]
