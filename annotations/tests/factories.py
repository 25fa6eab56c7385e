"""Minimal valid jobs, in any state. They need a user: any object that the jobs' database can point to."""

from typing import Any

from annotations.models import Job, Submission, new_job_id


def make_job(user: Any, **fields: Any) -> Job:
    job_id = fields.pop("job_id", new_job_id())
    name = fields.pop("input_file_name", "patient.vcf")
    values = {
        "job_id": job_id,
        "user": user,
        "input_file_name": name,
        "inputs_bucket": "inputs",
        "input_key": f"{user.pk}/{job_id}~{name}",
        "input_bytes": 2048,
        "reference": "demo/1",
    }
    return Job.objects.create(**(values | fields))


def make_submitted_job(user: Any, **fields: Any) -> Job:
    """One that the user's limits count."""
    job = make_job(user, **fields)
    Submission.objects.create(job_id=job.job_id, user=user, submitted_at=job.submitted_at)
    return job
