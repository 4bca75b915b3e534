#!/usr/bin/env python3
"""Claim: a model answers as fast as nginx answers nothing, with every signature checked.

One row of KDD99 as it is (140 bytes on average) to a linear model over 64 and 1,000 connections, and to 100 boosted
trees of depth 6 over 64. Peers on the same machine with the same generator: nginx with `return 200`; the same linear model
behind axum in Rust; then the same models in Python as serving_peers.py has them: FastAPI, SageMaker's own stack (nginx,
gunicorn, Flask), also with a scikit-learn pipeline and pandas, MLServer, BentoML, Ray Serve. Argosy alone authenticates.
Before a peer is measured it has to give Argosy's answers.

Then: 10,000 connections that do nothing, and updates under full load.
"""

import contextlib
import gzip
import math
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import common
import serving_peers

POOL = 100_000  # different rows, so differently signed requests
SECONDS = 4
WARM_UP = 1
ROUNDS = 3
UPDATES = int(os.environ.get("UPDATES", "100"))
IDLE = 10_000
CHECKED = 50  # rows of which a peer has to give the same answers
KDD = Path(os.environ.get("ARGOSY_DATA", common.REPOSITORY.parent / "shared" / "data")) / "kdd99"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TABLE = {
    "argosy_label": "-1",
    "argosy_label_map": '{"normal.":"normal.","*":"attack"}',
    "argosy_categorical": "1,2,3",
}
OPTIONS = ("--log-level", "error", "--connections-max", "20000")


def kdd_rows(name):
    with gzip.open(KDD / name, "rb") as packed:
        return packed.read().splitlines()


def read_kdd():
    """(rows to train on, rows to ask of which no two are alike)"""
    if not KDD.exists():
        sys.exit(f"{KDD} is not there: this benchmark needs KDD99 (ARGOSY_DATA names the folder that holds kdd99/)")
    train = kdd_rows("kddcup.data_10_percent.gz")
    asked = dict.fromkeys(line.rsplit(b",", 1)[0] for line in kdd_rows("corrected.gz") + train)
    return train[::5], list(asked)[:POOL]


def sklearn_pipeline(path):
    """Trained on a part of KDD99, as most people would."""
    code = f"""
import gzip, io, joblib, pandas
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pandas.read_csv({str(KDD / "kddcup.data_10_percent.gz")!r}, header=None).iloc[::50]
x, y = table.iloc[:, :-1], (table.iloc[:, -1] != "normal.").astype(int)
columns = ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), [1, 2, 3])], remainder=StandardScaler())
joblib.dump(make_pipeline(columns, SGDClassifier(loss="log_loss")).fit(x, y), {str(path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


class Deployed:
    """A model trained on KDD99 behind an endpoint, the artifact as a local file, and what it says of some rows."""

    def __init__(self, argosy, folder, train, rows, image, hyperparameters):
        self.argosy, self.folder, self.rows = argosy, folder, rows
        name = f"kdd-{time.time_ns()}"
        request = argosy.training_request(name, argosy.put("bench", "kdd.csv", b"\n".join(train) + b"\n"))
        request["AlgorithmSpecification"]["TrainingImage"] = image
        request["HyperParameters"] = {**TABLE, **hyperparameters}
        argosy.sagemaker("CreateTrainingJob", **request)
        job = argosy.await_job(name)
        if job["TrainingJobStatus"] != "Completed":
            raise SystemExit(job["FailureReason"])
        self.uri = job["ModelArtifacts"]["S3ModelArtifacts"]
        self.endpoint = argosy.deploy(self.uri, image)
        self.artifact = folder / f"{name}.tar.gz"
        (found,) = argosy.data_dir.glob(f"objects/buckets/**/{name}*/**/model.tar.gz")
        self.artifact.write_bytes(found.read_bytes())
        self.answers = {}
        for row in rows[:: max(1, len(rows) // CHECKED)]:
            status, self.answers[row] = argosy.ask(argosy.signer.invocation(self.endpoint, row))
            assert status == 200, self.answers[row]

    def pool(self, most=None):
        # Signed anew for each round of measurements: a signature is good for a quarter of an hour.
        messages = (self.argosy.signer.invocation(self.endpoint, row) for row in self.rows[:most])
        return common.write_requests(self.folder / "pool", messages)

    def check(self, peer, same_model=True):
        for row, answer in self.answers.items():
            status, got = common.ask(peer.port, peer.request(row))
            wanted = serving_peers.score(answer)
            if status != 200 or (same_model and not math.isclose(peer.score(got), wanted, rel_tol=1e-5)):
                raise SystemExit(f"{peer.name} answers {status} {got} where Argosy answers {answer}")


def deploy_linear(argosy, folder, train, rows):
    settings = {"predictor_type": "binary_classifier", "mini_batch_size": "100"}
    return Deployed(argosy, folder, train, rows, common.LINEAR_LEARNER, settings)


def deploy_boosted(argosy, folder, train, rows):
    settings = {"num_round": "100", "max_depth": "6", "objective": "binary:logistic"}
    return Deployed(argosy, folder, train, rows, XGBOOST, settings)


def in_turn(peers, pool, connections):
    told = common.in_turn(peers, pool, connections, ROUNDS, SECONDS, WARM_UP)
    return {name: common.summary(runs) for name, runs in told.items()}


def against_nginx(model, connections, notes, axum=False):
    """Figures by name, for each number of connections, of Argosy, of nginx and, where wanted, of axum."""
    peers = {"Argosy": model.argosy}
    with contextlib.ExitStack() as stack:
        if common.Nginx.installed():
            answer = next(iter(model.answers.values())).decode()
            peers["nginx return 200"] = stack.enter_context(common.Nginx(model.folder, answer))
        else:
            notes.append("nginx is not installed")
        if axum:
            missing = serving_peers.Axum.build()
            if missing:
                notes.append(missing)
            else:
                peers["axum"] = stack.enter_context(serving_peers.Axum(model.folder, model.artifact))
                model.check(peers["axum"])
        return {count: in_turn(peers, model.pool(), count) for count in connections}


def against_stacks(model, stacks, notes):
    """Figures by name of one server after another, over 64 connections; they are asked without signatures."""
    told = {}
    for peer in stacks:
        try:
            with peer:
                model.check(peer, same_model=peer.name != serving_peers.SKLEARN)
                pool = common.write_requests(model.folder / "pool", map(peer.request, model.rows))
                told |= in_turn({peer.name: peer}, pool, 64)
        except SystemExit as why:
            notes.append(f"{peer.name} is left out: {why}")
    return told


def linear_against_stacks(model, notes):
    stacks = serving_peers.linear_stacks(model.folder, model.artifact, sklearn_pipeline, notes)
    return against_stacks(model, stacks, notes)


def boosted_against_stacks(model, notes):
    return against_stacks(model, serving_peers.boosted_stacks(model.folder, model.artifact, notes), notes)


def idle_connections(model):
    """(connections, resident MB of the server, figures of 64 busy connections) without and with idle ones."""

    def resident():
        status = Path(f"/proc/{argosy.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))

    argosy = model.argosy
    common.allow_many_files()
    pool = model.pool(20_000)
    out = []
    with contextlib.ExitStack() as held:
        for count in (0, IDLE):
            for _ in range(count):
                held.enter_context(socket.create_connection(("127.0.0.1", argosy.port)))
            time.sleep(1)
            memory = resident()
            out.append((count, memory, in_turn({"Argosy": argosy}, pool, 64)["Argosy"]))
    return out


def updates(model):
    """Blue/green updates one after another while 64 connections ask as fast as they can: (s each, requests, failed)."""
    argosy, endpoint = model.argosy, model.endpoint
    config = argosy.sagemaker("DescribeEndpoint", EndpointName=endpoint)["EndpointConfigName"]
    pool = model.pool(50_000)
    stop, told = threading.Event(), []

    def load():
        while not stop.is_set():
            told.append(common.generate(argosy.port, pool, 64, seconds=5))

    asker = threading.Thread(target=load)
    asker.start()
    begin = time.monotonic()
    try:
        for _ in range(UPDATES):
            argosy.sagemaker("UpdateEndpoint", EndpointName=endpoint, EndpointConfigName=config)
            argosy.await_endpoint(endpoint)
    finally:
        took = time.monotonic() - begin
        stop.set()
        asker.join()
    return took / UPDATES, sum(t["requests"] for t in told), sum(t["errors"] for t in told)


def table_rows(told, connections):
    """Figures by name as lines of a table, beside those of nginx."""
    nginx = told.get("nginx return 200")
    for name, own in told.items():
        ratio, slower = (common.ratio(own[key], nginx[key]) if nginx else "" for key in ("rate", "p99_ms"))
        yield f"{name}, {connections}", f"{own['rate']:,.0f}", ratio, f"{own['p99_ms']:.1f}", slower, own["errors"]


def main():
    train, rows = read_kdd()
    head = ["connections", "requests/s", "× nginx", "p99 ms", "× nginx", "errors"]
    with common.scratch() as folder, common.Argosy(folder, *OPTIONS) as argosy:
        linear = deploy_linear(argosy, folder, train, rows)
        notes = [f"{len(rows):,} differently signed requests, bodies of {sum(map(len, rows)) // len(rows)} bytes"]
        lines = []
        for connections, told in against_nginx(linear, (64, 1000), notes, axum=True).items():
            lines += table_rows(told, connections)
        lines += table_rows(linear_against_stacks(linear, notes), 64)
        title = f"One row to a linear model, median of {ROUNDS} runs of {SECONDS} s in turn"
        common.table(title, head, lines, notes)

        boosted, notes = deploy_boosted(argosy, folder, train, rows), []
        lines = [*table_rows(against_nginx(boosted, (64,), notes)[64], 64)]
        lines += table_rows(boosted_against_stacks(boosted, notes), 64)
        common.table("One row to 100 trees of depth 6", head, lines, notes)

        lines = [
            (f"{count:,} idle connections", f"{memory:.0f}", f"{own['rate']:,.0f}", own["errors"])
            for count, memory, own in idle_connections(linear)
        ]
        common.table("Connections at rest", ["", "resident MB", "requests/s", "errors"], lines)
        each, asked, failed = updates(linear)
        lines = [(f"{UPDATES} updates", f"{each:.2f}", f"{asked:,}", failed)]
        common.table("Updates under full load (64 connections)", ["", "s each", "requests", "failed"], lines)


if __name__ == "__main__":
    sys.exit(main())
