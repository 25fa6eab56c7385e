"""Run in the service's environment: make people with jobs, logged in, as JSON on standard output.

`python people.py COUNT JOBS EMAIL`: the jobs are copies of the newest one of the user of that address.
"""

import json
import sys
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    from annotations.models import Job, new_job_id

    count, jobs_each, email = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    users = get_user_model().objects
    pattern = Job.objects.of(users.get(email=email)).first()
    assert pattern is not None
    found = []
    for number in range(count):
        user = users.create_user(f"person{number}@example.org", None)
        client = Client()
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        jobs = [_copy(pattern, user, new_job_id(), minutes) for minutes in range(jobs_each)]
        Job.objects.bulk_create(jobs)
        found.append({"session": client.cookies["sessionid"].value, "jobs": [job.pk for job in jobs]})
    json.dump(found, sys.stdout)


def _copy(pattern, user, job_id, minutes):
    from annotations.models import Job

    names = [field.attname for field in Job._meta.concrete_fields]
    values = {name: getattr(pattern, name) for name in names}
    values |= {"job_id": job_id, "user_id": user.pk}
    values["submitted_at"] = pattern.submitted_at - timedelta(minutes=minutes)
    return Job(**values)


if __name__ == "__main__":
    main()
