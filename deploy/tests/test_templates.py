"""What the templates promise, sentence by sentence."""

import json
import re
from typing import Any

import pytest

from annotations.incoming.parts import KEPT
from deploy.reading import (
    FOLDER,
    NAMES,
    every,
    exports,
    imports,
    plain,
    properties,
    resources,
    template,
)
from deploy.stack.hosts import OUTBOUND_PORTS

# Network


def test_every_template_is_known_and_small() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES)
    for name in NAMES:
        assert len((FOLDER / f"{name}.yaml").read_text().splitlines()) < 450, name


def test_a_template_imports_only_what_those_before_it_export() -> None:
    exported: set[str] = set()
    for name in NAMES:
        assert imports(template(name)) <= exported, name
        exported |= exports(name)


def test_every_exported_value_is_imported_or_read_by_the_deployment() -> None:
    read_by_the_deployment = {
        "StaticBucket", "StaticUrl", "ReleasesBucket", "ReleaseKey", "InputsBucket", "ResultsBucket",
        "ColdBucket", "DatabaseAddress", "StorageEventsQueueName", "ArchiveQueueName", "DefaultQueueName",
        "WebGroupName", "WorkerGroupName", "TargetGroupName", "DatabaseSecret", "SettingsSecret",
        "RetrievalsTopic",
    }  # fmt: skip
    imported = set().union(*(imports(template(name)) for name in NAMES))
    exported = set().union(*(exports(name) for name in NAMES))
    assert exported - imported <= {f"gas-{name}" for name in read_by_the_deployment}


def test_the_network_spans_two_zones() -> None:
    subnets = resources("network", "AWS::EC2::Subnet")
    zones = {
        name: subnet["Properties"]["AvailabilityZone"]["Fn::Select"][0] for name, subnet in subnets.items()
    }
    assert zones == {"PublicSubnet1": 0, "PublicSubnet2": 1, "PrivateSubnet1": 0, "PrivateSubnet2": 1}


def test_s3_dynamodb_and_sqs_are_reached_without_the_internet() -> None:
    endpoints = [plain(part["Properties"]["ServiceName"]) for part in every("AWS::EC2::VPCEndpoint").values()]
    assert sorted(name.rsplit(".", 1)[-1] for name in endpoints) == ["dynamodb", "s3", "sqs"]
    assert properties("network", "SqsEndpoint")["PrivateDnsEnabled"] is True


def test_only_the_load_balancer_listens_to_the_world() -> None:
    open_to_all = {
        name
        for name, group in every("AWS::EC2::SecurityGroup").items()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
        if rule.get("CidrIp") == "0.0.0.0/0"
    }
    assert open_to_all == {"network.BalancerGroup"}
    ports = {
        rule["FromPort"]
        for group in every("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    }
    assert 22 not in ports  # Systems Manager instead of SSH


def test_private_subnets_have_a_way_out_and_none_in() -> None:
    routes = properties("network", "PrivateWayOut1"), properties("network", "PrivateWayOut2")
    assert all("NatGatewayId" in route for route in routes)
    for name in ("web", "workers", "control"):
        subnets = properties(name, "Group")["VPCZoneIdentifier"]
        assert "PrivateSubnets" in str(subnets), name


def test_hosts_get_out_for_https_mail_and_the_database_and_the_service_is_told_so() -> None:
    for name in ("WebGroup", "WorkerGroup"):
        ports = {rule["FromPort"] for rule in properties("network", name)["SecurityGroupEgress"]}
        assert ports == {443, 587, 5432}, name
        anywhere = {
            str(rule["FromPort"])
            for rule in properties("network", name)["SecurityGroupEgress"]
            if rule["CidrIp"] == "0.0.0.0/0" and rule["Description"] != "mail"
        }
        assert anywhere == set(OUTBOUND_PORTS.split(",")), name


def test_the_database_listens_to_web_hosts_and_workers_alone() -> None:
    rules = properties("network", "DatabaseGroup")["SecurityGroupIngress"]
    assert [rule["SourceSecurityGroupId"]["Ref"] for rule in rules] == ["WebGroup", "WorkerGroup"]


# The site


def test_the_site_speaks_https_and_http_is_redirected() -> None:
    https, http = properties("web", "Https"), properties("web", "Http")
    assert (https["Port"], https["Protocol"]) == (443, "HTTPS")
    assert https["Certificates"] == [{"CertificateArn": {"Ref": "Certificate"}}]
    assert "TLS13" in https["SslPolicy"]
    (action,) = http["DefaultActions"]
    assert (action["Type"], action["RedirectConfig"]["Protocol"]) == ("redirect", "HTTPS")


def test_the_balancer_asks_for_the_shallow_health_page() -> None:
    hosts = properties("web", "Hosts")
    assert hosts["HealthCheckPath"] == "/healthz"
    assert hosts["HealthCheckTimeoutSeconds"] < hosts["HealthCheckIntervalSeconds"]


@pytest.mark.parametrize("name", ["web", "workers"])
def test_web_and_workers_are_two_to_ten_hosts(name: str) -> None:
    group = properties(name, "Group")
    assert (group["MinSize"], group["MaxSize"]) == ("2", "10")


def test_web_hosts_follow_the_requests_that_each_has() -> None:
    tracking = properties("web", "Requests")["TargetTrackingConfiguration"]
    assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    assert properties("web", "Requests")["PolicyType"] == "TargetTrackingScaling"


def test_workers_follow_the_messages_that_wait_for_each_host_in_service() -> None:
    tracking = properties("workers", "Backlog")["TargetTrackingConfiguration"]
    assert tracking["TargetValue"] == {"Ref": "BacklogPerInstance"}
    metrics = {part["Id"]: part for part in tracking["CustomizedMetricSpecification"]["Metrics"]}
    queues = {
        plain(part["MetricStat"]["Metric"]["Dimensions"][0]["Value"])
        for part in metrics.values()
        if part.get("MetricStat", {}).get("Metric", {}).get("MetricName")
        == "ApproximateNumberOfMessagesVisible"
    }
    assert queues == {"<AnnotateQueueName>", "<ShardsQueueName>", "<ShardsFirstQueueName>"}
    assert metrics["hosts"]["MetricStat"]["Metric"]["MetricName"] == "GroupInServiceInstances"
    assert [part["Id"] for part in metrics.values() if part["ReturnData"]] == ["backlog"]
    assert re.search(r"\(.*jobs.*shards.*first.*\) / .*hosts", metrics["backlog"]["Expression"])
    collected = properties("workers", "Group")["MetricsCollection"]
    assert collected == [{"Granularity": "1Minute", "Metrics": ["GroupInServiceInstances"]}]


def test_the_backlog_target_is_an_acceptable_wait_divided_by_the_mean_time_of_a_job() -> None:
    parameter = template("workers")["Parameters"]["BacklogPerInstance"]
    wait, job = re.findall(r"(\d+) s\b", parameter["Description"])
    assert parameter["Default"] == int(wait) / int(job) * 2  # jobs at once


def test_spot_is_a_choice_and_never_the_first_two_hosts() -> None:
    policy = properties("workers", "Group")["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"]["OnDemandBaseCapacity"] == 2
    assert policy["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == {
        "Ref": "OnDemandPercentage"
    }
    assert template("workers")["Parameters"]["OnDemandPercentage"]["Default"] == 100


def test_a_worker_host_may_finish_its_jobs_before_it_goes() -> None:
    (hook,) = properties("workers", "Group")["LifecycleHookSpecificationList"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["DefaultResult"] == "CONTINUE"


# Hosts


def test_hosts_come_from_launch_templates_with_imdsv2_and_encrypted_disks() -> None:
    assert not every("AWS::AutoScaling::LaunchConfiguration")
    templates = every("AWS::EC2::LaunchTemplate")
    assert set(templates) == {"web.Template", "workers.Template", "control.Template"}
    for name, part in templates.items():
        data = part["Properties"]["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required", name
        assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1, name
        assert all(disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"]), name
        assert "KeyName" not in data, name


@pytest.mark.parametrize("role", ["Web", "Worker", "Control"])
def test_operators_come_by_session_manager(role: str) -> None:
    statements = properties("access", f"{role}Host")["PolicyDocument"]["Statement"]
    (sessions,) = [part for part in statements if part["Sid"] == "SessionManager"]
    assert "ssmmessages:OpenDataChannel" in sessions["Action"]


@pytest.mark.parametrize("name", ["web", "workers", "control"])
def test_a_new_release_takes_a_hosts_place_only_when_the_host_has_said_that_it_works(name: str) -> None:
    group = resources(name)["Group"]
    assert group["UpdatePolicy"]["AutoScalingRollingUpdate"]["WaitOnResourceSignals"] is True
    assert group["CreationPolicy"]["ResourceSignal"]["Count"] == int(group["Properties"]["MinSize"])


# Messages


def test_every_queue_has_a_dead_letter_queue_and_all_are_encrypted() -> None:
    queues = resources("messages", "AWS::SQS::Queue")
    for name, queue in queues.items():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True, name
        if name.endswith("Queue"):
            dead = queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert dead == name.removesuffix("Queue") + "Dead"
            assert queues[dead]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_somebody_is_told_of_the_first_message_in_any_dead_letter_queue() -> None:
    watched = {
        plain(alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in every("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "ApproximateNumberOfMessagesVisible"
        and alarm["Properties"]["Threshold"] == 0
    }
    dead = {plain(part["Properties"]["QueueName"]) for part in every("AWS::SQS::Queue").values()}
    assert watched == {name for name in dead if name.endswith("-dead")}


def test_there_are_topics_for_results_and_alarms_and_a_sender_of_mail() -> None:
    topics = {plain(part["Properties"]["TopicName"]) for part in every("AWS::SNS::Topic").values()}
    assert topics == {"gas-job-results", "gas-alarms", "gas-retrievals"}
    assert every("AWS::SES::EmailIdentity")


# Files


BUCKETS = {"storage.Inputs", "storage.Results", "storage.Cold", "storage.Static", "storage.Releases"}


def test_buckets_are_private_encrypted_kept_and_rid_of_stale_uploads() -> None:
    buckets = every("AWS::S3::Bucket")
    assert set(buckets) == BUCKETS
    for name, bucket in buckets.items():
        found = bucket["Properties"]
        assert set(found["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert found["BucketEncryption"], name
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain", name
        days = [
            rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            for rule in found["LifecycleConfiguration"]["Rules"]
            if "AbortIncompleteMultipartUpload" in rule
        ]
        # Uploads in parts may go on for as long as they are kept.
        assert days == [KEPT.days + 1 if name == "storage.Inputs" else 1], name


def test_buckets_refuse_requests_in_the_clear() -> None:
    policies = {
        part["Properties"]["Bucket"]["Ref"]: part["Properties"]["PolicyDocument"]["Statement"]
        for part in every("AWS::S3::BucketPolicy").values()
    }
    assert {f"storage.{name}" for name in policies} == BUCKETS
    for name, statements in policies.items():
        denied = [part for part in statements if part["Effect"] == "Deny"]
        assert [part["Condition"] for part in denied] == [{"Bool": {"aws:SecureTransport": "false"}}], name


def test_what_cannot_be_made_again_is_versioned() -> None:
    versioned = {
        name
        for name, part in every("AWS::S3::Bucket").items()
        if "VersioningConfiguration" in part["Properties"]
    }
    assert versioned == {"storage.Results", "storage.Cold", "storage.Releases"}


@pytest.mark.parametrize(
    ("bucket", "methods", "shown"),
    [
        ("Inputs", ["POST", "PUT"], ["ETag"]),  # forms, and parts whose ETags name them in the end
        ("Results", ["GET"], ["ETag", "Accept-Ranges", "Content-Range"]),  # the genome browser reads ranges
    ],
)
def test_browsers_may_use_the_buckets_from_the_sites_pages_and_see_the_etag(
    bucket: str, methods: list[str], shown: list[str]
) -> None:
    (rule,) = properties("storage", bucket)["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == [{"Ref": "SiteUrl"}]
    assert rule["AllowedMethods"] == methods
    assert rule["AllowedHeaders"] == ["*"]  # Range among them
    assert rule["ExposedHeaders"] == shown


def test_static_files_are_read_by_the_content_network_alone() -> None:
    (allowed,) = [
        part
        for part in properties("storage", "StaticPolicy")["PolicyDocument"]["Statement"]
        if part["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "aws:SourceArn" in allowed["Condition"]["StringEquals"]


def test_a_restored_archive_is_told_to_the_restore_queue_which_takes_it() -> None:
    (told,) = properties("storage", "Cold")["NotificationConfiguration"]["QueueConfigurations"]
    assert told["Event"] == "s3:ObjectRestore:Completed"
    assert plain(told["Queue"]) == "<StorageEventsQueueArn>"
    statement, _ = properties("messages", "StorageEventsPolicy")["PolicyDocument"]["Statement"]
    bucket = plain(properties("storage", "Cold")["BucketName"])
    assert plain(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == f"arn:aws:s3:::{bucket}"


def test_a_vault_says_on_a_topic_that_leads_to_the_same_queue_when_a_retrieval_is_ready() -> None:
    """For accounts that have a vault: nothing of it is made for others."""
    topic = resources("messages")["Retrievals"]
    assert topic["Condition"] == "HasVault"
    (told,) = topic["Properties"]["Subscription"]
    assert told == {"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["StorageEventsQueue", "Arn"]}}
    (publishes,) = properties("messages", "RetrievalsPolicy")["PolicyDocument"]["Statement"]
    assert publishes["Principal"] == {"Service": "glacier.amazonaws.com"}
    _, receives = properties("messages", "StorageEventsPolicy")["PolicyDocument"]["Statement"]
    condition, statement, otherwise = receives["Fn::If"]
    assert (condition, otherwise) == ("HasVault", {"Ref": "AWS::NoValue"})
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "Retrievals"}}}
    assert resources("access")["WorkerVault"]["Condition"] == "HasVault"


# Data


def test_accounts_are_in_an_encrypted_postgresql_that_is_backed_up_and_hard_to_delete() -> None:
    database = properties("data", "Database")
    assert database["Engine"] == "postgres"
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert database["DeletionProtection"] is True
    assert database["BackupRetentionPeriod"] >= 7
    assert properties("data", "DatabaseParameters")["Parameters"]["rds.force_ssl"] == "1"
    assert resources("data")["Database"]["DeletionPolicy"] == "Snapshot"


def test_no_template_holds_a_secret() -> None:
    assert set(resources("data", "AWS::SecretsManager::Secret")) == {"DatabaseSecret", "SettingsSecret"}
    for part in every("AWS::SecretsManager::Secret").values():
        assert "SecretString" not in part["Properties"]
    kept = json.loads(properties("data", "SettingsSecret")["GenerateSecretString"]["SecretStringTemplate"])
    assert set(kept.values()) == {""}


# Observability


def test_each_queue_is_watched_for_messages_that_wait_too_long() -> None:
    watched = {
        plain(alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in every("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "ApproximateAgeOfOldestMessage"
    }
    queues = {plain(part["Properties"]["QueueName"]) for part in every("AWS::SQS::Queue").values()}
    assert watched == {name for name in queues if not name.endswith("-dead")}


def test_a_job_that_failed_by_no_fault_of_its_user_is_told() -> None:
    found = properties("observability", "FailedJobs")
    counted = [part["MetricStat"]["Metric"] for part in found["Metrics"] if "MetricStat" in part]
    assert {part["MetricName"] for part in counted} == {"failed_jobs"}
    reasons = {part["Dimensions"][0]["Value"] for part in counted}
    assert "engine_failed" in reasons
    assert "unusable_input" not in reasons
    assert found["Threshold"] == 0


def test_the_alarms_cover_age_dead_letters_errors_failed_jobs_and_thaws() -> None:
    alarms = resources("observability", "AWS::CloudWatch::Alarm")
    metrics = {part["Properties"].get("MetricName") for part in alarms.values()}
    assert metrics >= {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "HTTPCode_Target_5XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "thaw_lag_seconds",
    }
    assert "FailedJobs" in alarms
    for name, part in alarms.items():
        assert part["Properties"]["AlarmActions"] == [
            {"Fn::ImportValue": {"Fn::Sub": "${Service}-AlarmsTopic"}}
        ], name


def test_a_budget_is_watched() -> None:
    (budget,) = resources("observability", "AWS::Budgets::Budget").values()
    kinds = {
        part["Notification"]["NotificationType"]
        for part in budget["Properties"]["NotificationsWithSubscribers"]
    }
    assert kinds == {"ACTUAL", "FORECASTED"}


def test_the_dashboard_is_readable_and_shows_queues_hosts_jobs_and_errors() -> None:
    body = json.loads(
        plain({"Fn::Sub": properties("observability", "Dashboard")["DashboardBody"]["Fn::Sub"]})
    )
    shown = {metric for widget in body["widgets"] for metric in _names(widget["properties"]["metrics"])}
    assert shown >= {"ApproximateNumberOfMessagesVisible", "GroupInServiceInstances", "jobs", "RequestCount"}


def _names(metrics: list[list[Any]]) -> set[str]:
    return {metric[1] for metric in metrics if len(metric) > 1 and isinstance(metric[1], str)}


# Checks


def test_every_check_that_is_skipped_has_its_reason() -> None:
    for name in NAMES:
        for logical_id, part in resources(name).items():
            for skip in part.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert len(skip["comment"]) > 20, (name, logical_id)
    skipped = (FOLDER.parent / "checks" / "checkov.yaml").read_text().partition("skip-check:")[2]
    assert all(re.fullmatch(r"  - \w+ # .{20,}", line) for line in skipped.strip("\n").splitlines())
