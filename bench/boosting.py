#!/usr/bin/env python3
"""Claim: XGBoost behind Argosy's readers trains as the library itself does, and the way from file to model is shorter.

100 rounds of depth 6, tree_method hist, all cores; from the CSV file to the model, the peer being the public package behind
pandas (text columns as category codes), its imports not counted. Beside the time the error on rows that were not trained on.

  KDD99        10 % file as it is, 494,021 rows, attack or normal; judged on the corrected test set
  adult        32,561 rows of UCI's census data; judged on its test file
  California   housing prices; every fifth row is kept back

Needs xgboost (or xgboost-cpu) and pandas for the peer, and bench_train from the build. ARGOSY_DATA says where the data is
(../shared/data otherwise).
"""

import gzip
import json
import os
import subprocess
import sys

import common
from linear_quality import DATA

THREADS = os.cpu_count() or 1
TIMES = 3

PEER = """
import json, sys, time
import numpy as np, pandas, xgboost
train, held, label, positive, objective, metric, threads = sys.argv[1:]
begin = time.monotonic()
def split(table, kinds=None):
    y = table.pop(table.columns[int(label)])
    if positive:  # "!x": all labels but x
        y = (y == positive.lstrip("!")) != positive.startswith("!")
    codes = {}
    for c in table.columns:
        if not pandas.api.types.is_numeric_dtype(table[c]):
            known = kinds[c] if kinds else sorted(table[c].unique())
            codes[c] = known
            table[c] = pandas.Categorical(table[c], known).codes
    return table.to_numpy(dtype=np.float32), y.to_numpy(dtype=np.float32), codes
x, y, kinds = split(pandas.read_csv(train, header=None, skipinitialspace=True))
model = xgboost.train({"objective": objective, "max_depth": 6, "tree_method": "hist", "nthread": int(threads)}, xgboost.DMatrix(x, y), 100)
seconds = time.monotonic() - begin
x, y, _ = split(pandas.read_csv(held, header=None, skipinitialspace=True), kinds)
p = model.predict(xgboost.DMatrix(x))
print(json.dumps({"seconds": seconds, "quality": float(np.mean((p > .5) != y) if metric == "error" else np.sqrt(np.mean((p - y) ** 2)))}))
"""


def unpacked(source, target):
    target.write_bytes(gzip.decompress(source.read_bytes()))
    return target


def without_header(source, folder):
    """(training rows, rows kept back)"""
    lines = source.read_text().splitlines()[1:]
    files = folder / "california-train.csv", folder / "california-held.csv"
    files[0].write_text("".join(line + "\n" for i, line in enumerate(lines) if i % 5))
    files[1].write_text("".join(line + "\n" for i, line in enumerate(lines) if i % 5 == 0))
    return files


def works(folder):
    """(name, training file, judging file, label's column, its hyperparameters, the label that counts, objective, metric)"""
    if (DATA / "kdd99").is_dir():
        train = unpacked(DATA / "kdd99" / "kddcup.data_10_percent.gz", folder / "kdd.csv")
        held = unpacked(DATA / "kdd99" / "corrected.gz", folder / "corrected.csv")
        labels = {"argosy_label_map": "normal.=0,*=1", "argosy_categorical": "auto"}
        yield "KDD99", train, held, -1, labels, "!normal.", "binary:logistic", "error"
    if (DATA / "tabular" / "adult.data").exists():
        held = folder / "adult.test"
        text = (DATA / "tabular" / "adult.test").read_text().replace("K.", "K")
        held.write_text(text.split("\n", 1)[1])  # without its header
        labels = {"argosy_label_map": "<=50K=0,*=1", "argosy_categorical": "auto"}
        yield "adult", DATA / "tabular" / "adult.data", held, -1, labels, "!<=50K", "binary:logistic", "error"
    if (DATA / "tabular" / "california_housing.csv").exists():
        train, held = without_header(DATA / "tabular" / "california_housing.csv", folder)
        yield "California", train, held, 8, {"argosy_categorical": "auto"}, "", "reg:squarederror", "rmse"


def argosy(train, held, labels, objective, metric, column):
    options = {"num_round": 100, "max_depth": 6, "tree_method": "hist", "objective": objective, "eval_metric": metric}
    options |= {"argosy_label": column, **labels}
    words = [f"{name}={value}" for name, value in options.items()]
    seconds = []
    for judge in ["-"] * TIMES + [held]:
        done = subprocess.run(
            [common.need("bench_train"), "xgboost", str(THREADS), train, judge, *words],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)
        seconds.append(told["seconds"])
    return min(seconds[:-1]), told[f"validation:{metric}"]


def peer(train, held, positive, objective, metric, column):
    found = []
    for _ in range(TIMES):
        done = subprocess.run(
            [sys.executable, "-c", PEER, train, held, str(column), positive, objective, metric, str(THREADS)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            return None
        found.append(json.loads(done.stdout))
    return min(f["seconds"] for f in found), found[0]["quality"]


def main():
    rows = []
    with common.scratch() as folder:
        for name, train, held, column, labels, positive, objective, metric in works(folder):
            ours = argosy(train, held, labels, objective, metric, column)
            rows.append((name, "Argosy", f"{ours[0]:.2f}", f"{ours[1]:.4f}"))
            theirs = peer(train, held, positive, objective, metric, column)
            if theirs is not None:
                rows.append((name, "xgboost behind pandas", f"{theirs[0]:.2f}", f"{theirs[1]:.4f}"))
    if not rows:
        return print(f"there is no data in {DATA}")
    common.table(f"100 rounds of depth 6, {THREADS} threads, file to model", ["data", "who", "seconds", "error"], rows, [])
    return None


if __name__ == "__main__":
    sys.exit(main())
