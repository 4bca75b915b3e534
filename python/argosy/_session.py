"""Where the server answers, with which keys, and sessions made of that."""

import configparser
import json
import os
from pathlib import Path

import boto3

ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/argosy"


class NoServerError(RuntimeError):
    """No server was found; the message says where was looked and what to do."""


class _BotoSession(boto3.Session):
    """A boto3 session whose clients all go to one endpoint.

    Also where a caller names another: the SageMaker SDK asks `https://sts.<region>.amazonaws.com` by name for the account
    that its default bucket is called after.
    """

    def __init__(self, endpoint_url, **options):
        super().__init__(**options)
        self._argosy_endpoint = endpoint_url

    def client(self, service_name, *args, **options):
        options["endpoint_url"] = self._argosy_endpoint
        return super().client(service_name, *args, **options)

    def resource(self, service_name, *args, **options):
        options["endpoint_url"] = self._argosy_endpoint
        return super().resource(service_name, *args, **options)


class Session:
    """What code needs of one server: endpoint, region, role, default bucket, and clients."""

    def __init__(
        self, endpoint, access_key, secret_key, region=DEFAULT_REGION, role=ROLE, bucket=None, session_token=None
    ):
        self.endpoint = endpoint
        self.region = region
        self.role = role
        self.bucket = bucket or f"sagemaker-{region}-{ACCOUNT}"
        self.boto = _BotoSession(
            endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=session_token,
            region_name=region,
        )

    def client(self, service_name, **options):
        """A boto3 client: session.client("s3")."""
        return self.boto.client(service_name, **options)

    def ensure_bucket(self):
        """Makes the default bucket unless it is there; gives its name."""
        s3 = self.client("s3")
        if self.bucket not in (bucket["Name"] for bucket in s3.list_buckets()["Buckets"]):
            s3.create_bucket(Bucket=self.bucket)
        return self.bucket

    def sagemaker(self, **options):
        """A sagemaker.Session of the SageMaker Python SDK v2, its telemetry off; options are passed on."""
        os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        import sagemaker  # only who uses the SDK needs to have it

        options.setdefault("default_bucket", self.ensure_bucket())
        options.setdefault(
            "sagemaker_config",
            {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}},
        )
        return sagemaker.Session(boto_session=self.boto, **options)


def _default_data_dir():
    if os.environ.get("ARGOSY_DATA_DIR"):
        return Path(os.environ["ARGOSY_DATA_DIR"])
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "argosy"


def _read_keys(data_dir):
    if os.environ.get("ARGOSY_ACCESS_KEY_ID") and os.environ.get("ARGOSY_SECRET_ACCESS_KEY"):
        return os.environ["ARGOSY_ACCESS_KEY_ID"], os.environ["ARGOSY_SECRET_ACCESS_KEY"]
    file = data_dir / "credentials"
    parser = configparser.ConfigParser(interpolation=None)
    if not parser.read(file):
        raise NoServerError(f"{file} is not there: no server has been started in {data_dir}; run `argosy up --detach`")
    section = parser["default"] if parser.has_section("default") else parser[parser.sections()[0]]
    return section["aws_access_key_id"], section["aws_secret_access_key"]


def session(data_dir=None, endpoint=None, region=None, bucket=None):
    """A Session for the server that the arguments, else the environment, else the usual data directory mean.

    After `eval "$(argosy env)"` the environment says everything. Otherwise the server's own directory does: `data_dir`,
    ARGOSY_DATA_DIR, or ~/.local/share/argosy; also what region it was started with, unless `region` says another.
    """
    usual_region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    role = os.environ.get("ARGOSY_ROLE", ROLE)
    environment = os.environ
    if data_dir is None and (endpoint or environment.get("AWS_ENDPOINT_URL")) and environment.get("AWS_ACCESS_KEY_ID"):
        return Session(
            endpoint or environment["AWS_ENDPOINT_URL"],
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region=region or usual_region,
            role=role,
            bucket=bucket,
            session_token=environment.get("AWS_SESSION_TOKEN"),
        )
    data_dir = Path(data_dir) if data_dir is not None else _default_data_dir()
    access_key, secret_key = _read_keys(data_dir)
    try:
        server = json.loads((data_dir / "server.json").read_text())
    except FileNotFoundError:
        server = {}
    endpoint = endpoint or server.get("endpoint")
    if endpoint is None:
        raise NoServerError(f"no server runs in {data_dir}; start it with `argosy up --detach`")
    region = region or server.get("region") or usual_region
    return Session(endpoint, access_key, secret_key, region=region, role=role, bucket=bucket)
