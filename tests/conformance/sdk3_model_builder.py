"""A user of the SageMaker Python SDK v3 who deploys the artifact of a built-in algorithm with ModelBuilder: its image
and artifact are given, so that it has nothing to guess. Arguments: bucket, image, artifact, a row of CSV. The word TOLD
and what came of it end the output."""

import json
import os
import sys
import uuid

from sagemaker.core.helper.session_helper import Session
from sagemaker.serve import ModelBuilder

bucket, image, artifact, row = sys.argv[1:]
builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=artifact,
    role_arn=os.environ["ARGOSY_ROLE"],
    instance_type="ml.m5.large",
    sagemaker_session=Session(default_bucket=bucket),
)
name = f"v3-builder-{uuid.uuid4().hex[:8]}"
model = builder.build(model_name=name)
endpoint = builder.deploy(endpoint_name=name, initial_instance_count=1, instance_type="ml.m5.large")
answer = endpoint.invoke(body=row, content_type="text/csv", accept="application/json")
told = {
    "model": model.model_name,
    "artifact": model.primary_container.model_data_url,
    "endpoint": endpoint.endpoint_name,
    "status": endpoint.endpoint_status,
    "answer": json.loads(answer.body.read()),
}
endpoint.delete()
endpoint.wait_for_delete()
model.delete()
print("TOLD", json.dumps(told))
