"""CloudWatch Logs over the real output of jobs and endpoints."""

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs
from harness.processes import wait_for

TRAINING = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module")
def stream(shared_clients, cancer_job):
    found = shared_clients.logs.describe_log_streams(
        logGroupName=TRAINING, logStreamNamePrefix=cancer_job["TrainingJobName"] + "/"
    )["logStreams"]
    assert len(found) == 1
    return found[0]


def read_all(clients, group, stream, **how):
    """All events as the clients read them: forward until a page is empty."""
    events, token = [], None
    while True:
        more = {"nextToken": token} if token else {}
        page = clients.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **how, **more)
        events += page["events"]
        if not page["events"]:
            assert page["nextForwardToken"] == (token or page["nextForwardToken"])
            return events
        token = page["nextForwardToken"]


class TestGroupsAndStreams:
    def test_groups_by_prefix(self, clients, cancer_job):
        groups = clients.logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/Tra")["logGroups"]
        (group,) = [g for g in groups if g["logGroupName"] == TRAINING]
        assert group["creationTime"] > 1_500_000_000_000  # milliseconds
        assert group["storedBytes"] >= 0
        assert clients.logs.describe_log_groups(logGroupNamePrefix="/nothing")["logGroups"] == []

    def test_groups_by_a_part_of_their_name(self, clients, cancer_job):
        named = lambda part: [g["logGroupName"] for g in clients.logs.describe_log_groups(logGroupNamePattern=part)["logGroups"]]
        assert "/aws/sagemaker/TrainingJobs" in named("TrainingJ")
        assert named("no-such-part") == []

    def test_a_jobs_stream_has_sagemakers_name(self, cancer_job, stream):
        job, host = stream["logStreamName"].split("/")
        assert job == cancer_job["TrainingJobName"]
        algo, number, epoch = host.split("-")
        assert (algo, number) == ("algo", "1")
        assert int(epoch) > 1_500_000_000

    def test_a_streams_times_are_of_its_events(self, clients, stream):
        events = read_all(clients, TRAINING, stream["logStreamName"])
        assert stream["firstEventTimestamp"] == events[0]["timestamp"]
        assert stream["lastEventTimestamp"] == events[-1]["timestamp"]

    def test_streams_in_pages(self, clients, cancer_job, stream):
        pages = clients.logs.get_paginator("describe_log_streams").paginate(
            logGroupName=TRAINING, orderBy="LogStreamName", PaginationConfig={"PageSize": 1}
        )
        names = [s["logStreamName"] for page in pages for s in page["logStreams"]]
        assert names == sorted(set(names))
        assert stream["logStreamName"] in names

    def test_a_missing_group_or_stream(self, clients, cancer_job):
        for call, members in (
            (clients.logs.describe_log_streams, {"logGroupName": "/none"}),
            (clients.logs.get_log_events, {"logGroupName": "/none", "logStreamName": "x"}),
            (clients.logs.get_log_events, {"logGroupName": TRAINING, "logStreamName": "none"}),
            (clients.logs.filter_log_events, {"logGroupName": "/none"}),
        ):
            with pytest.raises(ClientError) as refused:
                call(**members)
            assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


class TestEvents:
    def test_the_log_tells_of_each_epoch_in_sagemakers_words(self, clients, stream):
        lines = [e["message"] for e in read_all(clients, TRAINING, stream["logStreamName"])]
        quality = [line for line in lines if "#quality_metric: host=algo-1, epoch=" in line and ", train " in line]
        assert len(quality) >= 10
        assert all("<loss>=" in line for line in quality)

    def test_times_are_milliseconds_and_in_order(self, clients, stream):
        events = read_all(clients, TRAINING, stream["logStreamName"])
        times = [e["timestamp"] for e in events]
        assert times == sorted(times)
        assert all(e["ingestionTime"] >= 1_500_000_000_000 for e in events if "ingestionTime" in e)

    def test_pages_forward_and_backward_tell_the_same(self, clients, stream):
        everything = read_all(clients, TRAINING, stream["logStreamName"])
        assert read_all(clients, TRAINING, stream["logStreamName"], limit=3) == everything
        backward, token = [], None
        while True:
            more = {"nextToken": token} if token else {}
            page = clients.logs.get_log_events(
                logGroupName=TRAINING, logStreamName=stream["logStreamName"], startFromHead=False, limit=4, **more
            )
            if not page["events"]:
                assert page["nextBackwardToken"] == token
                break
            backward = page["events"] + backward
            token = page["nextBackwardToken"]
        assert backward == everything

    def test_start_and_end_time_cut(self, clients, stream):
        everything = read_all(clients, TRAINING, stream["logStreamName"])
        middle = everything[len(everything) // 2]["timestamp"]
        after = read_all(clients, TRAINING, stream["logStreamName"], startTime=middle)
        assert after == [e for e in everything if e["timestamp"] >= middle]
        before = read_all(clients, TRAINING, stream["logStreamName"], endTime=middle)
        assert before == [e for e in everything if e["timestamp"] < middle]

    def test_filter_by_stream_prefix_and_words(self, clients, cancer_job, stream):
        everything = read_all(clients, TRAINING, stream["logStreamName"])
        pages = clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=TRAINING, logStreamNamePrefix=cancer_job["TrainingJobName"] + "/"
        )
        found = [e for page in pages for e in page["events"]]
        assert [e["message"] for e in found] == [e["message"] for e in everything]
        assert {e["logStreamName"] for e in found} == {stream["logStreamName"]}
        assert len({e["eventId"] for e in found}) == len(found)
        pages = clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=TRAINING, logStreamNames=[stream["logStreamName"]], filterPattern="quality_metric"
        )
        words = [e["message"] for page in pages for e in page["events"]]
        assert words == [e["message"] for e in everything if "quality_metric" in e["message"]]
        assert words

    def test_a_failed_jobs_log_says_why(self, clients):
        request = jobs.training_request(clients, clients.put("log-bad.csv", "1,2\n0,nonsense\n"))
        clients.sagemaker.create_training_job(**request)
        jobs.await_job(clients, request["TrainingJobName"])
        events = clients.logs.filter_log_events(logGroupName=TRAINING, logStreamNamePrefix=request["TrainingJobName"])
        assert any("nonsense" in e["message"] for e in events["events"])

    def test_an_endpoints_log(self, clients, cancer_endpoint):
        group = f"/aws/sagemaker/Endpoints/{cancer_endpoint}"
        (stream,) = clients.logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert stream["logStreamName"].startswith("AllTraffic/")
        assert read_all(clients, group, stream["logStreamName"])

    def test_the_cli_tails(self, aws, cancer_job, stream):
        told = aws(
            "logs",
            "get-log-events",
            "--log-group-name",
            TRAINING,
            "--log-stream-name",
            stream["logStreamName"],
            "--limit",
            "5",
        )
        assert len(told["events"]) == 5
        assert told["nextForwardToken"]


def test_lines_appear_while_the_job_runs(clients):
    digits = clients.put("live-digits.csv", data.digits().train_csv * 8)
    request = jobs.training_request(
        clients,
        digits,
        predictor_type="multiclass_classifier",
        hyperparameters={"num_classes": "10", "epochs": "100000", "early_stopping_patience": "100000"},
    )
    clients.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]

    def line():
        try:
            page = clients.logs.filter_log_events(logGroupName=TRAINING, logStreamNamePrefix=name + "/")
        except ClientError:
            return False
        return any("#quality_metric" in e["message"] for e in page["events"])

    try:
        wait_for(line, jobs.JOB_SECONDS, "a line of the running job")
        status = clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
        assert status == "InProgress"
    finally:
        clients.sagemaker.stop_training_job(TrainingJobName=name)
        jobs.await_job(clients, name)
