"""Data sets: the ones that come inside scikit-learn, and the shared ones when they are there."""

import functools
import io
import os
from pathlib import Path

import numpy as np
import pytest

from harness.server import REPOSITORY


def shared(*parts):
    """A file of the shared data; skips the test when it is absent."""
    root = Path(os.environ.get("ARGOSY_DATA", REPOSITORY.parent / "shared" / "data"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there (ARGOSY_DATA names the folder of the shared data)")
    return path


def csv(labels, features, header=None):
    """Label first, no header unless given: the form that the built-in algorithms read."""
    out = io.StringIO()
    if header:
        out.write(",".join(header) + "\n")
    for label, row in zip(labels, features):
        out.write(f"{label}," + ",".join(repr(float(v)) for v in row) + "\n")
    return out.getvalue()


def rows(features):
    return "".join(",".join(repr(float(v)) for v in row) + "\n" for row in features)


class DataSet:
    """Split once, always in the same way: every fourth row is for the test."""

    def __init__(self, features, labels):
        held_out = np.arange(len(labels)) % 4 == 3
        self.features, self.labels = features[~held_out], labels[~held_out]
        self.test_features, self.test_labels = features[held_out], labels[held_out]
        self.width = features.shape[1]

    @functools.cached_property
    def train_csv(self):
        return csv(self.labels, self.features)

    @functools.cached_property
    def test_csv(self):
        return csv(self.test_labels, self.test_features)


@functools.cache
def digits():
    """1,797 handwritten digits of 8 × 8 pixels, 10 classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return DataSet(found.data.astype(np.float32), found.target.astype(int))


@functools.cache
def breast_cancer():
    """569 tumours, 30 measurements, two classes."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    return DataSet(found.data.astype(np.float32), found.target.astype(int))


@functools.cache
def diabetes():
    """442 patients, 10 measurements, a number to be foretold."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes()
    return DataSet(found.data.astype(np.float32), found.target.astype(np.float32))
