"""A real S3 server for the tests of `--object-store`: MinIO, of the PATH or built once below build/.

It is a tool of the tests only, at one version, so that a test that fails did not fail because MinIO changed.
"""

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions

from harness import processes
from harness.server import REPOSITORY, clean_environment, free_port

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"  # of 2026-02-12
BUILD_SECONDS = 1200  # two cores, nothing cached
START_SECONDS = 60
ACCESS_KEY = "argosy-tests"
SECRET_KEY = "argosy-tests-secret"
BUCKET = "outside"


class Missing(Exception):
    """Why there is no MinIO here, in a sentence."""


def program():
    """The program's path; raises Missing."""
    found = os.environ.get("ARGOSY_MINIO") or shutil.which("minio")
    if found:
        return Path(found)
    place = REPOSITORY / "build" / "minio" / VERSION.rsplit("-", 1)[1]
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker builds, the others wait
        if not (place / "minio").exists():
            _build(place)
    return place / "minio"


def _build(place):
    go = shutil.which("go")
    if go is None:
        raise Missing("there is neither minio nor go on the PATH (ARGOSY_MINIO names another)")
    failed = place / "failed"  # asked for once: without a network each try would take minutes
    if failed.exists():
        raise Missing(failed.read_text())
    try:
        done = subprocess.run(
            [go, "install", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", f"github.com/minio/minio@{VERSION}"],
            env={**os.environ, "GOBIN": str(place)},
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
        story = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        story = [f"it took longer than {BUILD_SECONDS} s"]
    if story:
        failed.write_text(f"MinIO cannot be built here: {story[0]} (delete {failed} to try again)")
        raise Missing(failed.read_text())


class Minio:
    """One MinIO over a directory; kill() and start() keep what it has."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.program = program()
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "minio.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(self.program), "server", "--quiet", "--address", f"127.0.0.1:{self.port}", str(data)],
                env=clean_environment(MINIO_ROOT_USER=ACCESS_KEY, MINIO_ROOT_PASSWORD=SECRET_KEY, MINIO_BROWSER="off"),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        processes.wait_for(self._ready, START_SECONDS, "MinIO to answer", every=0.05)
        return self

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def _ready(self):
        assert self.process.poll() is None, f"MinIO ended: {(self.directory / 'minio.log').read_text()}"
        try:
            self.client().create_bucket(Bucket=BUCKET)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"] == "BucketAlreadyOwnedByYou"
        except botocore.exceptions.BotoCoreError:
            return False
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def dispose(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory / "data", ignore_errors=True)

    def options(self, prefix="argosy/objects"):
        """Of `argosy up`, for objects in this MinIO."""
        return ["--object-store", f"s3://{BUCKET}/{prefix}", "--object-store-endpoint", self.endpoint]

    @staticmethod
    def environment():
        return {
            "ARGOSY_OBJECT_STORE_ACCESS_KEY_ID": ACCESS_KEY,
            "ARGOSY_OBJECT_STORE_SECRET_ACCESS_KEY": SECRET_KEY,
        }
