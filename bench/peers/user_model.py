"""One user's model, the same for all who serve it: four functions as SageMaker's containers know them.

A scikit-learn classifier of 30 numbers. USER_MODEL names the directory that holds model.joblib, where nobody hands it over.
"""

import json
import os

import joblib
import numpy as np


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    return np.array([[float(field) for field in line.split(",")] for line in body.splitlines()])


def predict_fn(data, model):
    return model.predict_proba(data)[:, 1]


def output_fn(prediction, accept):
    return json.dumps({"predictions": prediction.tolist()}), "application/json"


class Model:
    """The four in a row."""

    def __init__(self):
        self.model = model_fn(os.environ["USER_MODEL"])

    def answer(self, body):
        return output_fn(predict_fn(input_fn(body, "text/csv"), self.model), "application/json")[0]
