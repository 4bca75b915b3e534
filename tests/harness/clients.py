"""The public clients, pointed at a server under test, every answer checked against the service model."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import botocore.config
import botocore.session

from harness.model_check import Watch
from harness.server import REPOSITORY, clean_environment

# What the suites wait for one answer. The retries are off: a test sees the answer that came, not the third.
CONFIG = botocore.config.Config(
    retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60, max_pool_connections=64
)


class Clients:
    """boto3 clients, the aws CLI and SDK sessions for one server's exports (see Server.exports)."""

    def __init__(self, exports, scratch):
        self.exports = exports
        self.endpoint = exports["AWS_ENDPOINT_URL"]
        self.region = exports.get("AWS_REGION") or exports["AWS_DEFAULT_REGION"]
        self.role = next((v for v in exports.values() if v.startswith("arn:aws:iam::")), None)
        assert self.role, f"argosy env exports no role: {sorted(exports)}"
        self.account = self.role.split(":")[4]
        self.scratch = Path(scratch)
        self.watch = Watch()

    def session(self, access_key=None, secret_key=None, token=None):
        core = self.watch.attach(botocore.session.Session())
        return boto3.Session(
            aws_access_key_id=access_key or self.exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret_key or self.exports["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=token,
            region_name=self.region,
            botocore_session=core,
        )

    @functools.cached_property
    def _session(self):
        return self.session()

    def client(self, service, session=None, config=None, **options):
        return (session or self._session).client(
            service, endpoint_url=self.endpoint, config=config or CONFIG, **options
        )

    s3 = functools.cached_property(lambda self: self.client("s3"))
    sagemaker = functools.cached_property(lambda self: self.client("sagemaker"))
    runtime = functools.cached_property(lambda self: self.client("sagemaker-runtime"))
    logs = functools.cached_property(lambda self: self.client("logs"))
    cloudwatch = functools.cached_property(lambda self: self.client("cloudwatch"))
    sts = functools.cached_property(lambda self: self.client("sts"))
    iam = functools.cached_property(lambda self: self.client("iam"))

    @functools.cached_property
    def bucket(self):
        """A bucket for what tests do not care to name."""
        name = f"suite-{os.getpid()}-{self.endpoint.rsplit(':', 1)[1]}"
        self.s3.create_bucket(Bucket=name)
        return name

    def put(self, key, body):
        """Puts bytes or text or a file into the suite's bucket; gives its s3:// address."""
        if isinstance(body, Path):
            body = body.read_bytes()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def environment(self, **extra):
        """Environment of a user's shell after `eval "$(argosy env)"`."""
        return clean_environment(**{**self.exports, **extra})

    def aws(self, *words, check=True, env=None, input=None, timeout=120):
        """`aws <words>`; its answers are checked by a plugin. Gives the parsed JSON that it printed, or its text."""
        # Paging programs, prompts and the user's own configuration are kept out.
        config = self.scratch / "aws-config"
        if not config.exists():
            config.write_text("[default]\noutput = json\n\n[plugins]\nmodel_check = harness.cli_check\n")
        command = [sys.executable, "-m", "awscli", *map(str, words)]
        full = self.environment(
            AWS_CONFIG_FILE=config, AWS_PAGER="", AWS_MAX_ATTEMPTS=1, PYTHONPATH=REPOSITORY / "tests", **(env or {})
        )
        done = subprocess.run(command, env=full, input=input, capture_output=True, text=True, timeout=timeout)
        if not check:
            return done
        assert done.returncode == 0, (
            f"aws {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}{done.stdout}"
        )
        try:
            return json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError:
            return done.stdout

    def sdk_environment(self):
        """The defaults file that section 2 of the wire notes asks for: what no endpoint URL can redirect."""
        defaults = self.scratch / "sagemaker-defaults.yaml"
        defaults.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
        )
        return {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults), "SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
