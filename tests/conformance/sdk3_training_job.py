"""A user of the SageMaker Python SDK v3 who trains with its resource class: one job to its end, another that is updated
and stopped, both tagged, listed and deleted. Arguments: bucket, image, s3:// of the CSV. The word TOLD and what came of
it end the output."""

import json
import os
import sys
import uuid

from sagemaker.core.resources import Tag, TrainingJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    DataSource,
    OutputDataConfig,
    ProfilerConfigForUpdate,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
)

bucket, image, uri = sys.argv[1:]
prefix = f"v3-job-{uuid.uuid4().hex[:8]}"


def create(name, **hyper_parameters):
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    return TrainingJob.create(
        training_job_name=f"{prefix}-{name}",
        role_arn=os.environ["ARGOSY_ROLE"],
        algorithm_specification=AlgorithmSpecification(training_image=image, training_input_mode="File"),
        hyper_parameters={"predictor_type": "binary_classifier", "mini_batch_size": "50", **hyper_parameters},
        input_data_config=[
            Channel(channel_name="train", content_type="text/csv", data_source=DataSource(s3_data_source=source))
        ],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/v3-jobs"),
        resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        tags=[{"key": "from", "value": "v3"}],
    )


job = create("short", epochs="2")
job.wait(poll=1)
long = create("long", epochs="1000000", early_stopping_patience="1000000")
long.update(profiler_config=ProfilerConfigForUpdate(disable_profiler=True))
Tag.add_tags(resource_arn=job.training_job_arn, tags=[{"key": "kept", "value": "yes"}])
told = {
    "status": job.training_job_status,
    "transitions": [t.status for t in job.secondary_status_transitions],
    "tags": {t.key: t.value for t in Tag.get_all(resource_arn=job.training_job_arn)},
    "profiler": long.refresh().profiler_config.disable_profiler,
    "running": [j.training_job_name for j in TrainingJob.get_all(name_contains=prefix, status_equals="InProgress")],
    "newest": [j.training_job_name for j in TrainingJob.get_all(name_contains=prefix, sort_order="Descending")],
}
long.stop()
long.wait(poll=1)
told["stopped"] = long.training_job_status
for each in (job, long):
    each.delete()
told["left"] = [j.training_job_name for j in TrainingJob.get_all(name_contains=prefix)]
told["prefix"] = prefix
print("TOLD", json.dumps(told))
