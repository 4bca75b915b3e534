"""A user of the SageMaker Python SDK v3 who trains a built-in algorithm on files of this machine: ModelTrainer uploads
them, waits, and shows the job's log. Arguments: bucket, image, CSV for training, CSV for validation. The word TOLD and
what came of it end the output."""

import json
import logging
import os
import sys

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition

logging.basicConfig(level=logging.INFO, format="%(message)s")  # where the SDK shows the job's log
bucket, image, train, validation = sys.argv[1:]
trainer = ModelTrainer(
    sagemaker_session=Session(default_bucket=bucket),
    training_image=image,
    role=os.environ["ARGOSY_ROLE"],
    base_job_name="v3-trainer",
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/v3-models"),
    hyperparameters={"predictor_type": "binary_classifier", "epochs": 5, "mini_batch_size": 50},
)
channels = [
    InputData(channel_name="train", data_source=train, content_type="text/csv"),
    InputData(channel_name="validation", data_source=validation, content_type="text/csv"),
]
trainer.train(input_data_config=channels)

job = TrainingJob.get(trainer._latest_training_job.training_job_name)
told = {
    "name": job.training_job_name,
    "status": job.training_job_status,
    "artifact": job.model_artifacts.s3_model_artifacts,
    "hyperparameters": job.hyper_parameters,
    "metrics": {m.metric_name: m.value for m in job.final_metric_data_list},
    "channels": {c.channel_name: c.data_source.s3_data_source.s3_uri for c in job.input_data_config},
    "listed": [j.training_job_name for j in TrainingJob.get_all(name_contains=job.training_job_name)],
}
print("TOLD", json.dumps(told))
