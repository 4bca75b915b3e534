#!/usr/bin/env python3
"""Claim: kmeans and pca are several times as fast as scikit-learn at equal quality, from the CSV file to the artifact.

  k-means, k = 10 and 100, on MNIST's 60,000 training images (784 columns)      sum of squared distances
  k-means, k = 10, on KDD99's 38 numeric columns, standardised (494,021 rows)   the same
  PCA, 50 components, on MNIST                                                  part of the variance explained

The peers read the same file with pandas and fit with their defaults (faiss: 25 iterations on all rows); all use all cores. Each is
run three times, unless that takes more than half a minute, and its best time counts. Needs pandas, scikit-learn and faiss-cpu for
the peers (those that are not installed are left out) and bench_train from the build. ARGOSY_DATA says where the data sets are
(../shared/data otherwise).
"""

import gzip
import json
import os
import subprocess
import sys
import time

import common
from linear_quality import DATA, mnist_csv

THREADS = os.cpu_count() or 1
TIMES = 3
PEER_SECONDS_MAX = 30
NUMERIC = [0, *range(4, 41)]  # columns of KDD99

try:
    import numpy
    import pandas
    import sklearn.cluster
    import sklearn.decomposition
except ImportError:
    sklearn = None
try:
    import faiss
except ImportError:
    faiss = None


def argosy(algorithm, path, metric, **hyperparameters):
    options = [f"{name}={value}" for name, value in hyperparameters.items()]
    done = subprocess.run(
        [common.need("bench_train"), algorithm, str(THREADS), path, "-", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    return told["seconds"], told[metric]


def best(work):
    """(seconds, quality) of the fastest of some runs."""
    runs = []
    while len(runs) < TIMES and sum(seconds for seconds, _ in runs) < PEER_SECONDS_MAX:
        runs.append(work())
    return min(runs)


def fitted(path, skipped, fit):
    """Seconds from the file to a fitted model, and what `fit` says of its quality."""
    begin = time.monotonic()
    rows = pandas.read_csv(path, header=None, dtype=numpy.float32).to_numpy()
    quality = fit(numpy.ascontiguousarray(rows[:, skipped:]))
    return time.monotonic() - begin, quality


def kmeans_by_faiss(rows, k):
    model = faiss.Kmeans(rows.shape[1], k, niter=25, seed=1, max_points_per_centroid=len(rows), verbose=False)
    model.train(rows)
    return float(model.index.search(rows, 1)[0].sum())


def kdd_numerics(path):
    """KDD99's numeric columns, each with mean 0 and deviation 1."""
    with gzip.open(DATA / "kdd99" / "kddcup.data_10_percent.gz") as file:
        table = pandas.read_csv(file, header=None, usecols=NUMERIC).to_numpy(dtype=float)
    spread = table.std(axis=0)
    numpy.savetxt(path, (table - table.mean(axis=0)) / numpy.where(spread > 0, spread, 1), fmt="%.5g", delimiter=",")


def kmeans_works(name, path, columns, k, skipped):
    def by_sklearn(rows):
        return sklearn.cluster.KMeans(k, random_state=1).fit(rows).inertia_

    yield name, "Argosy", lambda: argosy("kmeans", path, "train:ssd", feature_dim=columns, k=k), "{:.4e}"
    if sklearn is not None:
        yield name, "scikit-learn", lambda: fitted(path, skipped, by_sklearn), "{:.4e}"
        if faiss is not None:
            yield name, "faiss", lambda: fitted(path, skipped, lambda rows: kmeans_by_faiss(rows, k)), "{:.4e}"


def pca_works(path, mode, solver):
    name = f"PCA, 50 components, {mode}"
    told = dict(feature_dim=784, num_components=50, mini_batch_size=500, algorithm_mode=mode)

    def by_sklearn(rows):
        return sklearn.decomposition.PCA(50, svd_solver=solver, random_state=1).fit(rows).explained_variance_ratio_.sum()

    yield name, "Argosy", lambda: argosy("pca", path, "train:explained_variance_ratio", **told), "{:.5f}"
    if sklearn is not None:
        yield name, "scikit-learn", lambda: fitted(path, 1, by_sklearn), "{:.5f}"


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
            *kmeans_works("k-means, k = 10, MNIST", path, 784, 10, 1),
            *kmeans_works("k-means, k = 100, MNIST", path, 784, 100, 1),
            *pca_works(path, "regular", "covariance_eigh"),
            *pca_works(path, "randomized", "randomized"),
        ]
        if sklearn is not None and (DATA / "kdd99").is_dir():
            kdd_numerics(folder / "kdd.csv")
            works += kmeans_works("k-means, k = 10, KDD99", folder / "kdd.csv", len(NUMERIC), 10, 0)
        for name, who, work, form in works:
            seconds, quality = best(work)
            rows.append((name, who, f"{seconds:.2f}", form.format(quality)))
    common.table(f"{THREADS} threads, file to model", ["work", "who", "seconds", "quality"], rows, [])
    return None


if __name__ == "__main__":
    sys.exit(main())
