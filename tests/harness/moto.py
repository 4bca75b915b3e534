"""moto's server, a peer for what clients see of every service: where ARGOSY_MOTO names it (`moto_server` of moto 5.2.5)."""

import json
import os
import subprocess
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from harness import processes
from harness.clients import CONFIG
from harness.peers import TRAINING_LOGS, Peer
from harness.server import clean_environment, free_port

START_SECONDS = 60
ACCOUNT = "123456789012"
REGION = "us-east-1"


class Missing(Exception):
    """Why there is no moto here, in a sentence."""


class Moto:
    """One server, which keeps what it has in memory."""

    def __init__(self):
        self.program = os.environ.get("ARGOSY_MOTO")
        if not self.program:
            raise Missing("ARGOSY_MOTO names no moto_server of moto 5.2.5")
        self.port = free_port()
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "-H", "127.0.0.1", "-p", str(self.port)],
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.wait_for(self._answers, START_SECONDS, "moto to answer", every=0.1)
        return self

    def client(self, service, config=CONFIG):
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="peer",
            aws_secret_access_key="peer-secret",
            region_name=REGION,
            config=config,
        )

    def _answers(self):
        assert self.process.poll() is None, f"{self.program} ended with {self.process.returncode}"
        try:
            return self.client("sts").get_caller_identity() is not None
        except (BotoCoreError, ClientError):
            return False

    def dispose(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)


class MotoPeer(Peer):
    """What work leaves behind in Argosy is put there by hand."""

    def __init__(self, client):
        super().__init__(client, ACCOUNT, "bucket", "s3://bucket/train.csv", "s3://bucket/model.tar.gz")

    def logged(self, job):
        if not self.logs.describe_log_groups(logGroupNamePrefix=TRAINING_LOGS)["logGroups"]:
            self.logs.create_log_group(logGroupName=TRAINING_LOGS)
        where = {"logGroupName": TRAINING_LOGS, "logStreamName": f"{job}/algo-1-1700000000"}
        self.logs.create_log_stream(**where)
        begin = int(time.time() * 1000) - 1000
        lines = [f"#quality_metric: host=algo-1, epoch={i}, train objective <loss>=0.{i}" for i in range(20)]
        events = [{"timestamp": begin + 40 * i, "message": line} for i, line in enumerate(lines)]
        self.logs.put_log_events(**where, logEvents=events)
        return where["logStreamName"]

    def role_named(self, name):
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
