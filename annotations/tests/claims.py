"""Processes that claim the same jobs: `python -m annotations.tests.claims PROCESSES CLAIMS JOB_ID...`

Prints, as JSON, how often each of them won each job.
"""

import json
import multiprocessing
import random
import sys

import django
from django.db import OperationalError


def claim_some(seed: int, claims: int, job_ids: list[str]) -> dict[str, int]:
    from annotations.models import Job

    chooser = random.Random(seed)  # noqa: S311  repeatable, and no secret
    won: dict[str, int] = {}
    for _ in range(claims):
        job_id = chooser.choice(job_ids)
        while True:
            try:
                if Job.objects.claim(job_id, f"task-{seed}"):
                    won[job_id] = won.get(job_id, 0) + 1
            except OperationalError:
                continue  # whether the claim was won is not known; the same task asks again
            break
    return won


def main() -> None:
    django.setup()
    processes, claims, *job_ids = sys.argv[1:]
    with multiprocessing.get_context("fork").Pool(int(processes)) as pool:
        each = [(seed, int(claims), job_ids) for seed in range(int(processes))]
        json.dump(pool.starmap(claim_some, each, chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
