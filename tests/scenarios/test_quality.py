"""What the linear learner reaches with its defaults on real data, through the command line as a user trains."""

import gzip
import json
import random
import statistics
import struct

import numpy as np
import pytest

from harness import data

pytestmark = pytest.mark.xdist_group("quality")


def trained(server, train, test, *options):
    """The final metrics of a job on `train`, measured on `test`."""
    done = server.argosy("train", train, "--test", test, "--json", *options, timeout=900)  # agents yield to other work
    assert done.code == 0, done
    return {m["MetricName"]: m["Value"] for m in json.loads(done.out)["FinalMetricDataList"]}


def test_digits(server, tmp_path):
    digits = data.digits()
    (tmp_path / "train.csv").write_text(digits.train_csv)
    (tmp_path / "test.csv").write_text(digits.test_csv)
    found = trained(server, tmp_path / "train.csv", tmp_path / "test.csv", "--label", "0", "--type", "multiclass")
    assert found["test:multiclass_accuracy"] >= 0.94


def test_kdd99_attack_or_normal(server):
    """The goal is accuracy .925 and F1 .951, a little more than liblinear's; docs/decisions/linear-learner-defaults.md
    says what keeps the defaults from it. This holds what they reach."""
    train, test = data.shared("kdd99", "kddcup.data_10_percent.gz"), data.shared("kdd99", "corrected.gz")
    runs = [
        trained(server, train, test, "--label", "-1", "--negative", "normal.", "--set", f"argosy_seed={seed}")
        for seed in (1, 2, 3)
    ]
    assert statistics.median(r["test:binary_classification_accuracy"] for r in runs) >= 0.922
    assert statistics.median(r["test:binary_f_beta"] for r in runs) >= 0.949


def test_mnist(server, tmp_path):
    def idx(name):
        raw = gzip.decompress(data.shared("mnist", name).read_bytes())
        shape = struct.unpack(">" + "I" * raw[3], raw[4 : 4 + 4 * raw[3]])
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape[0], -1)

    for part, prefix in (("train", "train"), ("test", "t10k")):
        table = np.hstack([idx(f"{prefix}-labels-idx1-ubyte.gz"), idx(f"{prefix}-images-idx3-ubyte.gz")])
        texts = [str(value) for value in range(256)]  # 47 million of them are written
        with open(tmp_path / f"{part}.csv", "w") as out:
            for row in table:
                out.write(",".join([texts[value] for value in row.tolist()]) + "\n")
    found = trained(server, tmp_path / "train.csv", tmp_path / "test.csv", "--label", "0", "--type", "multiclass")
    assert found["test:multiclass_accuracy"] >= 0.915


def test_california_housing_as_least_squares(server, tmp_path):
    header, *lines = data.shared("tabular", "california_housing.csv").read_text().splitlines()
    names, label = header.split(","), "median_house_value"
    random.Random(0).shuffle(lines)
    cut = len(lines) * 4 // 5
    for part, chosen in (("train", lines[:cut]), ("test", lines[cut:])):
        (tmp_path / f"{part}.csv").write_text("\n".join([header, *chosen]) + "\n")
    options = ["--label", label, "--type", "regressor", "--set", "argosy_missing=mean"]
    found = trained(server, tmp_path / "train.csv", tmp_path / "test.csv", *options)

    fields = [line.split(",") for line in lines]
    kinds = sorted({f[-1] for f in fields})
    numbers = np.array([[float(v) if v else np.nan for v in f[:-1]] for f in fields])
    numbers = np.where(np.isnan(numbers), np.nanmean(numbers[:cut], axis=0), numbers)
    wanted = numbers[:, names.index(label)]
    x = np.hstack(
        [np.delete(numbers, names.index(label), axis=1), [[float(f[-1] == k) for k in kinds] for f in fields]]
    )
    x = np.hstack([(x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0), np.ones((len(x), 1))])
    weights, *_ = np.linalg.lstsq(x[:cut], wanted[:cut], rcond=None)
    least_squares = np.sqrt(np.mean((x[cut:] @ weights - wanted[cut:]) ** 2))
    assert np.sqrt(found["test:mse"]) <= 1.01 * least_squares
