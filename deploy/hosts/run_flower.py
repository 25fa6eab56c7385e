"""Run Flower on this host's loopback, with the password that the site's own page for it has.

`run_flower.py password` prints that password, for who comes by a tunnel.
"""

import os
import sys

import django
from django.utils.module_loading import import_string

PAGE = "gas_project.flower"  # by name: this folder imports nothing of the service


def main() -> None:
    django.setup()
    user, prefix = import_string(f"{PAGE}.USER"), import_string(f"{PAGE}.PREFIX")
    password = import_string(f"{PAGE}.password")()
    if sys.argv[1:] == ["password"]:
        print(password)
        return
    # Not as an argument, which every user of the machine could read.
    os.environ["FLOWER_BASIC_AUTH"] = f"{user}:{password}"
    port = os.environ.get("GAS_FLOWER_PORT", "5555")
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "gas_project", "flower"]
    command += ["--address=127.0.0.1", f"--port={port}", f"--url_prefix={prefix}"]
    command += ["--enable_events=False", "--inspect_timeout=5000", "--logging=warning"]
    os.execv(sys.executable, command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
