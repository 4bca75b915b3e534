#!/usr/bin/env python3
"""Claim: two threads are at least 1.7 times as fast as one, two hosts on one core each at least 0.9 times as efficient as one,
and memory does not grow with the data.

  linear learner   KDD99's 10 % file as it is, attack or normal
  k-means, k=100   MNIST's 60,000 training images
  PCA, 50          the same

Each on one thread, two threads, and two hosts of one thread each (threads of one process that speak over real sockets), in
turn; the best of some runs counts. Then the linear learner on 14, 28 and 56 copies of KDD99 (1, 2 and 4 GB): seconds and the
most memory that was resident. Needs bench_train from the build. ARGOSY_DATA says where the data is (../shared/data otherwise).
"""

import gzip
import json
import os
import shutil
import subprocess

import common
from linear_quality import DATA, mnist_csv

TIMES = 5
KDD = {
    "predictor_type": "binary_classifier",
    "argosy_label": "-1",
    "argosy_label_map": "normal.=normal,*=attack",
    "argosy_categorical": "auto",
}
GIGABYTE_COPIES = 14


def train(algorithm, who, files, options):
    """(what it told, the most that was resident in MB)"""
    given = [f"{name}={value}" for name, value in options.items()]
    child = subprocess.Popen(
        [common.need("bench_train"), algorithm, who, ",".join(map(str, files)), "-", *given], stdout=subprocess.PIPE, text=True
    )
    told = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{algorithm} failed")
    return json.loads(told), used.ru_maxrss / 1024


def compare(name, algorithm, path, options):
    best = {}
    for _ in range(TIMES):
        for who in ("1", "2", "1x2"):
            told, _ = train(algorithm, who, [path], options)
            if who not in best or told["seconds"] < best[who]["seconds"]:
                best[who] = told
    one, two, hosts = (best[who]["seconds"] for who in ("1", "2", "1x2"))
    print(
        f"{name:<16} {one:>7.2f} s {two:>7.2f} s {hosts:>7.2f} s   threads {one / two:.2f} ×   hosts {one / hosts / 2:.2f}"
        f"   {best['1x2']['rounds']} rounds, {best['1x2']['bytes_sent']:,} bytes sent",
        flush=True,
    )


def main():
    with common.scratch() as folder:
        print(f"{'':<16} {'1 thread':>9} {'2 threads':>9} {'2 hosts':>9}   best of {TIMES}")
        kdd = DATA / "kdd99" / "kddcup.data_10_percent.gz"
        if kdd.exists():
            with gzip.open(kdd) as packed, open(folder / "kdd.csv", "wb") as plain:
                shutil.copyfileobj(packed, plain)
            compare("linear, KDD99", "linear-learner", folder / "kdd.csv", KDD)
        if (DATA / "mnist").exists():
            path = folder / "mnist.csv"
            mnist_csv(DATA / "mnist" / "train-images-idx3-ubyte.gz", DATA / "mnist" / "train-labels-idx1-ubyte.gz", path)
            compare("k-means, MNIST", "kmeans", path, {"k": 100, "feature_dim": 784})
            compare("PCA, MNIST", "pca", path, {"num_components": 50, "feature_dim": 784, "mini_batch_size": 500})
        if kdd.exists():
            print()
            for gigabytes in (0, 1, 2, 4):
                copies = max(1, GIGABYTE_COPIES * gigabytes)
                told, resident = train("linear-learner", "2", [folder / "kdd.csv"] * copies, {**KDD, "epochs": 2})
                size = copies * (folder / "kdd.csv").stat().st_size / 1e9
                print(f"linear, {size:.2f} GB, 2 epochs: {told['seconds']:.1f} s, {resident:.0f} MB resident at most", flush=True)


if __name__ == "__main__":
    main()
