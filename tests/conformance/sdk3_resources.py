"""A user of the SageMaker Python SDK v3 who serves with its resource classes: a model, its config, an endpoint; asks
it, updates it to another config, and takes all of it down. Arguments: image, artifact, a row of CSV. The word
TOLD and what came of it end the output."""

import json
import os
import sys
import uuid

from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant

image, artifact, row = sys.argv[1:]
name = f"v3-resources-{uuid.uuid4().hex[:8]}"


def config_of(model, config_name, count):
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name=model.model_name,
        initial_instance_count=count,
        instance_type="ml.m5.large",
    )
    return EndpointConfig.create(endpoint_config_name=config_name, production_variants=[variant])


def ask(endpoint):
    answer = endpoint.invoke(body=row, content_type="text/csv", accept="application/json")
    return json.loads(answer.body.read())


model = Model.create(
    model_name=name,
    primary_container=ContainerDefinition(image=image, model_data_url=artifact, environment={}),
    execution_role_arn=os.environ["ARGOSY_ROLE"],
)
first, second = config_of(model, f"{name}-1", 1), config_of(model, f"{name}-2", 2)
endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=first.endpoint_config_name)
endpoint.wait_for_status("InService")
told = {"image": model.primary_container.image, "before": ask(endpoint)}

endpoint.endpoint_config_name = second.endpoint_config_name
endpoint.update()
endpoint.wait_for_status("InService")
endpoint.refresh()
told["after"] = ask(endpoint)
told["config"] = endpoint.endpoint_config_name == second.endpoint_config_name
told["instances"] = endpoint.production_variants[0].current_instance_count
told["listed"] = [e.endpoint_name for e in Endpoint.get_all(name_contains=name, status_equals="InService")]

endpoint.delete()
endpoint.wait_for_delete()
for thing in (first, second, model):
    thing.delete()
told["left"] = [e.endpoint_name for e in Endpoint.get_all(name_contains=name)]
told["left"] += [m.model_name for m in Model.get_all(name_contains=name)]
told["left"] += [c.endpoint_config_name for c in EndpointConfig.get_all(name_contains=name)]
print("TOLD", json.dumps(told))
