"""A user of the SageMaker Python SDK v3 who would have a script of their own trained. Arguments: bucket, image, folder
of train.py, CSV. The word TOLD and how it was refused end the output."""

import json
import os
import sys

from botocore.exceptions import ClientError
from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

bucket, image, folder, csv_file = sys.argv[1:]
trainer = ModelTrainer(
    sagemaker_session=Session(default_bucket=bucket),
    training_image=image,
    role=os.environ["ARGOSY_ROLE"],
    base_job_name="v3-source",
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    source_code=SourceCode(source_dir=folder, entry_script="train.py"),
)
try:
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=csv_file)])
except ClientError as refused:
    error = refused.response["Error"]
    print("TOLD", json.dumps({"code": error["Code"], "message": error["Message"]}))
