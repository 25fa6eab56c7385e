"""Every address of the site, and what it answers to whom: the table that `test_access` walks."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """The status that GET gives to each: 200 shown, 302 sent elsewhere, 404 as if it were not there.

    The owner is on the free tier; somebody on the premium tier is, to this owner's job, another one.
    """

    anonymous: int
    other: int
    owner: int
    staff: int
    args: tuple[str, ...] = ()
    differs: dict[str, int] = field(default_factory=dict)

    @property
    def premium(self) -> int:
        return self.differs.get("premium", self.other)


def public(*args: str) -> Access:
    return Access(200, 200, 200, 200, args)


def for_visitors() -> Access:
    return Access(200, 302, 302, 302)


def for_anyone_logged_in(*args: str) -> Access:
    return Access(302, 200, 200, 200, args)


def for_the_owner(status: int = 200, *args: str) -> Access:
    """The staff's place to look at jobs is the admin."""
    return Access(302, 404, status, 404, ("JOB", *args))


def not_for_get(*args: str) -> Access:
    return Access(405, 405, 405, 405, args)


def nothing(*args: str) -> Access:
    return Access(404, 404, 404, 404, args)


def for_callers() -> Access:
    """Of the API: whoever has logged in, or has a token (below)."""
    return Access(401, 200, 200, 200)


def for_the_owning_caller(status: int = 200, *args: str) -> Access:
    return Access(401, 404, status, 404, ("JOB", *args))


ACCESS = {
    "home": public(),
    "profile": for_anyone_logged_in(),
    "take_out": for_anyone_logged_in(),
    "delete_account": for_anyone_logged_in(),
    "healthz": public(),
    "readyz": public(),
    "metrics": Access(404, 404, 404, 404),  # for who brings the token
    "queues": Access(302, 302, 302, 200),
    "flower": Access(302, 403, 403, 403),  # for superusers
    "flower_page": Access(302, 403, 403, 403, ("workers",)),
    # jobs
    "annotations:jobs": for_anyone_logged_in(),
    "annotations:new": for_anyone_logged_in(),
    "annotations:sample": Access(302, 404, 404, 404, ("no-such-reference",)),
    "annotations:begin_upload": Access(302, 405, 405, 405),
    "annotations:submit": Access(302, 400, 400, 400),  # 400: no key
    "annotations:job": for_the_owner(),
    "annotations:job_status": Access(200, 404, 200, 404, ("JOB",)),  # 200: HX-Refresh, and nothing else
    "annotations:cancel_job": Access(302, 405, 405, 405, ("JOB",)),
    "annotations:retry_job": Access(302, 405, 405, 405, ("JOB",)),
    "annotations:annotate_anew": Access(302, 405, 405, 405, ("JOB",)),
    "annotations:delete_job": for_the_owner(),
    "annotations:job_log": for_the_owner(),
    "annotations:job_file": for_the_owner(302, "log"),
    "annotations:job_provenance": for_the_owner(404),  # the job of these tests has not ended
    "annotations:share_links": for_the_owner(),
    "annotations:revoke_link": Access(302, 405, 405, 405, ("JOB", "1")),
    "annotations:open_link": Access(404, 404, 404, 404, ("no-such-secret",)),
    "annotations:result": for_the_owner(),
    "annotations:result_row": for_the_owner(404, "0"),  # the table of these tests has no rows
    "annotations:result_plots": for_the_owner(),
    "annotations:result_plot": for_the_owner(200, "impacts"),
    "annotations:result_plot_numbers": for_the_owner(200, "impacts", "json"),
    "annotations:result_gene": for_the_owner(),
    "annotations:result_gene_drawing": for_the_owner(404),  # no gene is named
    "annotations:result_genome": for_the_owner(),
    "annotations:result_genome_settings": for_the_owner(404),  # the reference of these tests is not there
    "annotations:result_genome_variants": for_the_owner(404),  # no stretch is named
    "annotations:result_reference_genes": for_the_owner(404),
    "annotations:result_reference_file": for_the_owner(404, "genome.fa.gz"),
    "annotations:result_export": for_the_owner(),
    "annotations:result_exports": for_the_owner(),
    "annotations:result_export_file": for_the_owner(404, "none"),
    "annotations:cancel_export": Access(302, 405, 405, 405, ("JOB", "none")),
    # billing
    "billing:overview": for_anyone_logged_in(),
    "billing:subscribe": Access(302, 405, 405, 405),
    "billing:portal": Access(302, 405, 405, 405),
    "billing:welcome": Access(302, 200, 200, 200, differs={"premium": 302}),  # there already
    "billing:webhook": not_for_get(),
    "archival:archive": Access(302, 405, 405, 405, ("JOB",)),
    "archival:retrieve": Access(302, 405, 405, 405, ("JOB",)),
    "incoming:paste": for_anyone_logged_in(),
    "incoming:address": for_anyone_logged_in(),
    "incoming:upload": for_the_owner(),
    # the API; the owner's upload and webhook have the id of their job
    "api_docs": public(),
    "api_problems": public(),
    "api:openapi-json": public(),
    "api:api-root": nothing(),
    "api_no_such_address": nothing(),
    "tokens": for_anyone_logged_in(),
    "revoke_token": Access(302, 405, 405, 405, ("1",)),
    "webhooks": for_anyone_logged_in(),
    "webhook": for_the_owner(),
    "try_webhook": Access(302, 405, 405, 405, ("JOB",)),
    "switch_webhook": Access(302, 405, 405, 405, ("JOB",)),
    "delete_webhook": Access(302, 405, 405, 405, ("JOB",)),
    "api:jobs": for_callers(),
    "api:job": for_the_owning_caller(),
    "api:cancel_job": not_for_get("JOB"),
    "api:retry_job": not_for_get("JOB"),
    "api:exports": for_the_owning_caller(),
    "api:export": Access(401, 404, 404, 404, ("JOB", "0123456789abcdef")),
    "api:export_file": Access(401, 404, 404, 404, ("JOB", "0123456789abcdef")),
    "api:results": for_the_owning_caller(),
    "api:results_about": for_the_owning_caller(),
    "api:job_log": for_the_owning_caller(),
    "api:job_file": for_the_owning_caller(302, "log"),
    "api:uploads": for_callers(),
    "api:upload": for_the_owning_caller(),
    "api:upload_form": not_for_get(),
    "api:upload_from_url": not_for_get(),
    "api:upload_variants": not_for_get(),
    "api:upload_parts": not_for_get("JOB"),
    "api:upload_complete": not_for_get("JOB"),
    "api:webhooks": for_callers(),
    "api:webhook": for_the_owning_caller(),
    "api:webhook_test": not_for_get("JOB"),
    "api:webhook_deliveries": for_the_owning_caller(),
    "api:references": for_callers(),
    "api:usage": for_callers(),
    # storage: the signature is the permission, whoever comes with it
    "annotations:receive_upload": not_for_get(),
    "annotations:receive_part": not_for_get(),
    "annotations:download": Access(403, 403, 403, 403),
    # accounts
    "account_login": for_visitors(),
    "account_signup": for_visitors(),
    "account_logout": Access(302, 200, 200, 200),
    "account_inactive": public(),
    "account_reauthenticate": Access(302, 200, 200, 200),
    "account_email": for_anyone_logged_in(),
    "account_email_verification_sent": public(),
    "account_confirm_email": public("no-such-key"),
    "account_change_password": for_anyone_logged_in(),
    "account_set_password": Access(302, 302, 302, 302),  # only for accounts without one
    "account_reset_password": public(),
    "account_reset_password_done": public(),
    "account_reset_password_from_key": public("1", "no-such-key"),
    "account_reset_password_from_key_done": public(),
    "mfa_index": for_anyone_logged_in(),
    "mfa_authenticate": Access(302, 302, 302, 302),  # between the password and being logged in
    "mfa_reauthenticate": Access(302, 302, 302, 302),  # only with a second factor
    "mfa_activate_totp": Access(302, 302, 302, 302),  # the password again
    "mfa_deactivate_totp": Access(302, 404, 404, 404),
    "mfa_view_recovery_codes": Access(302, 404, 404, 404),
    "mfa_generate_recovery_codes": Access(302, 302, 302, 302),
    "mfa_download_recovery_codes": Access(302, 404, 404, 404),
    "mfa_list_webauthn": for_anyone_logged_in(),
    "mfa_add_webauthn": Access(302, 302, 302, 302),
    "mfa_edit_webauthn": Access(302, 302, 302, 302, ("1",)),
    "mfa_remove_webauthn": Access(302, 302, 302, 302, ("1",)),
    "mfa_reauthenticate_webauthn": Access(302, 302, 302, 302),
    "mfa_login_webauthn": Access(302, 302, 302, 302),
    "socialaccount_connections": for_anyone_logged_in(),
    "socialaccount_signup": Access(302, 302, 302, 302),  # back from a provider only
    "socialaccount_login_cancelled": public(),
    "socialaccount_login_error": Access(401, 401, 401, 401),
    "openid_connect_login": Access(404, 404, 404, 404, ("no-such-provider",)),
    "openid_connect_callback": Access(404, 404, 404, 404, ("no-such-provider",)),
    "account_confirm_login_code": Access(302, 302, 302, 302),  # logging in by code is switched off
}


# Scripts and styles within a page; data in JSON is none.
NOT_FROM_A_FILE = r"""<style|\sstyle=|\son\w+=|<script(?![^>]*\s(src=|type="application/json"))"""
PEOPLE = ("anonymous", "other", "owner", "premium", "staff")
# What an empty POST gives to (anonymous, whoever has logged in); elsewhere it is refused by 405.
POSTS = {
    "profile": (302, 200),
    "queues": (302, 302),  # back to the page, which says that there is no such queue
    "delete_account": (302, 200),  # asked for the password again
    "annotations:begin_upload": (302, 200),
    "annotations:submit": (302, 400),
    "annotations:cancel_job": (302, 404),
    "annotations:delete_job": (302, 404),
    "annotations:annotate_anew": (302, 404),
    "annotations:retry_job": (302, 404),
    "annotations:revoke_link": (302, 404),
    "annotations:share_links": (302, 404),
    "annotations:result_export": (302, 404),
    "annotations:cancel_export": (302, 404),
    "annotations:receive_upload": (403, 403),
    "incoming:paste": (302, 400),
    "incoming:address": (302, 400),
    "api:jobs": (401, 415),
    "api:cancel_job": (401, 404),
    "api:retry_job": (401, 404),
    "api:exports": (401, 415),
    "api:uploads": (401, 415),
    "api:upload_form": (401, 415),
    "api:upload_from_url": (401, 415),
    "api:upload_variants": (401, 415),
    "api:upload_parts": (401, 415),
    "api:upload_complete": (401, 415),
    "api:webhooks": (401, 415),
    "api:webhook_test": (401, 404),
    "tokens": (302, 200),
    "revoke_token": (302, 302),
    "webhooks": (302, 200),
    "try_webhook": (302, 404),
    "switch_webhook": (302, 404),
    "delete_webhook": (302, 404),
    "archival:archive": (302, 404),
    "archival:retrieve": (302, 404),
    "billing:subscribe": (302, 302),  # to Stripe, or back to the page where payments are off
    "billing:portal": (302, 302),
    "billing:webhook": (400, 400),  # not signed
}
# What its owner does to a job by a POST; to everybody else there is no such job.
DEEDS = {
    ("annotations:cancel_job", "post"),
    ("annotations:delete_job", "post"),
    ("annotations:annotate_anew", "post"),
    ("annotations:result_export", "post"),
    ("annotations:retry_job", "post"),
    ("annotations:share_links", "post"),
    ("annotations:revoke_link", "post"),
    ("api:cancel_job", "post"),
    ("api:retry_job", "post"),
    ("api:job", "delete"),
    ("api:upload_complete", "post"),
    ("api:upload", "delete"),
    ("api:webhook", "delete"),
    ("api:webhook_test", "post"),
    ("try_webhook", "post"),
    ("switch_webhook", "post"),
    ("delete_webhook", "post"),
}
# Whoever may not come in is told so, by whatever method they come.
GUARDED = {"flower", "flower_page", "queues"}
# What only a tier that keeps results gives; the owner of these tests is free.
PREMIUM_DEEDS = {"archival:archive", "archival:retrieve"}
# There is nothing, by whatever method.
NOWHERE = {"api:api-root", "api_no_such_address"}
# What other methods give to (anonymous, whoever has logged in) where they are used.
OTHER_METHODS = {
    ("api:job", "delete"): (401, 404),
    ("api:export", "delete"): (401, 404),
    ("api:upload", "delete"): (401, 404),
    ("api:webhook", "delete"): (401, 404),
    ("api:webhook", "patch"): (401, 422),
    ("annotations:receive_part", "put"): (403, 403),  # not signed
}
UNUSED_METHODS = ("put", "patch", "delete", "options", "trace")
