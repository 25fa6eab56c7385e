"""What each command does; each returns the command's exit code."""

import argparse
import getpass
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from annotations.cli import credentials
from annotations.cli.annotating import STDIN, STDOUT, Options, Outcome, Worker
from annotations.cli.client import Client, Patience
from annotations.cli.credentials import Credentials
from annotations.cli.display import board
from annotations.cli.errors import FAILED, INTERRUPTED, OK, CommandError, Stopped, UsageError

GO_ON = "Interrupted. Run the same command again: it goes on where it stopped."


def login(given: argparse.Namespace) -> int:
    """Ask for a token, try it, keep it."""
    url = (given.url or os.environ.get("GAS_URL") or "").rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise UsageError("Name the service, as in: gas login https://gas.example.org")
    if sys.stdin.isatty():
        print(f"Make a token at {url}/profile/tokens/ and paste it here.", file=sys.stderr)
        token = getpass.getpass("Token: ").strip()
    else:
        token = sys.stdin.readline().strip()
    found = Credentials(url, token)
    who = Client(found, _patience(given)).get("/usage")
    path = credentials.save(found)
    print(f"Logged in to {url} as {who['email']} ({who['tier']} tier). Kept in {path}.", file=sys.stderr)
    return OK


def logout(given: argparse.Namespace) -> int:
    """Forget the token. It goes on to be valid until it is revoked."""
    print("Logged out." if credentials.forget() else "You were not logged in.", file=sys.stderr)
    return OK


def annotate(given: argparse.Namespace) -> int:
    """From files to results."""
    return _each_file(given, lambda worker, source: worker.annotated(source))


def submit(given: argparse.Namespace) -> int:
    """Send files and make jobs of them, without waiting for these."""

    def submitted(worker: Worker, source: str) -> Outcome:
        job, _ = worker.submitted(source)
        if not given.json:
            print(job["id"], flush=True)
        return Outcome(source, job)

    return _each_file(given, submitted)


def status(given: argparse.Namespace) -> int:
    """How far jobs are."""
    client = _client(given)
    jobs = [client.get(f"/jobs/{job_id}") for job_id in given.jobs]
    if given.wait:
        with board(quiet=given.quiet or given.json) as shown:
            worker = Worker(credentials.load(), _no_options(given), shown, threading.Event(), given.patience)
            jobs = [worker.waited(job) for job in jobs]
    _print_jobs(given, jobs)
    return FAILED if any(job["status"] in {"FAILED", "CANCELLED"} for job in jobs) else OK


def download(given: argparse.Namespace) -> int:
    """Fetch the files of jobs that are completed."""
    client, saved = _client(given), []
    with board(quiet=given.quiet or given.json) as shown:
        for job_id in given.jobs:
            worker = Worker(credentials.load(), _no_options(given), shown, threading.Event(), given.patience)
            job = client.get(f"/jobs/{job_id}")
            saved.append({"job": job_id, "files": worker.saved(job, given.files, given.output)})
    if given.json:
        _print_json(saved)
    elif given.output != STDOUT:
        print("\n".join(path for entry in saved for path in entry["files"]))
    return OK


def list_jobs(given: argparse.Namespace) -> int:
    """One's jobs, the newest first."""
    client, cursor = _client(given), None
    jobs: list[Any] = []
    while len(jobs) < given.limit:
        page = client.get(
            "/jobs", limit=min(100, given.limit - len(jobs)), status=given.status, cursor=cursor
        )
        jobs += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    _print_jobs(given, jobs)
    return OK


def cancel(given: argparse.Namespace) -> int:
    """Stop jobs."""
    client = _client(given)
    _print_jobs(given, [client.post(f"/jobs/{job_id}/cancel") for job_id in given.jobs])
    return OK


def references(given: argparse.Namespace) -> int:
    """What there is to annotate against."""
    found = _client(given).get("/references")["items"]
    if given.json:
        _print_json(found)
    else:
        for bundle in found:
            print(f"{bundle['reference']}\t{bundle['description']}")
    return OK


def usage(given: argparse.Namespace) -> int:
    """One's tier, and how much of it is used."""
    found = _client(given).get("/usage")
    if given.json:
        _print_json(found)
    else:
        print("\n".join(f"{name.replace('_', ' ')}\t{value}" for name, value in found.items()))
    return OK


def _each_file(given: argparse.Namespace, do: Callable[[Worker, str], Outcome]) -> int:
    """Several files at once; what happens to one stops no other. Ctrl-C stops all of them."""
    sources: list[str] = given.files_in
    if sources.count(STDIN) > 1 or (getattr(given, "output", "") == STDOUT and len(sources) > 1):
        raise UsageError("Standard input is one file, and one file alone goes to standard output.")
    known = credentials.load()
    reference = given.reference or _only_reference(given)
    options = Options(
        reference,
        given.haplotype_aware,
        tuple(getattr(given, "files", ())),
        getattr(given, "output", "."),
        given.name or "stdin.vcf",
    )
    stop = threading.Event()
    outcomes = [Outcome(source) for source in sources]
    with board(quiet=given.quiet or given.json) as shown, ThreadPoolExecutor(given.at_once) as pool:

        def one(number: int) -> None:
            worker = Worker(known, options, shown, stop, given.patience)
            try:
                outcomes[number] = do(worker, sources[number])
            except (CommandError, OSError) as error:
                outcomes[number].error = str(error)
            if outcomes[number].error:
                shown.say(sources[number], outcomes[number].error)

        running = [pool.submit(one, number) for number in range(len(sources))]
        try:
            _results(running)
        except (KeyboardInterrupt, Stopped):
            stop.set()
            pool.shutdown(cancel_futures=True)
            shown.say("gas", GO_ON)
            return INTERRUPTED
    if given.json:
        _print_json([vars(outcome) for outcome in outcomes])
    return OK if all(outcome.is_good for outcome in outcomes) else FAILED


def _results(running: list[Future[None]]) -> None:
    """Wait in short steps: a long wait would not notice Ctrl-C on every system."""
    left = set(running)
    while left:
        done, left = wait(left, timeout=0.2)
        for future in done:
            future.result()


def _only_reference(given: argparse.Namespace) -> str:
    found = [bundle["reference"] for bundle in _client(given).get("/references")["items"]]
    if len(found) == 1:
        return str(found[0])
    names = ", ".join(found) or "none at all"
    raise UsageError(f"Choose a reference with --reference. This service has: {names}.")


def _client(given: argparse.Namespace) -> Client:
    return Client(credentials.load(), _patience(given))


def _patience(given: argparse.Namespace) -> Patience:
    return Patience(given.patience, lambda message: None if given.quiet else print(message, file=sys.stderr))


def _no_options(given: argparse.Namespace) -> Options:
    return Options("", haplotype_aware=False, kinds=(), output=".")


def _print_jobs(given: argparse.Namespace, jobs: list[Any]) -> None:
    if given.json:
        _print_json(jobs)
        return
    for job in jobs:
        print(f"{job['id']}\t{job['status']}\t{job['submitted_at']}\t{job['reference']}\t{job['file_name']}")
        if job["failure"]:
            print(job["failure"]["message"], file=sys.stderr)


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=1)
    print()
