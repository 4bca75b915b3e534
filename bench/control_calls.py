#!/usr/bin/env python3
"""Claim: describe and list calls a second over 16 connections.

Both servers hold the same training jobs and models, and get requests signed beforehand from the same generator. Argosy
checks every signature and reads from its disk's catalog; moto looks at no signature and keeps everything in memory.
"""

import itertools
import sys

import common

CONNECTIONS = 16
JOBS = 100
MODELS = 100
SECONDS = 3
WARM_UP_SECONDS = 1
SECONDS_FOR_MOTO = 5  # it is slower by far; fewer answers to count
REQUESTS = 4_000  # made and signed beforehand, sent again and again

# What is asked, and the members of the requests, one after another.
CALLS = {
    "DescribeTrainingJob": ("DescribeTrainingJob", lambda: ({"TrainingJobName": f"job-{i}"} for i in range(JOBS))),
    "DescribeModel": ("DescribeModel", lambda: ({"ModelName": f"model-{i}"} for i in range(MODELS))),
    "ListTrainingJobs, pages of 10": ("ListTrainingJobs", lambda: [{"MaxResults": 10}]),
    "ListTrainingJobs, pages of 100": ("ListTrainingJobs", lambda: [{"MaxResults": 100}]),
    "ListTrainingJobs of one name": (
        "ListTrainingJobs",
        lambda: ({"NameContains": f"job-{i}", "MaxResults": 10} for i in range(JOBS)),
    ),
    "ListModels, pages of 10": ("ListModels", lambda: [{"MaxResults": 10}]),
}


def fill(server, request_of, role):
    """The same jobs and models on either side."""
    for i in range(JOBS):
        tell(server, "CreateTrainingJob", request_of(f"job-{i}"))
    container = {"Image": common.LINEAR_LEARNER, "ModelDataUrl": "s3://bench/model.tar.gz", "Environment": {"A": "1"}}
    for i in range(MODELS):
        model = {"ModelName": f"model-{i}", "ExecutionRoleArn": role, "PrimaryContainer": container}
        tell(server, "CreateModel", model)


def tell(server, operation, members):
    status, body = common.ask(server.port, server.signer.sagemaker(operation, members))
    if status != 200:
        raise SystemExit(f"{server.name}: {operation}: {status} {body.decode()}")


def measure(server, folder, seconds):
    """Answers by the names of CALLS."""
    told = {}
    for name, (operation, members) in CALLS.items():
        messages = (
            server.signer.sagemaker(operation, each)
            for each in itertools.islice(itertools.cycle(list(members())), REQUESTS)
        )
        pool = common.write_requests(folder / f"{operation}.requests", messages)
        told[name] = common.generate(server.port, pool, CONNECTIONS, seconds=seconds, warm_up=WARM_UP_SECONDS)
        if told[name]["errors"]:
            raise SystemExit(f"{server.name}: {name}: {told[name]['statuses']}")
    return told


def main():
    notes = [f"{CONNECTIONS} connections, signed; {JOBS} jobs that have ended and {MODELS} models on either side"]
    with common.scratch() as folder:
        with common.Argosy(folder, "--log-level", "error") as argosy:
            uri = argosy.put("bench", "train.csv", common.two_clouds(500))
            fill(argosy, lambda name: argosy.training_request(name, uri, epochs="1"), argosy.role)
            for i in range(JOBS):
                argosy.await_job(f"job-{i}")
            ours = measure(argosy, folder, SECONDS)
            theirs = {}
            if common.Moto.program():
                with common.Moto() as moto:
                    fill(moto, lambda name: argosy.training_request(name, uri, epochs="1"), argosy.role)
                    theirs = measure(moto, folder, SECONDS_FOR_MOTO)
            else:
                notes.append("moto is not installed: pip install -r bench/requirements.txt")
    rows = [row(name, ours[name], theirs.get(name)) for name in CALLS]
    common.table("describe and list", ["", "Argosy/s", "p99 ms", "moto/s", "p99 ms", "ratio"], rows, notes)


def row(name, ours, theirs):
    cells = [name, f"{ours['requests_per_second']:,.0f}", f"{ours['p99_us'] / 1000:.2f}"]
    if theirs is None:
        return (*cells, "–", "–", "–")
    ratio = ours["requests_per_second"] / theirs["requests_per_second"]
    return (*cells, f"{theirs['requests_per_second']:,.0f}", f"{theirs['p99_us'] / 1000:.1f}", f"{ratio:.0f} ×")


if __name__ == "__main__":
    sys.exit(main())
