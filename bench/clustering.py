#!/usr/bin/env python3
"""Claim: kmeans and pca are several times as fast as scikit-learn at equal quality, from the CSV file to the artifact.

  k-means, k = 10 and 100, on MNIST's 60,000 training images (784 columns)      sum of squared distances
  PCA, 50 components, on the same                                              part of the variance explained

The peer reads the same file with pandas (numpy without it) and fits with its defaults; both use all cores. Needs scikit-learn for
the peer and bench_train from the build. ARGOSY_DATA says where MNIST is (../shared/data otherwise).
"""

import json
import os
import subprocess
import sys
import time

import common
from linear_quality import DATA, mnist_csv

THREADS = os.cpu_count() or 1
TIMES = 3

try:
    import numpy
    import sklearn.cluster
    import sklearn.decomposition
except ImportError:
    sklearn = None


def argosy(algorithm, path, metric, **hyperparameters):
    best = None
    for _ in range(TIMES):
        options = [f"{name}={value}" for name, value in hyperparameters.items()]
        done = subprocess.run(
            [common.need("bench_train"), algorithm, str(THREADS), path, "-", *options],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)
        if best is None or told["seconds"] < best[0]:
            best = told["seconds"], told[metric]
    return best


def read(path):
    try:
        import pandas

        return pandas.read_csv(path, header=None, dtype=numpy.float32).to_numpy()[:, 1:]
    except ImportError:
        return numpy.loadtxt(path, delimiter=",", dtype=numpy.float32)[:, 1:]


def peer(path, make, quality):
    begin = time.monotonic()
    model = make().fit(read(path))
    return time.monotonic() - begin, quality(model)


def main():
    if not (DATA / "mnist").is_dir():
        return print(f"there is no MNIST in {DATA}")
    rows = []
    with common.scratch() as folder:
        path = folder / "mnist.csv"
        mnist_csv(
            DATA / "mnist" / "train-images-idx3-ubyte.gz", DATA / "mnist" / "train-labels-idx1-ubyte.gz", path
        )
        works = [
            (
                f"k-means, k = {k}",
                lambda k=k: argosy("kmeans", path, "train:ssd", feature_dim=784, k=k),
                lambda k=k: sklearn.cluster.KMeans(k, random_state=1),
                lambda model: model.inertia_,
                "{:.4e}",
            )
            for k in (10, 100)
        ] + [
            (
                f"PCA, 50 components, {mode}",
                lambda mode=mode: argosy(
                    "pca",
                    path,
                    "train:explained_variance_ratio",
                    feature_dim=784,
                    num_components=50,
                    mini_batch_size=500,
                    algorithm_mode=mode,
                ),
                lambda solver=solver: sklearn.decomposition.PCA(50, svd_solver=solver, random_state=1),
                lambda model: model.explained_variance_ratio_.sum(),
                "{:.5f}",
            )
            for mode, solver in (("regular", "covariance_eigh"), ("randomized", "randomized"))
        ]
        for name, ours, make, quality, form in works:
            seconds, value = ours()
            rows.append((name, "Argosy", f"{seconds:.2f}", form.format(value)))
            if sklearn is not None:
                seconds, value = peer(path, make, quality)
                rows.append((name, "scikit-learn", f"{seconds:.2f}", form.format(value)))
    common.table(f"MNIST, {THREADS} threads, file to model", ["work", "who", "seconds", "quality"], rows, [])
    return None


if __name__ == "__main__":
    sys.exit(main())
