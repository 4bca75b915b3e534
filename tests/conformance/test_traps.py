"""Behaviour that stops real clients where a server lacks it, one test each; TRAPS says which covers which. (Those of
the endpoints' updates need a long wait in the SDK: test_sdk_v2.py drives them again through the SDK itself.)"""

import json
import re
import struct
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs, raw
from harness.processes import wait_for

TRAINING = "/aws/sagemaker/TrainingJobs"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

# What each is about, and the tests that hold it: in this file, or file::test. A text in brackets says what there is not
# yet, and so nothing to test.
TRAPS = {
    1: (
        "OutputDataConfig.KmsKeyId is always there",
        [
            "test_trap_01_describe_has_a_kms_key_id_even_when_none_was_sent",
        ],
    ),
    2: (
        "transitions have messages, jobs a LastModifiedTime",
        [
            "test_trap_02_every_transition_has_a_message_and_the_job_a_modification_time",
        ],
    ),
    3: (
        "members that the description of a tuning job must have",
        [
            "[tuning jobs]",
        ],
    ),
    4: (
        "DescribeLogStreams' token only while streams remain",
        [
            "test_trap_04_streams_give_a_token_only_when_some_remain",
            "test_logs.py::test_streams_in_pages",
        ],
    ),
    5: (
        "GetLogEvents' token stays at the end",
        [
            "test_trap_05_events_always_give_a_forward_token_which_at_the_end_stays",
        ],
    ),
    6: (
        "channels without ContentType; a manifest sharded by key",
        [
            "test_trap_06_recordio_without_content_type_is_trained_on_or_refused_by_its_name",
            "test_trap_06_xgboost_takes_a_channel_without_content_type_for_libsvm",
            "test_trap_06_a_manifest_sharded_by_key_on_one_host_is_the_whole_of_it",
            "test_sdk_v2.py::test_the_linear_learner_class_speaks_records",
            "test_sdk_v2.py::test_the_kmeans_class_clusters_digits",
        ],
    ),
    7: (
        "media types with parameters, or none",
        [
            "test_trap_07_media_types_with_parameters_and_none_at_all",
        ],
    ),
    8: (
        "S3Uri is a prefix of text",
        [
            "test_trap_08_an_s3_uri_is_a_prefix_of_text_not_a_folder",
        ],
    ),
    9: (
        "v3 asks IAM before it trains or builds",
        [
            "test_roles.py::test_the_role_of_argosy_env_is_there_and_trusts_sagemaker",
            "test_roles.py::test_what_a_role_may_do_comes_in_pages",
            "test_roles.py::test_what_the_sdk_asks_of_a_role_is_allowed",
            "test_sdk_v3.py::test_a_model_trainer_trains_a_built_in_on_local_files",
        ],
    ),
    10: (
        "v3's script jobs",
        [
            "[training programs of the user's own]",
            "test_sdk_v3.py::test_source_code_is_refused_by_its_name",
        ],
    ),
    11: (
        "a live endpoint survives the deletion of its config",
        [
            "test_trap_11_a_live_endpoint_survives_the_deletion_of_its_config_and_model",
            "test_sdk_v2.py::test_deploy_update_and_delete",
        ],
    ),
    12: (
        "update_endpoint sends a config's variants again",
        [
            "test_trap_12_a_configs_variants_can_be_sent_again_as_they_were_described",
            "test_sdk_v2.py::test_deploy_update_and_delete",
        ],
    ),
    13: (
        "an endpoint in change is Creating or Updating",
        [
            "test_trap_13_an_endpoint_in_change_is_only_creating_or_updating",
        ],
    ),
    14: (
        "names of newer clients",
        [
            "test_trap_14_names_of_newer_clients_are_accepted",
            "test_trap_14_what_would_change_the_result_is_refused_by_name",
        ],
    ),
    15: (
        "filters, orders and pages of every list",
        [
            "test_trap_15_every_list_takes_filter_sort_and_page",
            "test_lists.py::test_names_and_states_filter",
            "test_lists.py::test_every_order_is_the_one_asked_for",
            "test_lists.py::test_pages_of_one_are_the_whole_list_in_every_order",
            "test_lists.py::test_times_filter",
        ],
    ),
    16: (
        "Search filters; of what is not there it finds nothing",
        [
            "test_search.py::test_trap_16_what_argosy_has_none_of_is_searched_without_a_result",
            "test_search.py::test_channels_are_found_by_several_properties_of_one",
        ],
    ),
    17: (
        "grid search has max_jobs",
        [
            "[tuning jobs]",
        ],
    ),
}


def test_every_trap_has_its_tests():
    for number, (_, tests) in TRAPS.items():
        for test in tests:
            if test.startswith("["):
                continue
            file, _, name = test.rpartition("::")
            text = (Path(__file__).with_name(file) if file else Path(__file__)).read_text()
            assert re.search(rf"^    def {name}\(|^def {name}\(", text, re.M), (number, test)
    assert sorted(TRAPS) == list(range(1, 18))


def test_trap_01_describe_has_a_kms_key_id_even_when_none_was_sent(clients, cancer_job):
    assert cancer_job["OutputDataConfig"]["KmsKeyId"] == ""


def test_trap_02_every_transition_has_a_message_and_the_job_a_modification_time(clients, cancer_uri):
    request = jobs.training_request(clients, cancer_uri)
    clients.sagemaker.create_training_job(**request)
    seen = []

    def ended():
        seen.append(clients.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"]))
        return seen[-1]["TrainingJobStatus"] in jobs.TERMINAL

    wait_for(ended, jobs.JOB_SECONDS, "the job to end")
    for job in seen:
        assert job["LastModifiedTime"]
        assert job["SecondaryStatusTransitions"]
        for transition in job["SecondaryStatusTransitions"]:
            assert transition["StatusMessage"]
    order = [s["LastModifiedTime"] for s in seen]
    assert order == sorted(order)


def test_trap_04_streams_give_a_token_only_when_some_remain(clients, cancer_job):
    prefix = cancer_job["TrainingJobName"] + "/"
    for limit in (1, 50):
        page = clients.logs.describe_log_streams(
            logGroupName=TRAINING, logStreamNamePrefix=prefix, orderBy="LogStreamName", limit=limit
        )
        assert len(page["logStreams"]) == 1
        assert "nextToken" not in page


def test_trap_05_events_always_give_a_forward_token_which_at_the_end_stays(clients, cancer_job):
    (stream,) = clients.logs.describe_log_streams(
        logGroupName=TRAINING, logStreamNamePrefix=cancer_job["TrainingJobName"] + "/"
    )["logStreams"]
    where = {"logGroupName": TRAINING, "logStreamName": stream["logStreamName"], "startTime": 0, "startFromHead": True}
    page = clients.logs.get_log_events(**where)
    assert page["events"]
    while page["events"]:
        token = page["nextForwardToken"]
        page = clients.logs.get_log_events(nextToken=token, **where)
    assert page["nextForwardToken"] == token
    again = clients.logs.get_log_events(nextToken=token, **where)
    assert again["events"] == [] and again["nextForwardToken"] == token


def recordio(rows):
    """RecordIO-protobuf as the SDK's first-party estimators upload it: (label, features) as float32."""
    out = b""
    for label, features in rows:
        message = b""
        for field, values in ((1, features), (2, [label])):
            packed = struct.pack(f"<{len(values)}f", *values)
            tensor = b"\x0a" + bytes([len(packed)]) + packed  # values = 1
            value = b"\x12" + bytes([len(tensor)]) + tensor  # float32_tensor = 2
            entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
            message += bytes([field << 3 | 2, len(entry)]) + entry
        out += struct.pack("<II", 0xCED7230A, len(message)) + message + bytes(-len(message) % 4)
    return out


def test_trap_06_recordio_without_content_type_is_trained_on_or_refused_by_its_name(clients):
    """First-party estimators send such channels; they must never be read as something else."""
    uri = clients.put("recordio/matrix_0.pbr", recordio([(i % 2, [i, 1.5]) for i in range(200)]))
    request = jobs.training_request(clients, [jobs.csv_channel(uri, content_type=None)])
    try:
        clients.sagemaker.create_training_job(**request)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "ValidationException"
        told = refused.response["Error"]["Message"]
    else:
        job = jobs.await_job(clients, request["TrainingJobName"])
        if job["TrainingJobStatus"] == "Completed":
            return
        told = job["FailureReason"]
    assert "recordio" in told.lower()


def test_trap_06_xgboost_takes_a_channel_without_content_type_for_libsvm(clients):
    lines = []
    for line in data.breast_cancer().train_csv.splitlines():
        label, *features = line.split(",")
        lines.append(" ".join([label, *(f"{i}:{value}" for i, value in enumerate(features))]))
    uri = clients.put("libsvm/train.txt", "\n".join(lines) + "\n")
    job = jobs.train(
        clients,
        [jobs.csv_channel(uri, content_type=None)],
        predictor_type=None,
        hyperparameters={"epochs": None, "mini_batch_size": None, "num_round": "5", "objective": "binary:logistic"},
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
    )
    (logloss,) = [m["Value"] for m in job["FinalMetricDataList"] if m["MetricName"] == "train:logloss"]
    assert logloss < 0.3


def test_trap_06_a_manifest_sharded_by_key_on_one_host_is_the_whole_of_it(clients):
    cancer = data.breast_cancer()
    lines = cancer.train_csv.splitlines(keepends=True)
    for i in range(3):
        clients.put(f"manifest/part-{i}.csv", "".join(lines[i::3]))
    clients.put("manifest/left-out.csv", "this,is,not,to,be,read\n")
    manifest = clients.put(
        "manifest/list.json",
        json.dumps([{"prefix": f"s3://{clients.bucket}/manifest/"}, "part-0.csv", "part-1.csv", "part-2.csv"]),
    )
    channel = jobs.csv_channel(manifest)
    channel["DataSource"]["S3DataSource"].update(S3DataType="ManifestFile", S3DataDistributionType="ShardedByS3Key")
    job = jobs.train(clients, [channel], hyperparameters={"epochs": "10"})
    metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
    assert metrics["train:objective_loss"] < 0.5


def test_trap_07_media_types_with_parameters_and_none_at_all(clients, cancer_uri, cancer_endpoint):
    row = data.rows(data.breast_cancer().test_features[:1])
    expected = json.loads(jobs.invoke(clients, cancer_endpoint, row))
    for content_type, accept in (
        ("text/csv;label_size=0", "application/json; verbose=true"),
        ("text/csv; charset=utf-8", "application/json;charset=utf-8"),
        ("TEXT/CSV ; label_size=0", "Application/JSON"),
    ):
        assert json.loads(jobs.invoke(clients, cancer_endpoint, row, content_type, accept)) == expected
    # Neither header: botocore always sends a Content-Type of its own, so this one is by hand.
    with raw.Connection(raw.address_of(clients)) as connection:
        path = f"/endpoints/{cancer_endpoint}/invocations"
        connection.send(raw.request_bytes(clients, "POST", path, "sagemaker", {}, row.encode()))
        answer = connection.read()
    assert answer.status in (200, 424), answer
    if answer.status == 424:
        assert json.loads(answer.body)["OriginalStatusCode"] == 415
    else:
        assert json.loads(answer.body) == expected
    # And for training.
    job = jobs.train(
        clients,
        [jobs.csv_channel(cancer_uri, content_type="text/csv; label_size=1; charset=utf8")],
        hyperparameters={"epochs": "1"},
    )
    assert job["TrainingJobStatus"] == "Completed"


def test_trap_08_an_s3_uri_is_a_prefix_of_text_not_a_folder(clients):
    cancer = data.breast_cancer()
    lines = cancer.train_csv.splitlines(keepends=True)
    clients.put("prefix/t/a.csv", "".join(lines[0::2]))
    clients.put("prefix/tp/x.csv", "".join(lines[1::2]))
    both = jobs.train(clients, f"s3://{clients.bucket}/prefix/t", hyperparameters={"epochs": "1"})
    folder = jobs.train(clients, f"s3://{clients.bucket}/prefix/t/", hyperparameters={"epochs": "1"})
    one_object = jobs.train(clients, f"s3://{clients.bucket}/prefix/t/a.csv", hyperparameters={"epochs": "1"})

    def loss(job):
        return {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}["train:objective_loss"]

    assert loss(folder) == pytest.approx(loss(one_object))
    assert loss(both) != pytest.approx(loss(folder))


def test_trap_11_a_live_endpoint_survives_the_deletion_of_its_config_and_model(clients, cancer_job):
    name = jobs.deploy(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
    config = clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    variants = clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    clients.sagemaker.delete_model(ModelName=variants[0]["ModelName"])
    clients.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    seen = clients.sagemaker.describe_endpoint(EndpointName=name)
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", config)
    assert jobs.invoke(clients, name, data.rows(data.breast_cancer().test_features[:1]))
    jobs.delete_endpoint(clients, name)


def test_trap_12_a_configs_variants_can_be_sent_again_as_they_were_described(clients, cancer_job):
    name = jobs.deploy(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
    endpoint = clients.sagemaker.describe_endpoint(EndpointName=name)
    described = clients.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    clients.sagemaker.list_tags(ResourceArn=described["EndpointConfigArn"])
    fresh = jobs.create_config(clients, described["ProductionVariants"])
    clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
    assert clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == fresh
    jobs.delete_endpoint(clients, name)


def test_trap_13_an_endpoint_in_change_is_only_creating_or_updating(clients, cancer_job):
    artifact = cancer_job["ModelArtifacts"]["S3ModelArtifacts"]
    model = jobs.create_model(clients, artifact)
    configs = [jobs.create_config(clients, model) for _ in range(4)]
    name = jobs.unique("endpoint")
    seen = []

    def settled():
        seen.append(clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
        return seen[-1] not in ("Creating", "Updating")

    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configs[0])
    wait_for(settled, jobs.JOB_SECONDS, "creation to settle", every=0.002)
    for config in configs[1:]:
        clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        seen.append(clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
        wait_for(settled, jobs.JOB_SECONDS, "the update to settle", every=0.002)
    assert set(seen) <= {"Creating", "Updating", "InService"}
    jobs.delete_endpoint(clients, name)


def test_trap_14_names_of_newer_clients_are_accepted(clients, cancer_uri):
    """What the SDK sends in every job, and a member that no model has yet."""
    request = jobs.training_request(clients, cancer_uri, hyperparameters={"epochs": "1"})
    request["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] = True
    output = request["OutputDataConfig"]["S3OutputPath"]
    request["DebugHookConfig"] = {"S3OutputPath": output, "CollectionConfigurations": []}
    request["ProfilerConfig"] = {"S3OutputPath": output, "DisableProfiler": False}
    request["Tags"] = []
    request["MemberOfTheFuture"] = {"Depth": [1, {"More": True}]}
    request["ResourceConfig"]["AnotherOne"] = "x"
    with raw.Connection(raw.address_of(clients)) as connection:
        answer = connection.send(raw.json_call(clients, "CreateTrainingJob", request)).read()
    assert answer.status == 200, answer

    def ended():
        """By hand too: what no model knows comes back, and the check of answers would not have it."""
        with raw.Connection(raw.address_of(clients)) as connection:
            name = {"TrainingJobName": request["TrainingJobName"]}
            job = connection.send(raw.json_call(clients, "DescribeTrainingJob", name)).read().json()
        return job if job["TrainingJobStatus"] in jobs.TERMINAL else None

    job = wait_for(ended, jobs.JOB_SECONDS, "the job to end")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["DebugHookConfig"]["S3OutputPath"] == output
    assert job["ProfilerConfig"]["DisableProfiler"] is False


def test_trap_14_what_would_change_the_result_is_refused_by_name(clients, cancer_uri):
    for change, named in (
        ({"EnableManagedSpotTraining": True}, "managed spot training"),
        ({"DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}]}, "debugRuleConf"),
    ):
        request = jobs.training_request(clients, cancer_uri, **change)
        if "EnableManagedSpotTraining" in change:
            request["StoppingCondition"]["MaxWaitTimeInSeconds"] = 7200
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.create_training_job(**request)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert named in refused.value.response["Error"]["Message"]


def test_trap_15_every_list_takes_filter_sort_and_page(clients, cancer_job, cancer_endpoint):
    endpoint = clients.sagemaker.describe_endpoint(EndpointName=cancer_endpoint)
    for call, key, query in (
        ("list_training_jobs", "TrainingJobSummaries", {"StatusEquals": "Completed"}),
        ("list_models", "Models", {}),
        ("list_endpoint_configs", "EndpointConfigs", {}),
        ("list_endpoints", "Endpoints", {"StatusEquals": "InService"}),
    ):
        for sort in ("Name", "CreationTime"):
            for order in ("Ascending", "Descending"):
                page = getattr(clients.sagemaker, call)(
                    SortBy=sort,
                    SortOrder=order,
                    MaxResults=1,
                    NameContains="-",
                    CreationTimeAfter=endpoint["CreationTime"].replace(year=2020),
                    CreationTimeBefore=endpoint["CreationTime"].replace(year=2120),
                    **query,
                )
                assert len(page[key]) == 1, (call, sort, order)
