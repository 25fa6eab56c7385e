"""Errors to whoever collects them by Sentry's protocol (Sentry, GlitchTip, Bugsink), when one is named."""


def report_errors_to(dsn: str) -> None:
    """Report what breaks in requests and tasks: where, never over whose data.

    Neither bodies nor local variables leave the service: both may hold patients' variants, or secrets.
    """
    import sentry_sdk  # loaded where it is wanted: it takes 5 MB of every process

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        shutdown_timeout=2,
    )
