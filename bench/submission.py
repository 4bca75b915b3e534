#!/usr/bin/env python3
"""Claim: durable training-job submissions a second over 16 connections.

Argosy flushes every submission to disk before it answers; moto keeps them in memory. Both get requests signed beforehand
from the same generator. One job holds the only host, and is itself held by SIGSTOP, so that what is measured is
submission and not training. At the end the server is killed with SIGKILL and started again, and what it acknowledged is
looked for.
"""

import json
import os
import random
import signal
import sys

import common

CONNECTIONS = 16
SUBMISSIONS = 40_000
SUBMISSIONS_TO_MOTO = 2_000  # it is slower by far; more would only take longer
CHECKED = 500


def main():
    rows = []
    notes = [f"{CONNECTIONS} connections; every request with a signature of its own"]
    with common.scratch() as folder:
        with common.Argosy(folder, "--hosts-max", "1", "--log-level", "error") as argosy:
            uri = argosy.put("bench", "train.csv", common.two_clouds(20_000))
            argosy.sagemaker(
                "CreateTrainingJob",
                **argosy.training_request("holds-the-host", uri, epochs="1000000", early_stopping_patience="1000000"),
            )
            common.poll(
                lambda: (
                    argosy.sagemaker("DescribeTrainingJob", TrainingJobName="holds-the-host")["SecondaryStatus"]
                    == "Training"
                ),
                "the job that holds the host",
            )
            (holder,) = (argosy.data_dir / "instances").glob("*/agent.json")
            os.kill(json.loads(holder.read_text())["pid"], signal.SIGSTOP)
            names = [f"job-{i}" for i in range(SUBMISSIONS)]
            messages = (
                argosy.signer.sagemaker("CreateTrainingJob", argosy.training_request(n, uri, epochs="1")) for n in names
            )
            pool = common.write_requests(folder / "argosy.requests", messages)
            told = common.generate(argosy.port, pool, CONNECTIONS, count=SUBMISSIONS)
            rows.append(row("Argosy, durable", told))
            argosy.process.kill()
            argosy.process.wait()
            argosy.start()
            lost = 0
            for name in random.sample(names, CHECKED):
                try:
                    argosy.sagemaker("DescribeTrainingJob", TrainingJobName=name)
                except RuntimeError:
                    lost += 1
            notes.append(f"after kill -9 and a restart {lost} of {CHECKED} acknowledged jobs looked for were missing")
            if told["errors"]:
                notes.append(f"{told['errors']} submissions were refused: {told['statuses']}")
            if common.Moto.program():
                with common.Moto() as moto:
                    requests = (
                        moto.signer.sagemaker("CreateTrainingJob", argosy.training_request(f"job-{i}", uri, epochs="1"))
                        for i in range(SUBMISSIONS_TO_MOTO)
                    )
                    pool = common.write_requests(folder / "moto.requests", requests)
                    rows.append(
                        row(
                            "moto server, in memory",
                            common.generate(moto.port, pool, CONNECTIONS, count=SUBMISSIONS_TO_MOTO),
                        )
                    )
            else:
                notes.append("moto is not installed: pip install -r bench/requirements.txt")
    common.table("CreateTrainingJob", ["", "submissions/s", "p50 ms", "p99 ms", "submitted"], rows, notes)


def row(name, told):
    return (
        name,
        f"{told['requests_per_second']:,.0f}",
        f"{told['p50_us'] / 1000:.2f}",
        f"{told['p99_us'] / 1000:.2f}",
        f"{told['requests']:,}",
    )


if __name__ == "__main__":
    sys.exit(main())
