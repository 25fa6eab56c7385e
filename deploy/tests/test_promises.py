"""What the installation on AWS promises, each promise with the tests that hold it."""

import re

import pytest

from deploy.reading import FOLDER

HERE = "test_templates"
PROMISES = {
    "small templates": ["test_every_template_is_known_and_small"],
    "exported values": [
        "test_a_template_imports_only_what_those_before_it_export",
        "test_every_exported_value_is_imported_or_read_by_the_deployment",
    ],
    "a VPC over two zones": [
        "test_the_network_spans_two_zones",
        "test_private_subnets_have_a_way_out_and_none_in",
        "test_only_the_load_balancer_listens_to_the_world",
        "test_hosts_get_out_for_https_mail_and_the_database_and_the_service_is_told_so",
    ],
    "endpoints for S3, DynamoDB, SQS": ["test_s3_dynamodb_and_sqs_are_reached_without_the_internet"],
    "ALB with HTTPS, certificate by parameter, HTTP redirects": [
        "test_the_site_speaks_https_and_http_is_redirected"
    ],
    "shallow health check": ["test_the_balancer_asks_for_the_shallow_health_page"],
    "web group 2-10 on requests per target": [
        "test_web_and_workers_are_two_to_ten_hosts",
        "test_web_hosts_follow_the_requests_that_each_has",
    ],
    "annotator group 2-10 on backlog per instance": [
        "test_web_and_workers_are_two_to_ten_hosts",
        "test_workers_follow_the_messages_that_wait_for_each_host_in_service",
    ],
    "target from a documented latency and mean task time": [
        "test_the_backlog_target_is_an_acceptable_wait_divided_by_the_mean_time_of_a_job",
        "test_autoscaling.test_the_mean_work_of_a_job_is_that_of_the_mix",
    ],
    "optional spot": ["test_spot_is_a_choice_and_never_the_first_two_hosts"],
    "launch templates, IMDSv2, encrypted volumes": [
        "test_hosts_come_from_launch_templates_with_imdsv2_and_encrypted_disks"
    ],
    "SSM instead of SSH": [
        "test_operators_come_by_session_manager",
        "test_only_the_load_balancer_listens_to_the_world",
    ],
    "scale-in never kills a job": [
        "test_a_worker_host_may_finish_its_jobs_before_it_goes",
        "test_autoscaling.test_waits_and_costs_stay_in_bounds_and_no_job_is_killed",
        "test_autoscaling.test_no_job_is_lost_when_spot_hosts_are_taken_away",
    ],
    "a release that does not work goes back": [
        "test_a_new_release_takes_a_hosts_place_only_when_the_host_has_said_that_it_works"
    ],
    "SQS queues with DLQs and alarms": [
        "test_every_queue_has_a_dead_letter_queue_and_all_are_encrypted",
        "test_somebody_is_told_of_the_first_message_in_any_dead_letter_queue",
        "test_each_queue_is_watched_for_messages_that_wait_too_long",
        "test_agreement.test_the_queues_are_those_that_the_tasks_are_sent_to",
        "test_agreement.test_a_message_stays_invisible_for_as_long_as_the_worker_thinks",
    ],
    "SNS topics, SES identity": ["test_there_are_topics_for_results_and_alarms_and_a_sender_of_mail"],
    "DynamoDB with the model's indexes, PITR": [
        "test_agreement.test_a_table_has_the_models_name_key_and_indexes",
        "test_agreement.test_a_tables_keys_have_the_kinds_that_the_backend_writes",
        "test_agreement.test_a_table_can_be_brought_back_to_any_second_and_forgets_nothing",
    ],
    "S3 buckets private, encrypted, rid of stale multiparts": [
        "test_buckets_are_private_encrypted_kept_and_rid_of_stale_uploads",
        "test_buckets_refuse_requests_in_the_clear",
        "test_static_files_are_read_by_the_content_network_alone",
    ],
    "versioned where it matters": ["test_what_cannot_be_made_again_is_versioned"],
    "CORS with ETag exposed": ["test_browsers_may_use_the_buckets_from_the_sites_pages_and_see_the_etag"],
    "ObjectRestore events to the restore queue": [
        "test_a_restored_archive_is_told_to_the_restore_queue_which_takes_it",
        "test_a_vault_says_on_a_topic_that_leads_to_the_same_queue_when_a_retrieval_is_ready",
    ],
    "RDS PostgreSQL": [
        "test_accounts_are_in_an_encrypted_postgresql_that_is_backed_up_and_hard_to_delete",
        "test_the_database_listens_to_web_hosts_and_workers_alone",
    ],
    "Secrets Manager": ["test_no_template_holds_a_secret"],
    "least-privilege roles per service, no wildcard actions on wildcard resources": [
        "test_permissions.test_every_call_that_was_seen_is_allowed",
        "test_permissions.test_nothing_else_is_granted_but_for_a_reason",
        "test_permissions.test_a_wildcard_never_stands_for_all_actions_and_seldom_for_all_resources",
        "test_permissions.test_no_role_has_more_than_its_own_policies",
        "test_permissions.test_only_hosts_may_take_the_roles",
    ],
    "dashboard": ["test_the_dashboard_is_readable_and_shows_queues_hosts_jobs_and_errors"],
    "alarms: queue age, DLQ, 5xx, failed jobs, thaw lag": [
        "test_the_alarms_cover_age_dead_letters_errors_failed_jobs_and_thaws",
        "test_each_queue_is_watched_for_messages_that_wait_too_long",
        "test_a_job_that_failed_by_no_fault_of_its_user_is_told",
    ],
    "alarms: budget": ["test_a_budget_is_watched"],
    "each skipped check has its reason": ["test_every_check_that_is_skipped_has_its_reason"],
}


def _tests_of(module: str) -> set[str]:
    text = (FOLDER.parent / "tests" / f"{module}.py").read_text()
    return set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_held_by_tests_that_are_there(promise: str) -> None:
    for name in PROMISES[promise]:
        module, _, test = name.rpartition(".")
        assert test in _tests_of(module or HERE), name


def test_every_test_of_the_templates_holds_a_promise() -> None:
    named = {name for names in PROMISES.values() for name in names if "." not in name}
    assert _tests_of(HERE) == named
