"""The same calls to Argosy and to other servers, case by case: what a case finds, and the comparing of it."""

import functools

from botocore.exceptions import ClientError

from harness import jobs

FAILED = "failed"  # the one finding of a case that was stopped
TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"


def error(call, **arguments):
    """What became of a call: (code, status) of an error, else the status."""
    try:
        told = call(**arguments)
    except ClientError as refused:
        return refused.response["Error"]["Code"], refused.response["ResponseMetadata"]["HTTPStatusCode"]
    return told["ResponseMetadata"]["HTTPStatusCode"]


def outcome(function, *arguments):
    """What a case finds; what stopped it is a finding too."""
    try:
        return function(*arguments)
    except Exception as failure:  # noqa: BLE001 - what came about is compared
        return f"{type(failure).__name__}: {failure}"


def surprises(case, ours, theirs, peer, known):
    """A line for each finding that differs from the peer's and is not in `known`, and for each of `known` that does not
    differ. Findings: {place: what was found}."""
    places = {place for place in {*ours, *theirs} if ours.get(place) != theirs.get(place)}
    lines = [f"{case} {at}: {ours.get(at)}, {peer}: {theirs.get(at)}" for at in places - known.keys()]
    return lines + [f"{case} {at} is no difference any more" for at in known.keys() - places]


class Peer:
    """One server as the cases of all services but S3 see it: its clients, and what requests name."""

    def __init__(self, client, account, bucket, data, artifact):
        self.client = client
        self.account = account
        self.bucket = bucket
        self.data = data  # s3:// of a CSV with the label first
        self.artifact = artifact  # s3:// of a model's
        self.role = f"arn:aws:iam::{account}:role/argosy"

    sagemaker = functools.cached_property(lambda self: self.client("sagemaker"))
    runtime = functools.cached_property(lambda self: self.client("sagemaker-runtime"))
    logs = functools.cached_property(lambda self: self.client("logs"))
    cloudwatch = functools.cached_property(lambda self: self.client("cloudwatch"))
    autoscaling = functools.cached_property(lambda self: self.client("application-autoscaling"))
    sts = functools.cached_property(lambda self: self.client("sts"))
    iam = functools.cached_property(lambda self: self.client("iam"))

    def arn(self, kind, name):
        return f"arn:aws:sagemaker:us-east-1:{self.account}:{kind}/{name}"

    def logged(self, job):
        """The log stream of a training job that it makes."""
        jobs.train(self, self.data, name=job)
        (stream,) = self.logs.describe_log_streams(logGroupName=TRAINING_LOGS, logStreamNamePrefix=job)["logStreams"]
        return stream["logStreamName"]

    def role_named(self, name):
        """Sees to it that there is one that SageMaker may take on."""


class Cases(dict):
    """{name: case}. As a decorator it takes what a client must see, {finding: value}, and where moto does otherwise,
    {why Argosy stays as it is: the findings, or ALL}; or only the reason, where moto does not get to the case's end."""

    ALL = ("all findings",)

    def __call__(self, expected, moto=None):
        if isinstance(moto, str):
            moto = {moto: [*expected, FAILED]}
        known = {
            finding: reason
            for reason, findings in (moto or {}).items()
            for finding in (expected if findings is self.ALL else findings)
        }

        def add(function):
            self[function.__name__] = (function, expected, known)
            return function

        return add

    def found(self, name, peer):
        """In what is found the name that the case was given is "@", the account "ACCOUNT"."""
        unique = jobs.unique("peer")
        found = outcome(self[name][0], peer, unique)
        if not isinstance(found, dict):
            return {FAILED: found}
        return {place: _plain(one, {unique: "@", peer.account: "ACCOUNT"}) for place, one in found.items()}

    def check_argosy(self, name, peer):
        lines = surprises(name, self.found(name, peer), self[name][1], "a client must see", {})
        assert not lines, "\n".join(lines)

    def check_moto(self, name, peer):
        _, expected, known = self[name]
        lines = surprises(name, expected, self.found(name, peer), "moto", known)
        assert not lines, "\n".join(lines)


def _plain(value, words):
    if isinstance(value, str):
        for word, short in words.items():
            value = value.replace(word, short)
        return value
    if isinstance(value, dict):
        return {_plain(key, words): _plain(one, words) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(one, words) for one in value)
    return value
