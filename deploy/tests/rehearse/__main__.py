"""`make rehearse`: a user's whole way through the service as it runs on AWS, on this machine.

Two web hosts, two workers and one host with beat and Flower run the units' own commands, over emulators of
AWS that check each role's permissions. One of each is killed on the way.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from annotations.engine.demo import sample_of
from deploy.tests.rehearse import permissions
from deploy.tests.rehearse.account import ROLES
from deploy.tests.rehearse.files import handle_files
from deploy.tests.rehearse.scene import Scene
from deploy.tests.rehearse.stage import Stage, service
from deploy.tests.rehearse.vault import archive_in_a_vault
from deploy.tests.rehearse.visitor import Visitor

JOBS = 6


class Rehearsal(Scene):
    """The acts, in their order; each says what it has seen."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.ada = Visitor(stage.site_url, "ada@example.org")
        self.sample = sample_of(stage.folder / "references").read_bytes()
        self.jobs: list[str] = []
        self.results: dict[str, str] = {}

    def run(self) -> None:
        listener = self._listen_to_results()
        self.ada.sign_up()
        self.say("signed up")
        self._annotate_while_hosts_die()
        self._see_mails_and_messages(listener)
        self._see_archived()
        self._subscribe_and_see_results_back()
        handle_files(self, self.ada, self.sample)
        self._look_as_an_operator()
        self._drain_a_worker()
        self._change_ones_mind()
        self._audit()
        archive_in_a_vault(self, self.sample)
        self._see_that_nothing_was_lost()

    def _annotate_while_hosts_die(self) -> None:
        self.jobs = [self.ada.annotate(f"sample{n}.vcf", self.sample) for n in range(JOBS - 1)]
        padding = b"##padding=" + b"x" * 60_000 + b"\n"
        first, rest = self.sample.split(b"\n", 1)
        self.jobs.append(self.ada.annotate("large.vcf", first + b"\n" + padding + rest))  # is divided
        self.stage.web[0].kill()
        self.stage.workers[0].kill()
        self.say(f"{JOBS} uploads by presigned POST are submitted; a web host and a worker were killed -9")
        self.wait("the web host is back", lambda: len(self.stage.balancer.healthy) == 2)
        for job in self.jobs:
            self.results[job] = self.wait(f"job {job[:8]} is annotated", partial(self.ada.result, job))
            records = [line for line in self.results[job].splitlines() if not line.startswith("#")]
            assert records
            assert all("CSQ=" in record for record in records)

    def _see_mails_and_messages(self, listener: str) -> None:
        mails = self.stage.mail
        self.wait(
            f"{JOBS} mails say that results are there",
            lambda: mails.about(lambda subject: "is annotated" in subject) >= JOBS,
        )
        sqs = self.stage.aws.client("sqs")
        announced: set[str] = set()

        def hear() -> bool:
            answer = sqs.receive_message(QueueUrl=listener, MaxNumberOfMessages=10)
            for message in answer.get("Messages", ()):
                announced.add(json.loads(json.loads(message["Body"])["Message"])["job_id"])
            return announced == set(self.jobs)

        self.wait("the topic job-results has told of each job", hear)

    def _see_archived(self) -> None:
        s3, outputs = self.stage.aws.client("s3"), self.stage.aws.outputs

        def classes() -> list[str]:
            found = s3.list_objects_v2(Bucket=outputs["ColdBucket"]).get("Contents", ())
            return [entry["StorageClass"] for entry in found]

        self.wait(f"{JOBS} archives are in the class GLACIER", lambda: classes() == ["GLACIER"] * JOBS)
        self.wait("no result is at hand", lambda: not any(map(self.ada.result, self.jobs)))
        assert all(map(self.ada.log_of, self.jobs))

    def _subscribe_and_see_results_back(self) -> None:
        self.ada.subscribe()
        self.wait("a payment has made the user premium", self.ada.is_premium)
        for job in self.jobs:
            back = self.wait(f"result {job[:8]} is thawed and restored", partial(self.ada.result, job))
            assert back == self.results[job]
        self.wait("a mail tells of it", lambda: self.stage.mail.about(lambda subject: "back" in subject))

    def _look_as_an_operator(self) -> None:
        password = "for-the-rehearsal-alone"
        code = f"""
import django; django.setup()
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
admin = get_user_model().objects.create_superuser("admin@example.org", {password!r})
EmailAddress.objects.create(user=admin, email=admin.email, verified=True, primary=True)
"""
        self.stage.hosts[0].python(code)
        admin = Visitor(self.stage.site_url, "admin@example.org")
        admin.log_in(password)
        page = admin.get("/admin/queues/").text
        assert all(worker.host.name in page for worker in self.stage.workers), page
        self.say("the admin's page of queues shows both workers")
        assert admin.get("/readyz").json()["status"] == "ok"
        (control,) = (host for host in self.stage.hosts if host.name == "control")
        assert (control.folder / "run" / "metrics").is_dir()
        assert [service.restarts for service in control.services.values()] == [0, 0]
        self.say("beat and Flower have run without a break")

    def _drain_a_worker(self) -> None:
        jobs = [self.ada.annotate(f"last{n}.vcf", self.sample) for n in range(4)]
        self.stage.workers[0].stop(finish_seconds=0)
        self.say("a worker had no time to finish, and gave its jobs back")
        for job in jobs:
            self.wait(f"job {job[:8]} is annotated by the other", partial(self.ada.result, job))

    def _change_ones_mind(self) -> None:
        assert self.ada.send_nothing() == 400
        job = self.jobs.pop()
        self.ada.delete(job)
        assert not self.ada.has(job)
        self.say("an empty upload was refused, and a job was deleted")
        s3, bucket = self.stage.aws.client("s3"), self.stage.aws.outputs["ResultsBucket"]

        def left() -> list[str]:
            found = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
            return [entry["Key"] for entry in found if job in entry["Key"]]

        self.wait("the files of the deleted job are gone", lambda: not left())

    def _audit(self) -> None:
        said = self.stage.workers[1].host.manage("vault-audit")
        assert "clean" in said, said
        self.say("an audit has found every archive and every result in its place")

    def _see_that_nothing_was_lost(self) -> None:
        sqs = self.stage.aws.client("sqs")
        dead = {
            url.rsplit("/", 1)[-1]: sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]["ApproximateNumberOfMessages"]
            for url in sqs.list_queues()["QueueUrls"]
            if url.endswith("-dead")
        }
        assert set(dead.values()) == {"0"}, dead
        self.say("no dead letter")

    def _listen_to_results(self) -> str:
        sqs, sns = self.stage.aws.client("sqs"), self.stage.aws.client("sns")
        url = str(sqs.create_queue(QueueName="listener")["QueueUrl"])
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = self.stage.aws.outputs["JobResultsTopic"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return url

    def _last_words(self) -> str:
        logs = sorted(self.stage.folder.glob("*/*.log"))
        return "\n".join(f"--- {log.name} of {log.parent.name}\n{log.read_text()[-3000:]}" for log in logs)


def forbidden(calls: dict[str, set[permissions.Call]]) -> list[str]:
    """Calls that were seen and that their role does not allow."""
    return [
        f"{role} may not {action} on {resource}"
        for role, found in calls.items()
        for action, resource in sorted(found)
        if not permissions.is_allowed(role, (action, resource))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep-calls", action="store_true", help="add what was seen to deploy/tests/calls.json"
    )
    parser.add_argument("--folder", type=Path, help="an empty folder, to look at the logs afterwards")
    options = parser.parse_args()
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="gas-rehearsal-"))
        stage = stack.enter_context(service(options.folder or Path(temporary)))
        rehearsal = Rehearsal(stage)
        try:
            rehearsal.run()
        except Exception:
            print(rehearsal._last_words(), file=sys.stderr)
            raise
        calls = {role: permissions.seen(stage.calls_of(role)) for role in ROLES}
    if options.keep_calls:
        permissions.keep(calls)
    wrong = forbidden(calls)
    for line in wrong:
        print(line, file=sys.stderr)
    count = sum(map(len, calls.values()))
    rehearsal.say(f"{count} kinds of calls were seen" + ("" if wrong else ", each allowed to its role"))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
