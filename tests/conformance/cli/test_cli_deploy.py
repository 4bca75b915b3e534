"""`argosy deploy` and `argosy delete`: what an endpoint is made of goes with it, and a refusal leaves nothing."""

import json

from harness import data, jobs
from harness.cli import ok


class TestDeploy:
    def test_an_endpoint_is_switched_to_another_model_and_deleted(self, server, clients, trained, files):
        name = jobs.unique("switched")
        job = trained[0]["TrainingJobName"]
        ok(server.argosy("deploy", job, "--name", name))
        other = json.loads(ok(server.argosy("train", files / "parts", "--set", "epochs=1", "--json")).out)
        before = ok(server.argosy("predict", name, files / "rows.csv", "--json")).out
        ok(server.argosy("deploy", other["TrainingJobName"], "--name", name))
        assert ok(server.argosy("predict", name, files / "rows.csv", "--json")).out != before
        ok(server.argosy("delete", name))
        assert name not in jobs.endpoint_names(clients)
        assert server.argosy("predict", name, files / "rows.csv").code == 1

    def test_what_each_deploy_made_goes_with_the_endpoint(self, server, clients, trained):
        name, other = jobs.unique("thrice"), jobs.unique("kept")
        for endpoint in (name, name, name, f"{name}-2", other):
            ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", endpoint))

        def made(endpoint):
            named = {"NameContains": endpoint}
            models = clients.sagemaker.list_models(**named)["Models"]
            configs = clients.sagemaker.list_endpoint_configs(**named)["EndpointConfigs"]
            return [m["ModelName"] for m in models], [c["EndpointConfigName"] for c in configs]

        assert list(map(len, made(name))) == [4, 4]
        ok(server.argosy("delete", name))
        assert made(name) == made(f"{name}-2") and list(map(len, made(name))) == [1, 1]
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", other))
        ok(server.argosy("delete", other, "--keep-model"))
        assert list(map(len, made(other))) == [2, 0]
        ok(server.argosy("delete", f"{name}-2"))

    def test_more_than_one_page_of_its_models_goes_with_the_endpoint(self, server, clients, trained):
        """Models of other days, named as `deploy` names them; a page of ListModels holds at most 100."""
        name = jobs.unique("often")
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name))
        described = clients.sagemaker.list_models(NameContains=name, SortBy="CreationTime")["Models"]
        container = clients.sagemaker.describe_model(ModelName=described[0]["ModelName"])["PrimaryContainer"]
        for n in range(120):
            clients.sagemaker.create_model(
                ModelName=f"{name}-20240501-123456-{n:03}",
                PrimaryContainer={key: container[key] for key in ("Image", "ModelDataUrl")},
                ExecutionRoleArn="arn:aws:iam::000000000000:role/any",
            )
        ok(server.argosy("delete", name))
        left = clients.sagemaker.list_models(NameContains=name)["Models"]
        assert [m["ModelName"] for m in left] == [], "all but what the job itself is named after"

    def test_a_local_artifact_is_deployed(self, server, clients, trained, files, tmp_path):
        artifact = tmp_path / "my-model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        name = jobs.unique("local")
        ok(server.argosy("deploy", artifact, "--name", name))
        ok(server.argosy("predict", name, files / "rows.csv"))
        ok(server.argosy("delete", name))

    def test_several_instances(self, server, clients, trained):
        name = jobs.unique("pair")
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name, "--instances", "2"))
        variant = clients.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]
        assert variant["CurrentInstanceCount"] == 2
        ok(server.argosy("delete", name))

    def test_deploying_a_file_sees_what_made_it(self, server, clients, tmp_path):
        table = tmp_path / "features.csv"
        table.write_text(data.rows(data.digits().features[:300]))
        job = json.loads(ok(server.argosy("train", table, "--algorithm", "pca", "--set", "num_components=2", "--json")).out)
        artifact = tmp_path / "reduced.tar.gz"
        artifact.write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        name = jobs.unique("reduced")
        ok(server.argosy("deploy", artifact, "--name", name))
        assert "projection" in ok(server.argosy("predict", name, table, "--json")).out
        ok(server.argosy("delete", name))
        refused = server.argosy("deploy", table, "--name", name)
        assert refused.code == 1 and "features.csv" in refused.err and "model.tar.gz" in refused.err
        assert name not in jobs.endpoint_names(clients)


class TestRefusals:
    def test_a_refused_deploy_leaves_nothing(self, server, clients, trained):
        refused = server.argosy("deploy", trained[0]["TrainingJobName"], "--name", "has a blank")
        assert refused.code == 1
        assert clients.sagemaker.list_models(NameContains="has-a-blank")["Models"] == []
        assert clients.sagemaker.list_endpoint_configs(NameContains="has-a-blank")["EndpointConfigs"] == []

    def test_a_fleet_that_can_never_fit_is_refused_at_once(self, start_server, files):
        server = start_server("--hosts-max", "2")
        name = json.loads(ok(server.argosy("train", files / "cancer.csv", "--json")).out)["TrainingJobName"]
        refused = server.argosy("deploy", name, "--name", "many", "--instances", "3")
        assert refused.code != 0 and "--hosts-max allows 2" in refused.err
