"""A model of a framework and its script, deployed by the class that the SDK has for it, and asked for several records.

    eval "$(argosy env)"
    python sdk_framework_model.py SKLearnModel model.tar.gz folder/ rows.csv      # the folder holds inference.py

The last line that it prints is the answer, or why there is none, as JSON. test_sdk_serving.py runs it as it stands.
"""

import json
import os
import sys

import numpy
import sagemaker
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.pytorch import PyTorchModel
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearnModel
from sagemaker.xgboost import XGBoostModel

kind, artifact, folder, csv_file = sys.argv[1:]
Model, version = {
    "PyTorchModel": (PyTorchModel, {"framework_version": "2.0.1", "py_version": "py310"}),
    "SKLearnModel": (SKLearnModel, {"framework_version": "1.2-1"}),
    "XGBoostModel": (XGBoostModel, {"framework_version": "1.7-1"}),
}[kind]
session = sagemaker.Session()
model = Model(
    model_data=session.upload_data(artifact, key_prefix=f"sdk/{kind}/{os.getpid()}"),
    role=os.environ["ARGOSY_ROLE"],
    entry_point="inference.py",
    source_dir=folder,
    env={name: os.environ[name] for name in ("ARGOSY_PYTHON",) if name in os.environ},
    sagemaker_session=session,
    **version,
)
# The class of XGBoost would send LIBSVM's text.
options = {"serializer": CSVSerializer()} if kind == "XGBoostModel" else {}
try:
    predictor = model.deploy(1, "ml.m5.large", **options)
except UnexpectedStatusException as failure:
    print("\n" + json.dumps({"failed": str(failure)}))
    sys.exit()
rows = numpy.loadtxt(csv_file, delimiter=",", dtype=numpy.float32, ndmin=2)
print("\n" + json.dumps(numpy.asarray(predictor.predict(rows), dtype=float).tolist()))
predictor.delete_model()
predictor.delete_endpoint()
