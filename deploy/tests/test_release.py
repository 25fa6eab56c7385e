"""A release is what its signature says, and is never written twice."""

import hashlib
import io
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from deploy.stack import release


class FakeKms:
    """One key for signing, as KMS has it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def sign(self, *, Message: bytes, **options: str) -> dict[str, bytes]:  # noqa: N803  its name
        assert (options["MessageType"], options["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        return {"Signature": self.key.sign(Message, ec.ECDSA(utils.Prehashed(hashes.SHA256())))}

    def get_public_key(self, **_: str) -> dict[str, bytes]:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": self.key.public_key().public_bytes(serialization.Encoding.DER, form)}


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803  its names
        self.objects[Key] = Body

    def upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        self.objects[key] = file.read()

    def get_paginator(self, verb: str) -> "FakeS3":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return [{"Contents": [{"Key": key, "LastModified": at} for key in self.objects]}]


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "genomics_annotation_service-0.1.0-py3-none-any.whl").write_bytes(b"wheel")
    return folder


def verified(tmp_path: Path, key: str, content: bytes, signature: bytes) -> bool:
    """By the command that a host gives."""
    for name, data in (("key.pem", key.encode()), ("gas.tar", content), ("gas.tar.sig", signature)):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "gas.tar.sig", "gas.tar"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=10, check=False)
    return done.returncode == 0


def test_a_host_takes_what_was_signed_and_nothing_else(tmp_path: Path, wheels: Path) -> None:
    kms = FakeKms()
    content = release.packed("0123456789ab", wheels)
    signature = release.sign(kms, "key", content)
    key = release.public_key(kms, "key")
    assert verified(tmp_path, key, content, signature)
    assert not verified(tmp_path, key, content + b"x", signature)
    assert not verified(tmp_path, release.public_key(FakeKms(), "key"), content, signature)


def test_the_boot_script_verifies_with_just_that_command() -> None:
    script = (release.ROOT / "deploy" / "hosts" / "user-data.yaml").read_text()
    line = "openssl dgst -sha256 -verify /etc/gas/release.pem -signature gas.tar.sig gas.tar"
    assert line in script
    assert script.index(line) < script.index("tar -xf")


def test_a_release_has_all_that_a_host_needs(wheels: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(release.packed("0123456789ab", wheels))) as tar:
        names = set(tar.getnames())
        version = tar.extractfile("VERSION")
        assert version is not None
        assert version.read() == b"0123456789ab"
        assert tar.getmember("hosts/install.sh").mode == 0o755
    assert names >= {
        "requirements.lock",
        "wheels/genomics_annotation_service-0.1.0-py3-none-any.whl",
        "hosts/drain.py",
        "hosts/systemd/gas-worker.service",
        "hosts/cloudwatch-agent.json",
    }


def test_the_same_files_make_the_same_release(wheels: Path) -> None:
    first, second = (release.packed("0123456789ab", wheels) for _ in range(2))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_a_version_is_never_written_twice() -> None:
    s3 = FakeS3()
    release.publish(s3, "releases", "0123456789ab", b"tar", b"signature")
    with pytest.raises(release.ReleaseError, match="--version 0123456789ab"):
        release.publish(s3, "releases", "0123456789ab", b"other", b"signature")
    assert s3.objects["releases/0123456789ab/gas.tar"] == b"tar"
    assert list(release.versions(s3, "releases")) == ["0123456789ab"]


def test_files_whose_names_have_their_hash_may_be_kept_for_ever() -> None:
    assert "immutable" in release.headers_of(Path("gas/site.0123456789ab.css"))["CacheControl"]
    assert release.headers_of(Path("gas/site.css"))["CacheControl"] == "max-age=60, public"
    assert release.headers_of(Path("gas/site.css"))["ContentType"] == "text/css"
