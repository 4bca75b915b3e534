#!/usr/bin/env python3
"""Claim: from CreateTrainingJob to the algorithm running, and from CreateEndpoint to InService, p50 of 20.

The peer is what the kernel takes to start a process at all (fork, exec and exit of /bin/true): both of Argosy's figures
contain the start of a process of its own.
"""

import subprocess
import sys
import time

import common

TIMES = 20


def endpoints(argosy, config):
    """Seconds from CreateEndpoint to InService, and to the first answer."""
    to_service, to_answer = [], []
    body = b"1,2,3,4,5,6,7,8,9,10\n"
    for i in range(TIMES):
        name = f"latency-{i}"
        begin = time.monotonic()
        argosy.sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config)
        argosy.await_endpoint(name)
        to_service.append(time.monotonic() - begin)
        status, told = argosy.ask(argosy.signer.invocation(name, body))
        assert status == 200, told
        to_answer.append(time.monotonic() - begin)
        argosy.sagemaker("DeleteEndpoint", EndpointName=name)
    return to_service, to_answer


def main():
    with common.scratch() as folder, common.Argosy(folder) as argosy:
        uri = argosy.put("bench", "train.csv", common.two_clouds())
        artifact = argosy.train(uri, epochs="1")
        config = argosy.create_config(artifact)

        to_running, to_completed = [], []
        for i in range(TIMES):
            name = f"latency-{i}"
            begin = time.time()
            argosy.sagemaker("CreateTrainingJob", **argosy.training_request(name, uri, epochs="1"))
            job = argosy.await_job(name)
            assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
            starts = {t["Status"]: t["StartTime"] for t in job["SecondaryStatusTransitions"]}
            to_running.append(starts["Training"] - begin)
            to_completed.append(starts["Completed"] - begin)

        to_service, to_answer = endpoints(argosy, config)

        to_true = []
        for _ in range(TIMES):
            begin = time.monotonic()
            subprocess.run(["/bin/true"], check=True)
            to_true.append(time.monotonic() - begin)

    rows = [
        row("CreateTrainingJob → algorithm running", to_running),
        row("CreateTrainingJob → Completed (500 rows)", to_completed),
        row("CreateEndpoint → InService", to_service),
        row("CreateEndpoint → first answer", to_answer),
        row("peer: fork, exec and exit of /bin/true", to_true),
    ]
    common.table(f"Latency of {TIMES} in a row", ["", "p50 ms", "p99 ms"], rows)


def row(name, seconds):
    return name, f"{common.median(seconds) * 1000:.1f}", f"{common.percentile(seconds, 0.99) * 1000:.1f}"


if __name__ == "__main__":
    sys.exit(main())
