"""What somebody with SageMaker code has; test_sdk_v2.py runs it as it stands. Argosy's address, keys and role come from
`eval "$(argosy env)"`; the bucket is named because the SDK would ask AWS's own STS for a default one."""

import os
import sys

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

bucket, csv_file, image = sys.argv[1:]
session = sagemaker.Session(default_bucket=bucket)
train = session.upload_data(csv_file, key_prefix="ten-lines")
estimator = Estimator(image_uri=image, role=os.environ["ARGOSY_ROLE"], instance_count=1, instance_type="ml.m5.large",
                      sagemaker_session=session, hyperparameters={"predictor_type": "binary_classifier", "epochs": 5, "mini_batch_size": 50})  # fmt: skip
estimator.fit({"train": TrainingInput(train, content_type="text/csv")})
predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer())
row = open(csv_file).readline().split(",")[1:]
print("ANSWER", predictor.predict(",".join(row)))
predictor.delete_model()
predictor.delete_endpoint()
