"""Errors that client code matches on, word for word; AWS's validation messages; operations that are not there."""

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

from harness import jobs, raw
from harness.clients import CONFIG


@pytest.fixture(scope="module")
def unchecked(shared_clients):
    """A client that sends what it is told without checking it first."""
    config = CONFIG.merge(botocore.config.Config(parameter_validation=False))
    return shared_clients.client("sagemaker", config=config)


def error_of(call, **members):
    with pytest.raises(ClientError) as refused:
        call(**members)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


class TestTextsThatClientsMatch:
    @pytest.mark.parametrize(
        ("call", "member"),
        [
            ("describe_model", "ModelName"),
            ("delete_model", "ModelName"),
            ("describe_endpoint", "EndpointName"),
            ("delete_endpoint", "EndpointName"),
            ("describe_endpoint_config", "EndpointConfigName"),
            ("delete_endpoint_config", "EndpointConfigName"),
        ],
    )
    def test_could_not_find(self, sagemaker, call, member):
        code, text = error_of(getattr(sagemaker, call), **{member: "never-was"})
        assert code == "ValidationException"
        assert "Could not find" in text
        assert "never-was" in text

    def test_requested_resource_not_found(self, sagemaker):
        code, text = error_of(sagemaker.describe_training_job, TrainingJobName="never-was")
        assert (code, text) == ("ValidationException", "Requested resource not found.")

    def test_cannot_create_already_existing_model(self, clients, cancer_job):
        artifact = cancer_job["ModelArtifacts"]["S3ModelArtifacts"]
        name = jobs.create_model(clients, artifact)
        with pytest.raises(ClientError) as refused:
            jobs.create_model(clients, artifact, name=name)
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert "Cannot create already existing model" in error["Message"]

    def test_cannot_create_already_existing_config_and_endpoint(self, clients, cancer_endpoint):
        config = clients.sagemaker.describe_endpoint(EndpointName=cancer_endpoint)["EndpointConfigName"]
        variants = clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        code, text = error_of(
            clients.sagemaker.create_endpoint_config, EndpointConfigName=config, ProductionVariants=variants
        )
        assert code == "ValidationException" and "Cannot create already existing endpoint configuration" in text
        code, text = error_of(
            clients.sagemaker.create_endpoint, EndpointName=cancer_endpoint, EndpointConfigName=config
        )
        assert code == "ValidationException" and "Cannot create already existing endpoint" in text

    def test_stop_of_a_finished_job(self, sagemaker, cancer_job):
        code, _ = error_of(sagemaker.stop_training_job, TrainingJobName=cancer_job["TrainingJobName"])
        assert code == "ValidationException"

    def test_a_missing_bucket_is_404_on_head(self, s3):
        code, _ = error_of(s3.head_bucket, Bucket="never-was-such-a-bucket")
        assert code == "404"


class TestValidation:
    """The form of the real service: `n validation error(s) detected: Value … at '…' failed to satisfy constraint: …`."""

    def test_a_pattern(self, unchecked):
        code, text = error_of(unchecked.describe_training_job, TrainingJobName="not a name")
        assert code == "ValidationException"
        assert text.startswith(
            "1 validation error detected: Value 'not a name' at 'trainingJobName' failed to satisfy "
        )
        assert "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}" in text

    def test_a_length(self, unchecked):
        code, text = error_of(unchecked.describe_endpoint, EndpointName="a" * 64)
        assert code == "ValidationException"
        assert (
            "at 'endpointName' failed to satisfy constraint: Member must have length less than or equal to 63" in text
        )

    def test_a_range(self, unchecked):
        code, text = error_of(unchecked.list_training_jobs, MaxResults=101)
        assert code == "ValidationException"
        assert (
            "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"
            in text
        )
        code, text = error_of(unchecked.list_endpoints, MaxResults=0)
        assert (
            "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"
            in text
        )

    def test_an_enumeration(self, unchecked):
        code, text = error_of(unchecked.list_training_jobs, SortOrder="Sideways")
        assert code == "ValidationException"
        assert (
            "Value 'Sideways' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: ["
            in text
        )
        assert "Ascending" in text and "Descending" in text

    def test_a_missing_member(self, unchecked):
        code, text = error_of(unchecked.describe_model)
        assert code == "ValidationException"
        assert "Value null at 'modelName' failed to satisfy constraint: Member must not be null" in text

    def test_several_at_once_deep_inside(self, unchecked, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri)
        request["ResourceConfig"]["InstanceCount"] = 0
        del request["StoppingCondition"]
        del request["RoleArn"]
        code, text = error_of(unchecked.create_training_job, **request)
        assert code == "ValidationException"
        assert "validation errors detected" in text
        assert "'resourceConfig.instanceCount'" in text
        assert "'roleArn'" in text

    def test_an_instance_type_that_sagemaker_does_not_know(self, unchecked, clients, cancer_uri):
        request = jobs.training_request(clients, cancer_uri)
        request["ResourceConfig"]["InstanceType"] = "ml.nothing.huge"
        code, text = error_of(unchecked.create_training_job, **request)
        assert code == "ValidationException"
        assert "'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum value set" in text

    def test_a_wrong_type_is_a_serialization_error(self, clients, server):
        with raw.Connection(server.address) as connection:
            answer = connection.send(raw.json_call(clients, "DescribeTrainingJob", {"TrainingJobName": [1]})).read()
        assert answer.status == 400
        assert answer.json()["__type"] == "SerializationException"

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"TrainingJobName": "a" "b"}', b"[" * 5000]
    )
    def test_a_body_that_is_no_object(self, clients, server, body):
        with raw.Connection(server.address) as connection:
            answer = connection.send(raw.json_call(clients, "DescribeTrainingJob", body)).read()
        assert answer.status == 400
        assert answer.json()["__type"] in ("SerializationException", "ValidationException")


class TestOperationsThatAreNotThere:
    def test_sagemaker_names_it(self, sagemaker):
        code, text = error_of(sagemaker.list_pipelines)
        assert code == "UnknownOperationException"
        assert "ListPipelines" in text

    def test_logs_names_it(self, logs):
        code, text = error_of(logs.describe_queries)
        assert code == "UnknownOperationException"
        assert "DescribeQueries" in text

    def test_one_that_no_model_has(self, clients, server):
        with raw.Connection(server.address) as connection:
            answer = connection.send(raw.json_call(clients, "MakeCoffee", {})).read()
        assert answer.status in (400, 404)
        assert answer.json()["__type"] == "UnknownOperationException"
        assert "MakeCoffee" in answer.json()["message"]
        assert answer.headers["x-amzn-requestid"]

    def test_another_service_is_refused_clearly(self, clients):
        other = boto3.client(
            "dynamodb",
            endpoint_url=clients.endpoint,
            region_name=clients.region,
            aws_access_key_id=clients.exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=clients.exports["AWS_SECRET_ACCESS_KEY"],
            config=CONFIG,
        )
        code, text = error_of(other.list_tables)
        assert code == "UnknownOperationException"
        assert "ListTables" in text
