"""Run the stand-in as a program: `python -m billing.standin`, with the service's own settings."""

import signal
import sys
import threading
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.urls import reverse


def main() -> int:
    django.setup()
    from billing.standin.server import StandIn, StandInRefused

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        standin = StandIn(
            urlsplit(settings.STRIPE_STANDIN_URL).port or 0,
            api_key=settings.STRIPE_API_KEY,
            webhook_url=settings.SITE_URL + reverse("billing:webhook"),
            webhook_secrets=settings.STRIPE_WEBHOOK_SECRETS,
            state=settings.STATE_DIR / "stripe-standin.json",
        )
    except StandInRefused as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201  a program's last word
        return 1
    stopped.wait()
    standin.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
