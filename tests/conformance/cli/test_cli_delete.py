"""`argosy delete ENDPOINT` beside other endpoints: what they use stays, and it says so."""

import pytest

from harness import jobs


@pytest.fixture
def shared(clients, cancer_job):
    """(model, config) of an endpoint that lasts as long as the test."""
    model = jobs.create_model(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
    config = jobs.create_config(clients, [jobs.variant(model)])
    name = jobs.unique("stays")
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
    yield model, config, name
    jobs.delete_endpoint(clients, name)


def delete(server, clients, config):
    """What `argosy delete` says of an endpoint made of `config`."""
    name = jobs.unique("goes")
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    jobs.await_endpoint(clients, name)
    done = server.argosy("delete", name)
    assert done.code == 0, done
    assert name not in jobs.endpoint_names(clients)
    return done.err


def test_a_config_of_another_endpoint_is_kept_with_its_model(server, clients, shared):
    model, config, other = shared
    said = delete(server, clients, config)
    assert f"endpoint config {config} is kept: endpoint {other} uses it" in said
    assert f"model {model} is kept: endpoint config {config} names it" in said
    clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    clients.sagemaker.describe_model(ModelName=model)


def test_a_model_of_another_config_is_kept_and_the_rest_goes(server, clients, shared, cancer_job):
    model, config, _ = shared
    own = jobs.create_model(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
    mixed = jobs.create_config(clients, [jobs.variant(model, "Shared"), jobs.variant(own, "Own")])
    said = delete(server, clients, mixed)
    assert f"model {model} is kept: endpoint config {config} names it" in said and own not in said
    clients.sagemaker.describe_model(ModelName=model)
    assert not clients.sagemaker.list_models(NameContains=own)["Models"]
    assert not clients.sagemaker.list_endpoint_configs(NameContains=mixed)["EndpointConfigs"]
