"""Training jobs through boto3: the flow, what Describe tells, lists, stop, and the reasons jobs fail for."""

import datetime
import gzip
import json
import uuid

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs, raw
from harness.processes import wait_for


def failed(clients, request):
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed", job["TrainingJobStatus"]
    assert job["SecondaryStatus"] == "Failed"
    # The member is there for every job; the object only for those that left one.
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    with pytest.raises(ClientError):
        clients.s3.head_object(Bucket=bucket, Key=key)
    return job["FailureReason"]


class TestACompletedJob:
    def test_its_status_and_times_are_in_order(self, cancer_job):
        job = cancer_job
        assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
        assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
        assert job["TrainingEndTime"] <= job["LastModifiedTime"]
        now = datetime.datetime.now(datetime.timezone.utc)
        assert abs((now - job["CreationTime"]).total_seconds()) < 3600

    def test_its_seconds_are_billed_as_a_whole_number_of_at_least_one(self, cancer_job):
        assert cancer_job["BillableTimeInSeconds"] >= 1
        assert cancer_job["TrainingTimeInSeconds"] >= 1

    def test_its_transitions_are_the_real_ones_without_gaps(self, cancer_job):
        transitions = cancer_job["SecondaryStatusTransitions"]
        names = [t["Status"] for t in transitions]
        assert names == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
        for one, after in zip(transitions, transitions[1:]):
            assert one["StartTime"] <= one["EndTime"] == after["StartTime"]
        assert all(t["StatusMessage"] for t in transitions)

    def test_everything_that_was_sent_comes_back(self, clients, cancer_uri):
        request = jobs.training_request(
            clients,
            [
                jobs.csv_channel(cancer_uri, CompressionType="None", RecordWrapperType="None"),
                jobs.csv_channel(cancer_uri, name="validation"),
            ],
            hyperparameters={"learning_rate": "0.01", "wd": "0.001"},
            Environment={"COLOUR": "blue"},
            Tags=[{"Key": "team", "Value": "a"}],
        )
        clients.sagemaker.create_training_job(**request)
        job = jobs.await_job(clients, request["TrainingJobName"])
        for member in (
            "TrainingJobName",
            "RoleArn",
            "HyperParameters",
            "InputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
            "Environment",
        ):
            assert job[member] == request[member], member
        assert job["AlgorithmSpecification"]["TrainingImage"] == jobs.LINEAR_LEARNER
        assert job["AlgorithmSpecification"]["TrainingInputMode"] == "File"
        assert job["OutputDataConfig"]["S3OutputPath"] == request["OutputDataConfig"]["S3OutputPath"]
        assert "Tags" not in job

    def test_its_artifact_lies_where_sagemaker_puts_it_and_unpacks(self, clients, cancer_job):
        uri = cancer_job["ModelArtifacts"]["S3ModelArtifacts"]
        assert uri == f"s3://{clients.bucket}/out/{cancer_job['TrainingJobName']}/output/model.tar.gz"
        members = jobs.artifact_members(clients, uri)
        assert members and all(members.values())
        assert not any(name.startswith("/") or ".." in name.split("/") for name in members)

    def test_its_arn_names_region_account_and_job(self, clients, cancer_job):
        assert cancer_job["TrainingJobArn"] == (
            f"arn:aws:sagemaker:{clients.region}:{clients.account}:training-job/{cancer_job['TrainingJobName']}"
        )

    def test_its_final_metrics_have_the_algorithms_names(self, cancer_job):
        metrics = {m["MetricName"]: m["Value"] for m in cancer_job["FinalMetricDataList"]}
        assert "train:objective_loss" in metrics
        assert metrics["train:objective_loss"] < 0.7  # ln 2 is what knowing nothing costs

    def test_a_validation_channel_gives_validation_metrics(self, clients, cancer_uri):
        held_out = clients.put("cancer-validation.csv", data.breast_cancer().test_csv)
        job = jobs.train(
            clients,
            [jobs.csv_channel(cancer_uri), jobs.csv_channel(held_out, name="validation")],
            hyperparameters={"epochs": "15"},
        )
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        assert metrics["validation:binary_classification_accuracy"] > 0.93
        assert 0 < metrics["validation:objective_loss"] < 0.7
        assert 0.9 < metrics["validation:binary_f_beta"] <= 1
        assert 0.95 < metrics["validation:roc_auc_score"] <= 1

    def test_metric_definitions_read_the_log(self, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri)
        request["AlgorithmSpecification"]["MetricDefinitions"] = [
            {"Name": "my:loss", "Regex": "#quality_metric: host=\\S+, epoch=\\S+, train \\S+ <loss>=(\\S+)"}
        ]
        clients.sagemaker.create_training_job(**request)
        job = jobs.await_job(clients, request["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed"
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        assert 0 < metrics["my:loss"] < 5
        sent = request["AlgorithmSpecification"]["MetricDefinitions"][0]
        assert sent in job["AlgorithmSpecification"]["MetricDefinitions"]


class TestPredictorTypes:
    def test_ten_classes_of_digits(self, clients):
        digits = data.digits()
        job = jobs.train(
            clients,
            clients.put("digits.csv", digits.train_csv),
            predictor_type="multiclass_classifier",
            hyperparameters={"num_classes": "10", "epochs": "15"},
        )
        endpoint = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        answer = json.loads(jobs.invoke(clients, endpoint, data.rows(digits.test_features)))
        labels = [p["predicted_label"] for p in answer["predictions"]]
        assert (labels == digits.test_labels).mean() > 0.92
        assert all(len(p["score"]) == 10 for p in answer["predictions"])
        jobs.delete_endpoint(clients, endpoint)

    def test_a_number(self, clients):
        diabetes = data.diabetes()
        job = jobs.train(
            clients,
            clients.put("diabetes.csv", diabetes.train_csv),
            predictor_type="regressor",
            hyperparameters={"epochs": "60", "learning_rate": "0.1"},
        )
        endpoint = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        answer = json.loads(jobs.invoke(clients, endpoint, data.rows(diabetes.test_features)))
        scores = [p["score"] for p in answer["predictions"]]
        assert all(set(p) == {"score"} for p in answer["predictions"])
        error = ((scores - diabetes.test_labels) ** 2).mean()
        assert error < 0.75 * diabetes.test_labels.var()
        jobs.delete_endpoint(clients, endpoint)

    def test_gzip_by_compression_type(self, clients):
        packed = clients.put("packed/part.csv.gz", gzip.compress(data.breast_cancer().train_csv.encode()))
        job = jobs.train(clients, [jobs.csv_channel(packed, CompressionType="Gzip")], hyperparameters={"epochs": "10"})
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        assert metrics["train:objective_loss"] < 0.5

    @pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
    def test_every_input_mode_trains_the_same(self, clients, cancer_uri, mode):
        request = jobs.training_request(clients, cancer_uri, hyperparameters={"epochs": "5"})
        request["AlgorithmSpecification"]["TrainingInputMode"] = mode
        clients.sagemaker.create_training_job(**request)
        job = jobs.await_job(clients, request["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["AlgorithmSpecification"]["TrainingInputMode"] == mode
        plain = jobs.train(clients, cancer_uri, hyperparameters={"epochs": "5"})
        assert jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"]) == jobs.artifact_members(
            clients, plain["ModelArtifacts"]["S3ModelArtifacts"]
        )

    def test_fast_file_needs_a_prefix(self, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri)
        channel = request["InputDataConfig"][0]
        channel["InputMode"] = "FastFile"
        channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
        with pytest.raises(ClientError, match="FastFile, which needs S3DataType S3Prefix"):
            clients.sagemaker.create_training_job(**request)


class TestGoingOn:
    """The channel `model`, and further formats of data."""

    def test_a_job_goes_on_from_another_ones_artifact(self, clients, cancer_uri, cancer_job):
        model = {
            "ChannelName": "model",
            "ContentType": "application/x-sagemaker-model",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": cancer_job["ModelArtifacts"]["S3ModelArtifacts"],
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        still = {"epochs": "1", "learning_rate": "1e-9"}
        losses = [
            {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}["train:objective_loss"]
            for job in (
                jobs.train(clients, [jobs.csv_channel(cancer_uri)], hyperparameters=still),
                jobs.train(clients, [jobs.csv_channel(cancer_uri), model], hyperparameters=still),
            )
        ]
        assert losses[1] < losses[0] / 2
        empty = dict(model, DataSource={"S3DataSource": dict(model["DataSource"]["S3DataSource"], S3Uri=cancer_uri)})
        reason = failed(clients, jobs.training_request(clients, [jobs.csv_channel(cancer_uri), empty]))
        assert reason.startswith("ClientError") and "channel 'model'" in reason

    def test_json_lines_and_bad_records(self, clients):
        cancer = data.breast_cancer()
        lines = [
            json.dumps({"label": int(label), "features": [float(v) for v in row]})
            for label, row in zip(cancer.labels, cancer.features)
        ]
        uri = clients.put("cancer.jsonl", "\n".join(lines) + "\n")
        channel = jobs.csv_channel(uri, content_type="application/jsonlines")
        job = jobs.train(clients, [channel])
        csv = jobs.train(clients, clients.put("same.csv", cancer.train_csv))
        metrics = lambda job: {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        assert metrics(job) == metrics(csv)
        broken = clients.put("broken.jsonl", "\n".join([*lines[:50], '{"label": 1}', *lines[50:]]) + "\n")
        channel = jobs.csv_channel(broken, content_type="application/jsonlines")
        reason = failed(clients, jobs.training_request(clients, [channel]))
        assert "line 51: it has no features" in reason
        job = jobs.train(clients, [channel], hyperparameters={"argosy_bad_records_max": "1"})
        events = clients.logs.filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job["TrainingJobName"] + "/"
        )["events"]
        assert any("1 records could not be read and are left out" in e["message"] for e in events)


class TestLists:
    """ListTrainingJobs: every filter the clients use, both orders, and pages."""

    @pytest.fixture(scope="class")
    def listed(self, shared_clients, cancer_uri):
        """Seven jobs with a name of their own in common; the fourth fails."""
        mark = f"list{uuid.uuid4().hex[:8]}"
        names = []
        for i in range(7):
            name = f"{mark}-{(i * 3) % 7}"
            request = jobs.training_request(
                shared_clients, cancer_uri, name=name, hyperparameters={"epochs": "0" if i == 3 else "1"}
            )
            shared_clients.sagemaker.create_training_job(**request)
            jobs.await_job(shared_clients, name)
            names.append(name)
        return mark, names

    def names(self, clients, **query):
        pages = clients.sagemaker.get_paginator("list_training_jobs").paginate(**query)
        return [s["TrainingJobName"] for page in pages for s in page["TrainingJobSummaries"]]

    def test_name_contains(self, clients, listed):
        mark, names = listed
        assert sorted(self.names(clients, NameContains=mark)) == sorted(names)
        assert self.names(clients, NameContains=mark + "-2") == [mark + "-2"]

    def test_by_creation_time_in_both_orders(self, clients, listed):
        mark, names = listed
        by = {"NameContains": mark, "SortBy": "CreationTime"}
        assert self.names(clients, SortOrder="Ascending", **by) == names
        assert self.names(clients, SortOrder="Descending", **by) == names[::-1]

    def test_without_a_word_the_oldest_come_first(self, clients, listed):
        mark, names = listed
        assert self.names(clients, NameContains=mark) == names

    def test_by_name_and_by_status(self, clients, listed):
        mark, names = listed
        assert self.names(clients, NameContains=mark, SortBy="Name", SortOrder="Ascending") == sorted(names)
        assert self.names(clients, NameContains=mark, SortBy="Name", SortOrder="Descending") == sorted(names)[::-1]
        by_status = self.names(clients, NameContains=mark, SortBy="Status", SortOrder="Ascending")
        assert by_status.index(names[3]) == len(names) - 1  # Completed … Failed

    def test_status_equals(self, clients, listed):
        mark, names = listed
        assert self.names(clients, NameContains=mark, StatusEquals="Failed") == [names[3]]
        assert len(self.names(clients, NameContains=mark, StatusEquals="Completed")) == 6
        assert self.names(clients, NameContains=mark, StatusEquals="InProgress") == []

    def test_creation_and_modification_times(self, clients, server, listed):
        """By hand, since botocore cuts the times that it sends to whole seconds."""
        mark, names = listed

        def names_with(**query):
            with raw.Connection(server.address) as connection:
                answer = connection.send(raw.json_call(clients, "ListTrainingJobs", {"NameContains": mark, **query})).read()
            assert answer.status == 200, answer
            return {s["TrainingJobName"] for s in answer.json()["TrainingJobSummaries"]}

        middle = clients.sagemaker.describe_training_job(TrainingJobName=names[3])["CreationTime"].timestamp()
        assert names_with(CreationTimeAfter=middle + 0.001) == set(names[4:])
        assert names_with(CreationTimeBefore=middle - 0.001) == set(names[:3])
        assert names_with(CreationTimeAfter=middle - 0.001, CreationTimeBefore=middle + 0.001) == {names[3]}
        future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        assert self.names(clients, NameContains=mark, LastModifiedTimeAfter=future) == []
        assert len(self.names(clients, NameContains=mark, LastModifiedTimeBefore=future)) == 7
        past = future - datetime.timedelta(days=2)
        assert self.names(clients, NameContains=mark, LastModifiedTimeBefore=past) == []
        assert len(self.names(clients, NameContains=mark, LastModifiedTimeAfter=past)) == 7

    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    @pytest.mark.parametrize("sort", ["Name", "CreationTime", "Status"])
    def test_pages_of_any_size_give_each_job_once(self, clients, listed, size, sort):
        mark, names = listed
        got, token = [], None
        while True:
            more = {"NextToken": token} if token else {}
            page = clients.sagemaker.list_training_jobs(
                NameContains=mark, SortBy=sort, SortOrder="Ascending", MaxResults=size, **more
            )
            assert len(page["TrainingJobSummaries"]) <= size
            got += [s["TrainingJobName"] for s in page["TrainingJobSummaries"]]
            token = page.get("NextToken")
            if not token:
                break
        assert got == self.names(clients, NameContains=mark, SortBy=sort, SortOrder="Ascending")
        assert sorted(got) == sorted(names)

    def test_a_summary_has_the_times_and_status_of_the_job(self, clients, listed):
        mark, names = listed
        summary = clients.sagemaker.list_training_jobs(NameContains=names[0])["TrainingJobSummaries"][0]
        job = clients.sagemaker.describe_training_job(TrainingJobName=names[0])
        for member in (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingEndTime",
            "LastModifiedTime",
            "TrainingJobStatus",
        ):
            assert summary[member] == job[member], member

    def test_a_made_up_token_is_refused(self, clients):
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.list_training_jobs(NextToken="not-a-token")
        assert refused.value.response["Error"]["Code"] == "ValidationException"


class TestStop:
    def long_job(self, clients, **changes):
        digits = clients.put("stop-digits.csv", data.digits().train_csv * 8)
        request = jobs.training_request(
            clients,
            digits,
            predictor_type="multiclass_classifier",
            hyperparameters={"num_classes": "10", "epochs": "100000", "early_stopping_patience": "100000"},
            **changes,
        )
        clients.sagemaker.create_training_job(**request)
        return request["TrainingJobName"]

    def await_training(self, clients, name):
        """Until the first epoch is over: from then on there is something to keep."""

        def learnt():
            job = clients.sagemaker.describe_training_job(TrainingJobName=name)
            assert job["TrainingJobStatus"] == "InProgress", job
            return any(m["MetricName"] == "train:objective_loss" for m in job.get("FinalMetricDataList", []))

        wait_for(learnt, jobs.JOB_SECONDS, f"{name} to train")

    def test_a_stopped_job_ends_stopped_and_keeps_what_it_has_learnt(self, clients):
        name = self.long_job(clients)
        self.await_training(clients, name)
        clients.sagemaker.stop_training_job(TrainingJobName=name)
        assert clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in (
            "Stopping",
            "Stopped",
        )
        job = jobs.await_job(clients, name)
        assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
        assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-1] == "Stopped"
        assert jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])

    def test_a_job_stopped_at_once_ends_too(self, clients):
        name = self.long_job(clients)
        clients.sagemaker.stop_training_job(TrainingJobName=name)
        assert jobs.await_job(clients, name)["TrainingJobStatus"] == "Stopped"

    def test_max_runtime_ends_a_job_as_such(self, clients):
        name = self.long_job(clients, StoppingCondition={"MaxRuntimeInSeconds": 1})
        job = jobs.await_job(clients, name)
        assert job["TrainingJobStatus"] == "Stopped"
        assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
        assert job["BillableTimeInSeconds"] >= 1

    def test_a_finished_job_cannot_be_stopped(self, clients, cancer_job):
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.stop_training_job(TrainingJobName=cancer_job["TrainingJobName"])
        assert refused.value.response["Error"]["Code"] == "ValidationException"

    def test_a_job_that_is_not_there_cannot_be_stopped(self, clients):
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.stop_training_job(TrainingJobName="never-was")
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert "Requested resource not found." in refused.value.response["Error"]["Message"]


class TestFailureReasons:
    def test_an_unknown_hyperparameter(self, clients, cancer_uri):
        reason = failed(clients, jobs.training_request(clients, cancer_uri, hyperparameters={"epoch_count": "3"}))
        assert "Additional properties are not allowed" in reason
        assert "'epoch_count' was unexpected" in reason

    @pytest.mark.parametrize(
        ("name", "value"),
        [("epochs", "many"), ("epochs", "0"), ("learning_rate", "-1"), ("loss", "softest"), ("num_models", "1.5")],
    )
    def test_a_bad_hyperparameter(self, clients, cancer_uri, name, value):
        reason = failed(clients, jobs.training_request(clients, cancer_uri, hyperparameters={name: value}))
        assert name in reason and value in reason

    def test_a_missing_hyperparameter(self, clients, cancer_uri):
        reason = failed(clients, jobs.training_request(clients, cancer_uri, predictor_type=None))
        assert "predictor_type" in reason

    def test_a_row_that_is_not_numbers(self, clients):
        reason = failed(
            clients, jobs.training_request(clients, clients.put("bad-cell.csv", "1,2,3\n0,4,5\n1,oops,6\n"))
        )
        assert "ClientError" in reason
        assert "oops" in reason or "row 3" in reason or "line 3" in reason

    def test_of_files_of_one_name_the_bad_one_is_named_with_its_folder(self, clients):
        prefix = jobs.unique("folders")
        clients.put(f"{prefix}/monday/part.csv", "1,2,3\n0,4,5\n")
        clients.put(f"{prefix}/tuesday/part.csv", "1,2,3\n0,oops,5\n")
        reason = failed(clients, jobs.training_request(clients, f"s3://{clients.bucket}/{prefix}/"))
        assert "file 'tuesday/part.csv', line 2: column 2: 'oops' is not a number" in reason

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("updater", "grow_nothing", "it is a comma-separated list of grow_colmaker"),
            ("base_score", "2", "objective binary:logistic begins with a probability above 0 and below 1"),
            ("eval_metric", "error@x", "behind error@ stands the threshold, a number"),
            ("monotone_constraints", "1,0", "it must be a list of -1, 0 and 1 like (1,0,-1)"),
        ],
    )
    def test_what_xgboost_itself_would_refuse_is_said_with_its_rule(self, clients, cancer_uri, name, value, rule):
        request = jobs.training_request(
            clients,
            cancer_uri,
            AlgorithmSpecification={"TrainingImage": "xgboost:1", "TrainingInputMode": "File"},
            HyperParameters={"num_round": "2", "objective": "binary:logistic", name: value},
        )
        reason = failed(clients, request)
        assert reason.startswith("ClientError")
        assert f"Hyperparameter {name}: '{value}' is not valid: {rule}" in reason

    def test_a_row_of_another_width(self, clients):
        reason = failed(clients, jobs.training_request(clients, clients.put("ragged.csv", "1,2,3\n0,4,5,6\n1,2,6\n")))
        assert "ClientError" in reason
        assert "2" in reason

    def test_no_train_channel(self, clients, cancer_uri):
        reason = failed(clients, jobs.training_request(clients, [jobs.csv_channel(cancer_uri, name="validation")]))
        assert "train" in reason

    def test_an_empty_prefix(self, clients):
        reason = failed(clients, jobs.training_request(clients, f"s3://{clients.bucket}/nothing/here"))
        assert "nothing/here" in reason

    def test_a_bucket_that_is_not_there(self, clients):
        """Found out at the call, as the real service does, or by the job; never ignored."""
        request = jobs.training_request(clients, "s3://no-such-bucket-here/train")
        try:
            reason = failed(clients, request)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "ValidationException"
            reason = refused.response["Error"]["Message"]
        assert "no-such-bucket-here" in reason

    def test_an_output_bucket_that_is_not_there(self, clients, cancer_uri):
        request = jobs.training_request(
            clients, cancer_uri, OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-here/out"}
        )
        reason = failed(clients, request)
        assert reason.startswith("ClientError") and "no-such-bucket-here" in reason
        described = clients.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
        steps = [step["Status"] for step in described["SecondaryStatusTransitions"]]
        assert "Training" not in steps, "it is said before the training, not after it"

    def test_an_image_that_is_no_algorithm_of_ours(self, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri)
        request["AlgorithmSpecification"]["TrainingImage"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest"
        try:
            reason = failed(clients, request)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "ValidationException"
            reason = refused.response["Error"]["Message"]
        assert "mine" in reason

    def test_labels_that_do_not_fit_the_predictor(self, clients):
        reason = failed(clients, jobs.training_request(clients, clients.put("three.csv", "0,1,2\n1,2,3\n2,3,4\n")))
        assert "ClientError" in reason or "AlgorithmError" in reason


class TestNames:
    def test_a_name_is_used_once(self, clients, cancer_uri, cancer_job):
        request = jobs.training_request(clients, cancer_uri, name=cancer_job["TrainingJobName"])
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.create_training_job(**request)
        assert refused.value.response["Error"]["Code"] == "ResourceInUse"
        assert "already exists" in refused.value.response["Error"]["Message"]

    def test_the_region_and_account_of_the_image_do_not_matter(self, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri, hyperparameters={"epochs": "1"})
        request["AlgorithmSpecification"]["TrainingImage"] = (
            "174872318107.dkr.ecr.us-west-2.amazonaws.com/linear-learner:latest"
        )
        clients.sagemaker.create_training_job(**request)
        assert jobs.await_job(clients, request["TrainingJobName"])["TrainingJobStatus"] == "Completed"

    def test_a_type_bigger_than_the_machine_runs_and_says_so(self, clients, cancer_uri):
        job = jobs.train(
            clients,
            cancer_uri,
            ResourceConfig={"InstanceType": "ml.p3.16xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            hyperparameters={"epochs": "1"},
        )
        told = " ".join(t["StatusMessage"] for t in job["SecondaryStatusTransitions"])
        assert "ml.p3.16xlarge" in told


def test_waiter_training_job_completed_or_stopped(clients, cancer_uri):
    request = jobs.training_request(clients, cancer_uri)
    clients.sagemaker.create_training_job(**request)
    waiter = clients.sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=request["TrainingJobName"], WaiterConfig=jobs.WAITER)
    job = clients.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed"


def test_strict_types_refuse_with_capacity_error(start_server, clients_of):
    clients = clients_of(start_server("--strict-types"))
    uri = clients.put("train.csv", data.breast_cancer().train_csv)
    request = jobs.training_request(
        clients, uri, ResourceConfig={"InstanceType": "ml.p3.16xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
    )
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed"
    assert "CapacityError" in job["FailureReason"]


def test_jobs_wait_their_turn_when_hosts_are_few(start_server, clients_of):
    clients = clients_of(start_server("--hosts-max", "1"))
    uri = clients.put("train.csv", data.breast_cancer().train_csv)
    names = []
    for _ in range(6):
        request = jobs.training_request(clients, uri, hyperparameters={"epochs": "5"})
        clients.sagemaker.create_training_job(**request)
        names.append(request["TrainingJobName"])
    ended = [jobs.await_job(clients, name) for name in names]
    assert {j["TrainingJobStatus"] for j in ended} == {"Completed"}
    spans = sorted((j["TrainingStartTime"], j["TrainingEndTime"]) for j in ended)
    for (_, end), (start, _) in zip(spans, spans[1:]):
        assert end <= start, "two jobs ran at once on one host"
    begun = [j["TrainingStartTime"] for j in ended]
    assert begun == sorted(begun), "a job overtook an earlier one"
