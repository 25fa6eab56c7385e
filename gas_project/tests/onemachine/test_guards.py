"""What is taken is named before anything starts."""

import os
import socket
from pathlib import Path

import pytest

from annotations.tests.waiting import free_port
from gas_project.onemachine.guards import Refusal, only_one, require_free_port


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Refusal, match=rf"Port {port} is taken .* GAS_PORT={port + 1} make run"):
            require_free_port("127.0.0.1", port, "GAS_PORT")


def test_a_free_port_is_fine() -> None:
    require_free_port("127.0.0.1", free_port(), "GAS_PORT")


def test_a_state_folder_serves_one_service_at_a_time(tmp_path: Path) -> None:
    said = rf"already running on .* \(process {os.getpid()}\).*GAS_STATE_DIR"
    with only_one(tmp_path), pytest.raises(Refusal, match=said), only_one(tmp_path):
        pytest.fail("two at once")
    with only_one(tmp_path):
        pass
