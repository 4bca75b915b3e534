"""What predict_fn is given where a script has no input_fn: what the container of the image would give it.

    pytorch-inference                a torch tensor
    sagemaker-xgboost, xgboost       an xgboost.DMatrix, also of LIBSVM's text
    all others                       an array

Of XGBoost's scikit-learn estimators it is an array, too: they take nothing else.
"""

from . import encoding
from .errors import RequestError

LIBSVM_TYPES = ("text/libsvm", "text/x-libsvm")


class Arrays:
    def decode(self, body, content_type):
        return self.of_array(encoding.decode(body, content_type))

    def of_array(self, array):
        return array


class Tensors(Arrays):
    def __init__(self):
        import torch

        self._as_tensor = torch.as_tensor

    def of_array(self, array):
        return self._as_tensor(array)


class Matrices(Arrays):
    def __init__(self):
        import xgboost

        self._matrix = xgboost.DMatrix

    def decode(self, body, content_type):
        if encoding.media_type(content_type, encoding.JSON) in LIBSVM_TYPES:
            return self._matrix(decode_libsvm(body))
        return super().decode(body, content_type)

    def of_array(self, array):
        return self._matrix(array)


def input_of(image, model):
    """How the bodies for this model are read; `image` is the repository's name."""
    if image == "pytorch-inference":
        return Tensors()
    if image in ("sagemaker-xgboost", "xgboost") and not hasattr(model, "get_params"):
        return Matrices()
    return Arrays()


def decode_libsvm(body):
    """A sparse table; the labels that may stand first do not matter."""
    import numpy as np
    from scipy.sparse import csr_matrix

    columns, values, ends = [], [], [0]
    for number, line in enumerate(body.decode("utf-8", "replace").splitlines(), 1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        for field in fields if ":" in fields[0] else fields[1:]:
            column, _, value = field.partition(":")
            try:
                values.append(float(value))
                columns.append(int(column))
            except ValueError:
                columns.append(-1)
            if columns[-1] < 0:
                raise RequestError(400, f"'{field[:40]}' in line {number} of the LIBSVM text is not <column>:<number>")
        ends.append(len(columns))
    if len(ends) == 1:
        raise RequestError(400, "the body is empty: send rows of <label> <column>:<number> …")
    shape = len(ends) - 1, max(columns, default=0) + 1
    return csr_matrix((np.array(values, dtype=np.float32), np.array(columns, dtype=np.int64), ends), shape=shape)
