"""People who look after their jobs: 100 of them, then 300.

Run by `make load-test`, in an environment that has locust and nothing of the service. LOAD_SESSIONS names a
file with a list of {"session", "jobs"}: the cookie of somebody who has logged in, and ids of their jobs.
"""

import json
import os
import random
from pathlib import Path

from locust import HttpUser, LoadTestShape, between, task

SESSIONS = json.loads(Path(os.environ["LOAD_SESSIONS"]).read_text())
STEP_SECONDS = int(os.environ.get("LOAD_STEP_SECONDS", "30"))
STEPS = (100, 200, 300)
NEW_USERS_A_SECOND = 20
_turn = iter(range(10**9))


class Person(HttpUser):
    wait_time = between(4, 10)  # seconds in which a person reads a page

    def on_start(self):
        who = SESSIONS[next(_turn) % len(SESSIONS)]
        self.client.cookies.set("sessionid", who["session"])
        self.jobs = who["jobs"]

    @task(4)
    def look_at_the_list(self):
        self._get("/jobs/", "job list")

    @task(4)
    def look_at_a_job(self):
        self._get(f"/jobs/{random.choice(self.jobs)}/", "job page")

    @task(4)
    def ask_for_news(self):
        self._get(f"/jobs/{random.choice(self.jobs)}/status/", "job news")

    @task(1)
    def think_of_another(self):
        self._get("/jobs/new/", "upload page")

    def _get(self, path, name):
        with self.client.get(path, name=name, catch_response=True, allow_redirects=False) as answer:
            if answer.status_code not in (200, 204):
                answer.failure(f"status {answer.status_code}")


class Steps(LoadTestShape):
    """Ever more people; what is counted are the last, who stay twice as long."""

    counted = False

    def tick(self):
        step = int(self.get_run_time() // STEP_SECONDS)
        if step > len(STEPS):
            return None
        users = STEPS[min(step, len(STEPS) - 1)]
        settled = self.get_run_time() > STEP_SECONDS * (len(STEPS) - 1) + STEPS[0] / NEW_USERS_A_SECOND + 2
        if settled and not self.counted and self.get_current_user_count() == STEPS[-1]:
            self.runner.stats.reset_all()
            self.counted = True
        return users, NEW_USERS_A_SECOND
