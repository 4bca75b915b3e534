"""Boosted trees by the public xgboost package, a row at a time: what the peers of serving.py score with.

docs/formats/artifact_xgboost.md says what the artifact holds. inplace_predict on one thread: no DMatrix is made for a row.
"""

import json
import tarfile

import numpy as np
import xgboost


class BoostedRow:
    def __init__(self, artifact):
        with tarfile.open(artifact) as packed:
            read = {m.name.lstrip("./"): packed.extractfile(m).read() for m in packed.getmembers() if m.isfile()}
        self.booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(read["xgboost-model"]))
        self.codes = {}
        for i, column in enumerate(json.loads(read["model.json"])["table"]["columns"]):
            if column["kind"] == "categorical":
                self.codes[i] = {name: code for code, name in enumerate(column["categories"])}

    def features(self, row):
        fields = row.split(",")
        for i, codes in self.codes.items():
            fields[i] = codes.get(fields[i], np.nan)
        return np.array([fields], dtype=np.float32)

    def answer(self, row):
        return {"predictions": [{"score": float(self.booster.inplace_predict(self.features(row))[0])}]}
