#!/usr/bin/env python3
"""Claim: one-row invocations of a linear model a second, over 64 and 1,000 connections, with authentication on.

The peer is nginx with `return 200`: it answers the same requests without looking at them, with a body of the same size.
Both are driven in turn by the same generator with the same pool of differently signed requests.
"""

import contextlib
import random
import sys

import common

POOL = 12_000  # different rows, so different bodies, hashes and signatures
SECONDS = 4
WARM_UP = 1
ROUNDS = 3
FEATURES = 10


def main():
    rows, notes = [], [f"{POOL:,} differently signed requests, rows of {FEATURES} features as CSV, answers as JSON"]
    with common.scratch() as folder, common.Argosy(folder, "--log-level", "error") as argosy:
        artifact = argosy.train(argosy.put("bench", "train.csv", common.two_clouds()), epochs="3")
        endpoint = argosy.deploy(artifact)
        chance = random.Random(1)
        bodies = [",".join(f"{chance.gauss(0.5, 1.2):.8f}" for _ in range(FEATURES)).encode() for _ in range(POOL)]
        notes.append(f"request bodies of {sum(map(len, bodies)) // len(bodies)} bytes")
        status, answer = argosy.ask(argosy.signer.invocation(endpoint, bodies[0]))
        assert status == 200, answer
        peers = {"Argosy": argosy}
        with contextlib.ExitStack() as stack:
            if common.Nginx.installed():
                peers["nginx return 200"] = stack.enter_context(common.Nginx(folder, answer.decode()))
            else:
                notes.append("nginx is not installed")
            for connections in (64, 1000):
                # Signed anew for each, since a signature is good for a quarter of an hour only.
                pool = common.write_requests(
                    folder / "pool", (argosy.signer.invocation(endpoint, body) for body in bodies)
                )
                told = common.in_turn(peers, pool, connections, ROUNDS, SECONDS, WARM_UP)
                rate = {n: common.median([t["requests_per_second"] for t in runs]) for n, runs in told.items()}
                for name, runs in told.items():
                    rows.append(
                        (
                            f"{name}, {connections} connections",
                            f"{rate[name]:,.0f}",
                            f"{common.median([t['p50_us'] for t in runs]) / 1000:.2f}",
                            f"{common.median([t['p99_us'] for t in runs]) / 1000:.2f}",
                            f"{rate[name] / rate['nginx return 200']:.2f}" if "nginx return 200" in rate else "",
                            sum(t["errors"] for t in runs),
                        )
                    )
    common.table(
        f"One-row invocations, median of {ROUNDS} runs of {SECONDS} s in turn",
        ["", "requests/s", "p50 ms", "p99 ms", "× nginx", "errors"],
        rows,
        notes,
    )


if __name__ == "__main__":
    sys.exit(main())
