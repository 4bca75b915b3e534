"""Models, endpoint configs and endpoints through boto3."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs
from harness.processes import agents, alive, wait_for


@pytest.fixture(scope="module")
def artifact(cancer_job):
    return cancer_job["ModelArtifacts"]["S3ModelArtifacts"]


def row():
    return data.rows(data.breast_cancer().test_features[:1])


def error_of(call, **members):
    with pytest.raises(ClientError) as refused:
        call(**members)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


class TestModels:
    def test_describe_gives_back_what_was_sent(self, clients, artifact):
        name = jobs.create_model(clients, artifact)
        model = clients.sagemaker.describe_model(ModelName=name)
        assert model["ModelName"] == name
        assert model["PrimaryContainer"]["Image"] == jobs.LINEAR_LEARNER
        assert model["PrimaryContainer"]["ModelDataUrl"] == artifact
        assert model["ExecutionRoleArn"] == clients.role
        assert model["ModelArn"].endswith(f":model/{name.lower()}")
        assert model["CreationTime"]

    def test_list_and_delete(self, clients, artifact):
        name = jobs.create_model(clients, artifact)
        listed = clients.sagemaker.list_models(NameContains=name)["Models"]
        assert [m["ModelName"] for m in listed] == [name]
        clients.sagemaker.delete_model(ModelName=name)
        assert clients.sagemaker.list_models(NameContains=name)["Models"] == []
        code, text = error_of(clients.sagemaker.describe_model, ModelName=name)
        assert (code, "Could not find" in text) == ("ValidationException", True)

    def test_a_deleted_models_name_can_be_used_again(self, clients, artifact):
        name = jobs.create_model(clients, artifact)
        clients.sagemaker.delete_model(ModelName=name)
        assert jobs.create_model(clients, artifact, name=name) == name


class TestOrder:
    def test_without_a_word_the_newest_come_first(self, clients, artifact):
        mark = jobs.unique("order")
        models = [jobs.create_model(clients, artifact, name=f"{mark}-{i}") for i in range(3)]
        assert [m["ModelName"] for m in clients.sagemaker.list_models(NameContains=mark)["Models"]] == models[::-1]
        configs = [jobs.create_config(clients, [jobs.variant(m)], name=m) for m in models]
        listed = clients.sagemaker.list_endpoint_configs(NameContains=mark)["EndpointConfigs"]
        assert [c["EndpointConfigName"] for c in listed] == configs[::-1]
        for config in configs[:2]:
            clients.sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
        listed = clients.sagemaker.list_endpoints(NameContains=mark)["Endpoints"]
        assert [e["EndpointName"] for e in listed] == configs[1::-1]
        for config in configs[:2]:
            jobs.await_endpoint(clients, config)
            jobs.delete_endpoint(clients, config)


class TestConfigs:
    def test_describe_gives_back_what_was_sent(self, clients, artifact):
        model = jobs.create_model(clients, artifact)
        variants = [jobs.variant(model, name="one", weight=2.0), jobs.variant(model, name="two", count=2)]
        name = jobs.create_config(clients, variants)
        config = clients.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        assert config["EndpointConfigName"] == name
        assert config["ProductionVariants"] == variants
        assert config["EndpointConfigArn"].endswith(f":endpoint-config/{name.lower()}")

    def test_list_and_delete(self, clients, artifact):
        name = jobs.create_config(clients, jobs.create_model(clients, artifact))
        listed = clients.sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        assert [c["EndpointConfigName"] for c in listed] == [name]
        clients.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        assert clients.sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"] == []

    def test_a_model_that_is_not_there_is_refused(self, clients):
        code, text = error_of(
            clients.sagemaker.create_endpoint_config,
            EndpointConfigName=jobs.unique("config"),
            ProductionVariants=[jobs.variant("no-such-model")],
        )
        assert code == "ValidationException"
        assert "Could not find model" in text and "no-such-model" in text


class TestEndpoints:
    def test_from_creation_to_deletion(self, clients, artifact):
        name = jobs.unique("endpoint")
        config = jobs.create_config(clients, jobs.create_model(clients, artifact))
        made = clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        assert made["EndpointArn"].endswith(f":endpoint/{name.lower()}")
        clients.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=jobs.WAITER)
        endpoint = clients.sagemaker.describe_endpoint(EndpointName=name)
        assert endpoint["EndpointStatus"] == "InService"
        assert endpoint["EndpointConfigName"] == config
        assert endpoint["CreationTime"] <= endpoint["LastModifiedTime"]
        (variant,) = endpoint["ProductionVariants"]
        assert variant["VariantName"] == "AllTraffic"
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
        assert variant["CurrentWeight"] == variant["DesiredWeight"] == 1.0
        assert json.loads(jobs.invoke(clients, name, row()))["predictions"]
        clients.sagemaker.delete_endpoint(EndpointName=name)
        clients.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=jobs.WAITER)
        code, text = error_of(clients.sagemaker.describe_endpoint, EndpointName=name)
        assert (code, "Could not find" in text) == ("ValidationException", True)
        code, text = error_of(clients.runtime.invoke_endpoint, EndpointName=name, Body=b"1")
        assert code == "ValidationError"

    def test_in_service_means_that_it_answers(self, clients, artifact):
        """The first Describe that says InService is followed at once by an invocation, many times over."""
        model = jobs.create_model(clients, artifact)
        config = jobs.create_config(clients, model)
        for _ in range(5):
            name = jobs.unique("endpoint")
            clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
            assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
            assert json.loads(jobs.invoke(clients, name, row()))["predictions"]
            clients.sagemaker.delete_endpoint(EndpointName=name)

    def test_list_filters_and_sorts(self, clients, cancer_endpoint):
        listed = clients.sagemaker.list_endpoints(NameContains=cancer_endpoint, StatusEquals="InService")["Endpoints"]
        assert [e["EndpointName"] for e in listed] == [cancer_endpoint]
        assert clients.sagemaker.list_endpoints(NameContains=cancer_endpoint, StatusEquals="Failed")["Endpoints"] == []
        names = [
            e["EndpointName"]
            for e in clients.sagemaker.list_endpoints(SortBy="Name", SortOrder="Ascending")["Endpoints"]
        ]
        assert names == sorted(names)

    def test_two_instances_both_answer_and_are_counted(self, clients, artifact):
        name = jobs.deploy(clients, artifact, count=2)
        (variant,) = clients.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 2
        for _ in range(20):
            assert json.loads(jobs.invoke(clients, name, row()))["predictions"]
        jobs.delete_endpoint(clients, name)

    def test_an_artifact_that_is_none_fails_the_endpoint_with_a_reason(self, clients):
        broken = clients.put("broken/model.tar.gz", b"this is no archive")
        name = jobs.unique("endpoint")
        config = jobs.create_config(clients, jobs.create_model(clients, broken))
        clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        endpoint = jobs.await_endpoint(clients, name)
        assert endpoint["EndpointStatus"] == "Failed"
        assert endpoint["FailureReason"]
        jobs.delete_endpoint(clients, name)

    def test_an_artifact_that_is_not_there_is_reported(self, clients):
        missing = f"s3://{clients.bucket}/no/model.tar.gz"
        name = jobs.unique("endpoint")
        try:
            config = jobs.create_config(clients, jobs.create_model(clients, missing))
            clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "ValidationException"
            assert "no/model.tar.gz" in refused.response["Error"]["Message"]
            return
        endpoint = jobs.await_endpoint(clients, name)
        assert endpoint["EndpointStatus"] == "Failed"
        assert "no/model.tar.gz" in endpoint["FailureReason"]
        jobs.delete_endpoint(clients, name)

    def test_deletion_ends_the_instances(self, server, clients, artifact):
        name = jobs.deploy(clients, artifact)
        pids = _pids_of(server, name)
        assert len(pids) == 1
        jobs.delete_endpoint(clients, name)
        wait_for(lambda: not any(alive(p) for p in pids), jobs.JOB_SECONDS, "the deleted endpoint's instance to end")

    def test_a_name_can_be_used_again_after_deletion(self, clients, artifact):
        name = jobs.deploy(clients, artifact)
        jobs.delete_endpoint(clients, name)
        assert jobs.deploy(clients, artifact, name=name) == name
        jobs.delete_endpoint(clients, name)

    def test_an_unknown_config_is_refused(self, clients):
        code, text = error_of(
            clients.sagemaker.create_endpoint, EndpointName=jobs.unique("e"), EndpointConfigName="no-such-config"
        )
        assert code == "ValidationException"
        assert "Could not find endpoint configuration" in text and "no-such-config" in text


def _pids_of(server, endpoint):
    """Pids of the agents that serve the endpoint: at least one, since they say who they are beside their work."""

    def serves(instance):
        return endpoint in (server.data_dir / "instances" / instance / "assignment.json").read_text()

    return wait_for(
        lambda: {a["pid"] for i, a in agents(server.data_dir).items() if serves(i)}, 30, f"agents of {endpoint}"
    )


class TestUpdates:
    def test_a_new_fleet_comes_first_and_no_request_is_refused_meanwhile(self, server, clients, cancer_uri, artifact):
        other = jobs.train(clients, cancer_uri, hyperparameters={"epochs": "1"})["ModelArtifacts"]["S3ModelArtifacts"]
        name = jobs.deploy(clients, artifact)
        old_pids = _pids_of(server, name)
        before = jobs.invoke(clients, name, row())
        stop, answers, refused = threading.Event(), [], []
        ask = clients.client("sagemaker-runtime")

        def keep_asking():
            while not stop.is_set():
                try:
                    reply = ask.invoke_endpoint(
                        EndpointName=name, Body=row(), ContentType="text/csv", Accept="application/json"
                    )
                    answers.append(reply["Body"].read())
                except Exception as failure:
                    refused.append(failure)
                    return

        asker = threading.Thread(target=keep_asking)
        asker.start()
        try:
            config = jobs.create_config(clients, jobs.create_model(clients, other))
            clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
            seen = clients.sagemaker.describe_endpoint(EndpointName=name)
            assert seen["EndpointStatus"] in ("Updating", "InService")
            clients.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=jobs.WAITER)
            after = clients.sagemaker.describe_endpoint(EndpointName=name)
            assert after["EndpointConfigName"] == config
            wait_for(lambda: answers and answers[-1] != before or refused, 30, "an answer of the new model")
        finally:
            stop.set()
            asker.join()
        assert not refused
        assert set(answers) == {before, answers[-1]}, "an answer that is of neither model"
        switch = answers.index(answers[-1])
        assert before not in answers[switch:], "the old model answered after the switch"
        wait_for(lambda: not any(alive(p) for p in old_pids), jobs.JOB_SECONDS, "the old fleet to end")
        jobs.delete_endpoint(clients, name)

    def test_an_update_that_fails_leaves_the_old_fleet_answering(self, clients, artifact):
        name = jobs.deploy(clients, artifact)
        before = jobs.invoke(clients, name, row())
        config = clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        broken = clients.put("broken-update/model.tar.gz", b"no archive")
        bad = jobs.create_config(clients, jobs.create_model(clients, broken))
        clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)

        def settled():
            seen = clients.sagemaker.describe_endpoint(EndpointName=name)
            return seen if seen["EndpointStatus"] not in ("Updating", "RollingBack") else None

        seen = wait_for(settled, jobs.JOB_SECONDS, "the failed update to settle")
        # SageMaker: "Failed" is for a creation; a failed update goes back to InService on the old configuration, with
        # the reason told.
        assert seen["EndpointStatus"] == "InService"
        assert seen["EndpointConfigName"] == config
        assert seen["FailureReason"]
        assert jobs.invoke(clients, name, row()) == before
        jobs.delete_endpoint(clients, name)

    def test_an_unknown_config_is_refused_and_nothing_changes(self, clients, cancer_endpoint):
        before = clients.sagemaker.describe_endpoint(EndpointName=cancer_endpoint)
        code, text = error_of(
            clients.sagemaker.update_endpoint, EndpointName=cancer_endpoint, EndpointConfigName="no-such-config"
        )
        assert code == "ValidationException" and "Could not find" in text
        after = clients.sagemaker.describe_endpoint(EndpointName=cancer_endpoint)
        assert after["EndpointConfigName"] == before["EndpointConfigName"]
        assert after["EndpointStatus"] == "InService"

    def test_an_unknown_endpoint_is_refused(self, clients, artifact):
        config = jobs.create_config(clients, jobs.create_model(clients, artifact))
        code, text = error_of(clients.sagemaker.update_endpoint, EndpointName="never-was", EndpointConfigName=config)
        assert code == "ValidationException" and "Could not find" in text


class TestVariants:
    def test_weights_share_the_requests_out(self, clients, artifact):
        model = jobs.create_model(clients, artifact)
        config = jobs.create_config(
            clients, [jobs.variant(model, name="most", weight=3.0), jobs.variant(model, name="some", weight=1.0)]
        )
        name = jobs.unique("endpoint")
        clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
        served = {"most": 0, "some": 0}
        for _ in range(400):
            reply = clients.runtime.invoke_endpoint(EndpointName=name, Body=row(), ContentType="text/csv")
            served[reply["InvokedProductionVariant"]] += 1
            reply["Body"].read()
        assert 250 <= served["most"] <= 350  # 300 expected; five standard deviations of a fair draw
        for target in served:
            reply = clients.runtime.invoke_endpoint(
                EndpointName=name, Body=row(), ContentType="text/csv", TargetVariant=target
            )
            assert reply["InvokedProductionVariant"] == target
        code, _ = error_of(
            clients.runtime.invoke_endpoint, EndpointName=name, Body=row(), ContentType="text/csv", TargetVariant="none"
        )
        assert code == "ValidationError"
        jobs.delete_endpoint(clients, name)
