"""Releases: what hosts install, packed, signed and kept in the bucket of releases.

A release is a tar with the service as a wheel, the wheels of all its locked dependencies, their lock, and
deploy/hosts. It is signed by a key in KMS; hosts verify it with the public half, which comes in their user
data, so who can write to the bucket can't make them run anything. A version is never written twice: rolling
back is installing an older one.
"""

import base64
import hashlib
import io
import mimetypes
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = "3.11"
PLATFORMS = tuple(f"manylinux{glibc}_x86_64" for glibc in ("_2_28", "_2_27", "_2_17", "2014"))
KERNELS_FOR = "Linux x86_64"
BUILD_SECONDS = 1200


class ReleaseError(Exception):
    """Says what went wrong, and what to do."""


def version_of(root: Path = ROOT) -> str:
    """The commit. Raises ReleaseError where the work tree has changes that no commit has."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    if changed:
        raise ReleaseError(f"There are changes that are not committed:\n{changed}\nCommit them first.")
    return _git(root, "rev-parse", "--short=12", "HEAD")


def build(version: str, root: Path = ROOT) -> bytes:
    """The tar. Raises ReleaseError."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        # with the compiler that `make setup` installed by its hash
        own = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(root)]
        _run(own, folder, os.environ | {"KERNELS_FOR": KERNELS_FOR})
        download = [*pip, "download", "--require-hashes", "--only-binary=:all:", "--python-version", PYTHON]
        for platform in PLATFORMS:
            download += ["--platform", platform]
        _run([*download, "--dest", str(wheels), "-r", str(root / "requirements.lock")], folder)
        return packed(version, wheels, root)


def packed(version: str, wheels: Path, root: Path = ROOT) -> bytes:
    """The tar of a folder of wheels: the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add(tar, "VERSION", version.encode())
        _add(tar, "requirements.lock", (root / "requirements.lock").read_bytes())
        for path in sorted(wheels.glob("*.whl")):
            _add(tar, f"wheels/{path.name}", path.read_bytes())
        hosts = root / "deploy" / "hosts"
        for path in sorted(hosts.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"hosts/{path.relative_to(hosts).as_posix()}"
                _add(tar, name, path.read_bytes(), executable=path.suffix == ".sh")
    return buffer.getvalue()


def sign(kms: Any, key: str, content: bytes) -> bytes:
    """An ECDSA signature over the SHA-256, as `openssl dgst -sha256 -verify` takes it."""
    answer = kms.sign(
        KeyId=key,
        Message=hashlib.sha256(content).digest(),
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )
    return bytes(answer["Signature"])


def public_key(kms: Any, key: str) -> str:
    """In PEM."""
    text = base64.b64encode(kms.get_public_key(KeyId=key)["PublicKey"]).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def publish(s3: Any, bucket: str, version: str, content: bytes, signature: bytes) -> None:
    """Raises ReleaseError when the version is there with other content."""
    key = f"releases/{version}/gas.tar"
    if version in versions(s3, bucket):
        raise ReleaseError(
            f"The release {version} is in {bucket} already: install it with --version {version}."
        )
    # The signature goes first: a release is there when its tar is.
    s3.put_object(Bucket=bucket, Key=f"{key}.sig", Body=signature)
    s3.upload_fileobj(io.BytesIO(content), bucket, key)


def static_files(folder: Path) -> list[Path]:
    """Collect the site's static files, with hashes in their names, and list them."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "gas_project.settings",
        "GAS_STATIC_DIR": str(folder),
        "GAS_STATE_DIR": tempfile.gettempdir(),
        "GAS_SECRET_KEY": "for-collecting",
    }
    _run([sys.executable, "-m", "django", "collectstatic", "--noinput"], str(ROOT), environment)
    compressed = {".gz", ".br"}  # for hosts; a CDN compresses by itself
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in compressed)


def headers_of(path: Path) -> dict[str, str]:
    """A file whose name has its hash may be kept for ever."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    hashed = re.search(r"\.[0-9a-f]{12}\.", path.name)
    age = "max-age=315360000, public, immutable" if hashed else "max-age=60, public"
    return {"ContentType": kind, "CacheControl": age}


def versions(s3: Any, bucket: str) -> dict[str, Any]:
    """When each was published, by version, the newest last."""
    found = {
        entry["Key"].split("/")[1]: entry["LastModified"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="releases/")
        for entry in page.get("Contents", ())
        if entry["Key"].endswith("/gas.tar")
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, executable: bool = False) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o755 if executable else 0o644
    tar.addfile(entry, io.BytesIO(content))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607  the operator's own
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _run(command: list[str], folder: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReleaseError(f"{' '.join(command[2:5])} took longer than {BUILD_SECONDS} s.") from None
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[2:5])} failed: {done.stderr.strip()[-1500:]}")
