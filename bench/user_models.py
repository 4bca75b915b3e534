#!/usr/bin/env python3
"""Claim: a user's Python model answers at least 1.5 × as often behind the shim as behind the fastest of FastAPI,
gunicorn with Flask, and MLServer.

The same functions (peers/user_model.py: CSV in, a scikit-learn classifier of 30 numbers, JSON out) everywhere, one row a
request, 64 connections. Argosy alone authenticates. Its script is measured as it stands, and with ARGOSY_BATCH=1, by which
requests that wait are predicted together.
"""

import io
import json
import random
import subprocess
import sys
import tarfile

import common
from serving_peers import PEERS, Mlserver, Program, gunicorn, installed, interpreter, plain, uvicorn

POOL = 20_000
SECONDS = 4
WARM_UP = 1
ROUNDS = 3
CONNECTIONS = 64
FEATURES = 30
PYTHON_IMAGE = "argosy/python"


def train(path):
    code = f"""
import joblib, numpy
from sklearn.linear_model import LogisticRegression
chance = numpy.random.default_rng(1)
x = chance.normal(size=(2000, {FEATURES}))
joblib.dump(LogisticRegression().fit(x, x[:, 0] + x[:, 1] > 0), {str(path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def pack(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, path in files.items():
            archive.add(path, name)
    return out.getvalue()


def deploy(argosy, uri, **environment):
    name = f"bench-{random.randrange(1 << 40):x}"
    container = {"Image": PYTHON_IMAGE, "ModelDataUrl": uri, "Environment": environment}
    argosy.sagemaker("CreateModel", ModelName=name, ExecutionRoleArn=argosy.role, PrimaryContainer=container)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    argosy.sagemaker("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    argosy.sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    return argosy.await_endpoint(name)


def peers(folder, environment, notes):
    """Two workers each; FastAPI also with one, and MLServer holds the model in its own process."""
    if installed("fastapi", "uvicorn"):
        for workers in (1, 2):
            yield Program(f"FastAPI, workers: {workers}", uvicorn("fastapi_user_model", workers), environment)
    else:
        notes.append("FastAPI is not installed")
    if installed("flask", "gunicorn"):
        yield Program("gunicorn, Flask", gunicorn("flask_user_model"), environment)
        threads = gunicorn("flask_user_model", "127.0.0.1:PORT", "-k", "gthread", "--threads", "4")
        yield Program("gunicorn with threads, Flask", threads, environment)
    else:
        notes.append("Flask or gunicorn is not installed")
    if python := interpreter("mlserver", "mlserver", "sklearn", "joblib"):
        yield Mlserver(folder, python, {"name": "user", "implementation": "mlserver_user_model.UserModel"}, environment)
    else:
        notes.append("MLServer is not installed")


def measure(port, pool):
    runs = [common.generate(port, pool, CONNECTIONS, seconds=SECONDS, warm_up=WARM_UP) for _ in range(ROUNDS)]
    return common.summary(runs)


def run(folder, notes):
    """Figures by name: Argosy's first, then its peers'."""
    told = {}
    train(folder / "model.joblib")
    script = {"model.joblib": folder / "model.joblib", "code/inference.py": PEERS / "user_model.py"}
    chance = random.Random(1)
    rows = [",".join(f"{chance.gauss(0, 1):.6f}" for _ in range(FEATURES)).encode() for _ in range(POOL)]
    # Their peers run by this interpreter; so does the shim.
    with common.Argosy(folder, "--log-level", "error", "--python", sys.executable) as argosy:
        uri = argosy.put("bench", "model.tar.gz", pack(script))
        for name, environment in (("Argosy", {}), ("Argosy, ARGOSY_BATCH=1", {"ARGOSY_BATCH": "1"})):
            endpoint = deploy(argosy, uri, **environment)
            status, answer = argosy.ask(argosy.signer.invocation(endpoint, rows[0]))
            assert status == 200, answer
            pool = common.write_requests(folder / "pool", (argosy.signer.invocation(endpoint, row) for row in rows))
            told[name] = measure(argosy.port, pool)
            argosy.sagemaker("DeleteEndpoint", EndpointName=endpoint)
    pool = common.write_requests(folder / "pool", (plain("/invocations", row) for row in rows))
    for peer in peers(folder, {"USER_MODEL": str(folder)}, notes):
        with peer:
            status, got = common.ask(peer.port, plain("/invocations", rows[0]))
            assert status == 200 and json.loads(got) == json.loads(answer), (peer.name, got, answer)
            told[peer.name] = measure(peer.port, pool)
    return told


def is_argosy(name):
    return name.startswith("Argosy")


def main():
    if not installed("sklearn", "joblib"):
        sys.exit("scikit-learn is not installed: pip install -r bench/requirements.txt")
    notes = [f"{POOL:,} different rows of {FEATURES} numbers, {CONNECTIONS} connections"]
    with common.scratch() as folder:
        told = run(folder, notes)
    fastest = max((own["rate"] for name, own in told.items() if not is_argosy(name)), default=0)
    table = [
        (
            name,
            f"{own['rate']:,.0f}",
            common.ratio(own["rate"], fastest),
            f"{own['p50_ms']:.1f}",
            f"{own['p99_ms']:.1f}",
            own["errors"],
        )
        for name, own in told.items()
    ]
    common.table(
        f"One row to a user's Python model, median of {ROUNDS} runs of {SECONDS} s",
        ["", "requests/s", "× fastest peer", "p50 ms", "p99 ms", "errors"],
        table,
        notes,
    )


if __name__ == "__main__":
    sys.exit(main())
