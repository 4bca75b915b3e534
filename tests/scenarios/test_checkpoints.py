"""Jobs with a CheckpointConfig: killed and started again they end with the very bytes of an undisturbed run.

ARGOSY_KILLS sets how many kills a job gets (20 and more for the full run).
"""

import os
import re
import time

import pytest

from harness import data, jobs
from harness.processes import wait_for

KILLS = min(20, int(os.environ.get("ARGOSY_KILLS") or 3))
RESUMED = re.compile(r"resuming from .*?(\d+)(?: rows read| of the checkpoint)")


def artifact_bytes(clients, job):
    return clients.get(job["ModelArtifacts"]["S3ModelArtifacts"])


def resumptions(clients, name):
    """What the log of each attempt says of where it began, in order."""
    group = "/aws/sagemaker/TrainingJobs"
    events = clients.logs.filter_log_events(logGroupName=group, logStreamNamePrefix=name + "/")["events"]
    return [int(found.group(1)) for e in events if (found := RESUMED.search(e["message"]))]


def linear(clients, location):
    uri = clients.put("digits.csv", data.digits().train_csv * 8)
    return jobs.training_request(
        clients,
        uri,
        name=jobs.unique("checkpointed"),
        predictor_type="multiclass_classifier",
        hyperparameters={
            "num_classes": "10",
            "epochs": str(100 * KILLS),
            "early_stopping_patience": "1000000",
            "argosy_checkpoint_seconds": "0.05",
        },
        CheckpointConfig={"S3Uri": location},
    )


def boosted(clients, location):
    uri = clients.put("digits.csv", data.digits().train_csv)
    request = linear(clients, location)
    request["AlgorithmSpecification"]["TrainingImage"] = "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"
    request["InputDataConfig"] = [jobs.csv_channel(uri)]
    request["HyperParameters"] = {
        "objective": "multi:softprob",
        "num_class": "10",
        "num_round": str(60 * KILLS),
        "max_depth": "3",
        "tree_method": "hist",
        "nthread": "1",
        "argosy_checkpoint_seconds": "0.05",
    }
    return request


@pytest.mark.parametrize("make", [linear, boosted])
@pytest.mark.parametrize("victim", ["agent", "everything"])
def test_killed_again_and_again_the_same_bytes_come_out(make, victim, start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    request = make(clients, f"s3://{clients.bucket}/undisturbed")
    clients.sagemaker.create_training_job(**request)
    alone = jobs.await_job(clients, request["TrainingJobName"], 180)
    assert alone["TrainingJobStatus"] == "Completed", alone.get("FailureReason")
    expected = artifact_bytes(clients, alone)

    location = f"s3://{clients.bucket}/killed/"
    request = make(clients, location)
    name = request["TrainingJobName"]
    clients.sagemaker.create_training_job(**request)
    assert clients.sagemaker.describe_training_job(TrainingJobName=name)["CheckpointConfig"]["S3Uri"] == location

    def newest():
        objects = clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix="killed/").get("Contents", [])
        assert {o["Key"] for o in objects} <= {"killed/checkpoint"}
        return [(o["ETag"], o["LastModified"]) for o in objects]

    seen, kills = [], 0
    for _ in range(KILLS):
        # A checkpoint of this attempt, then a moment of work behind it.
        before = seen
        wait_for(
            lambda: newest() not in ([], before)
            or clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "InProgress",
            60,
            "a checkpoint",
        )
        seen = newest()
        if clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "InProgress":
            break
        time.sleep(0.05)
        if victim == "agent":
            server.kill_agents()
        else:
            server.kill_everything()
            server.start()
        kills += 1
    assert kills >= min(2, KILLS), "the job ended before it could be killed"
    job = jobs.await_job(clients, name, 180)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert artifact_bytes(clients, job) == expected
    places = resumptions(clients, name)
    assert places and all(place > 0 for place in places)
    assert places == sorted(places), "an attempt began before the one it follows"


def test_a_location_in_no_bucket_fails_the_job(clients):
    request = linear(clients, "s3://no-such-bucket-anywhere/c")
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed" and "no-such-bucket-anywhere" in job["FailureReason"]


def test_a_new_job_goes_on_where_another_was_stopped(clients):
    """The same data, hyperparameters and location: what one job has done the next does not do again."""
    location = f"s3://{clients.bucket}/{jobs.unique('shared')}"
    first = linear(clients, location)
    first["HyperParameters"]["epochs"] = "1000000"
    clients.sagemaker.create_training_job(**first)
    key = location.split("/", 3)[3] + "/checkpoint"
    wait_for(
        lambda: clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix=key).get("Contents"), 60, "a checkpoint"
    )
    clients.sagemaker.stop_training_job(TrainingJobName=first["TrainingJobName"])
    jobs.await_job(clients, first["TrainingJobName"])
    second = dict(first, TrainingJobName=jobs.unique("goes-on"))
    clients.sagemaker.create_training_job(**second)
    wait_for(lambda: resumptions_or_none(clients, second["TrainingJobName"]), 60, "the next job to resume")
    clients.sagemaker.stop_training_job(TrainingJobName=second["TrainingJobName"])
    jobs.await_job(clients, second["TrainingJobName"])
    assert resumptions(clients, second["TrainingJobName"])[0] > 0


def resumptions_or_none(clients, name):
    try:
        return resumptions(clients, name)
    except clients.logs.exceptions.ResourceNotFoundException:
        return None
