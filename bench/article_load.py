#!/usr/bin/env python3
"""Claim: an endpoint follows its load within seconds.

The shape of a published load test of a KDD99 model on a managed service: from nothing to 1,000 users in the first half,
then held, at about one request a second for each user; scaling at 30,000 and at 15,000 requests a minute for each
instance, up to 10 instances. There a new instance took 5 to 7 minutes, longer than most peaks. Here the same shape runs
in minutes (LOAD_SECONDS, 120): the load is an open loop, so what is not answered in time is seen.

Writes a plot beside the table: users, requests a second, latency and instances (ARTICLE_PLOT, article_load.svg).
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import common

PUBLISHED_MEAN, PUBLISHED_FULL = 961, 1200  # requests a second
USERS = 1000  # at a request a second each
LOAD_SECONDS = float(os.environ.get("LOAD_SECONDS", "120"))
THRESHOLDS = (30_000, 15_000)
INSTANCES_MAX = 10
STEPS = 10
PLOT = Path(os.environ.get("ARTICLE_PLOT", "article_load.svg"))
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def autoscaling(argosy, operation, members):
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"AnyScaleFrontendService.{operation}"}
    body = json.dumps({"ServiceNamespace": "sagemaker", "ScalableDimension": DIMENSION, **members}).encode()
    status, told = argosy.ask(argosy.signer.sign("POST", "/", "application-autoscaling", headers, body))
    if status != 200:
        raise SystemExit(f"{operation}: {status} {told.decode()}")
    return json.loads(told)


def follow(argosy, endpoint, threshold):
    resource = f"endpoint/{endpoint}/variant/AllTraffic"
    autoscaling(
        argosy, "RegisterScalableTarget", {"ResourceId": resource, "MinCapacity": 1, "MaxCapacity": INSTANCES_MAX}
    )
    configuration = {
        "TargetValue": threshold,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 0,
    }
    autoscaling(
        argosy,
        "PutScalingPolicy",
        {
            "PolicyName": "follow",
            "ResourceId": resource,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration,
        },
    )


def run(argosy, folder, endpoint, rows):
    """Per-second lines of the generator, and (seconds, instances) as they changed."""
    pool = common.write_requests(folder / "pool", (argosy.signer.invocation(endpoint, row) for row in rows))
    timeline = folder / "timeline"
    seen, stop = [], threading.Event()
    begin = time.monotonic()

    def watch():
        while not stop.is_set():
            described = argosy.sagemaker("DescribeEndpoint", EndpointName=endpoint)
            count = described["ProductionVariants"][0]["CurrentInstanceCount"]
            if not seen or seen[-1][1] != count:
                seen.append((time.monotonic() - begin, count))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    more = ["--ramp", str(LOAD_SECONDS / 2), "--timeline", str(timeline)]
    told = common.generate(argosy.port, pool, 256, seconds=LOAD_SECONDS, rate=USERS, more=more)
    stop.set()
    watcher.join()
    seconds = [[float(x) for x in line.split(",")] for line in timeline.read_text().splitlines()]
    return told, seconds, seen


def ask_again(argosy, folder, endpoint, rows):
    """The same users, each asking again as soon as it has its answer; they come in ten steps. Gives answers a second in
    the mean and with all users, p99 in ms with all users, failed."""
    requests = [argosy.signer.invocation(endpoint, row) for row in rows]
    pool = common.write_requests(folder / "pool", requests)
    steps = [(USERS * i // STEPS, LOAD_SECONDS / 2 / STEPS) for i in range(1, STEPS + 1)] + [(USERS, LOAD_SECONDS / 2)]
    told = [common.generate(argosy.port, pool, users, seconds=seconds) for users, seconds in steps]
    answered = sum(t["ok_per_second"] * seconds for t, (_, seconds) in zip(told, steps))
    full = told[-1]
    return answered / LOAD_SECONDS, full["ok_per_second"], full["p99_us"] / 1000, sum(t["errors"] for t in told)


def line(points, x_max, y_max, left, top, width, height, colour):
    path = " ".join(f"{left + width * x / x_max:.1f},{top + height * (1 - y / y_max):.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>'


def plot(results, path):
    """Three panels for each threshold: users and requests a second, latency, instances."""
    parts, left, width, height, top = [], 60, 420, 110, 30
    for column, (threshold, (_, seconds, seen)) in enumerate(results.items()):
        x = left + column * (width + 70)
        parts.append(f'<text x="{x}" y="18">{threshold:,} requests/min for each instance</text>')
        users = [(t, USERS * min(1, t / (LOAD_SECONDS / 2))) for t in range(int(LOAD_SECONDS) + 1)]
        asked = [(s[0] + 0.5, s[2]) for s in seconds]
        steps = []
        for (at, count), (until, _) in zip(seen, seen[1:] + [(LOAD_SECONDS, 0)]):
            steps += [(at, count), (until, count)]
        slowest = max(s[4] for s in seconds) / 1000
        panels = (
            ("users (grey), answers/s", USERS * 1.2, [(users, "#999"), (asked, "#06c")]),
            ("latency ms, p50 and p99", slowest * 1.1, [([(s[0] + 0.5, s[3] / 1000) for s in seconds], "#06c"),
                                                        ([(s[0] + 0.5, s[4] / 1000) for s in seconds], "#c30")]),
            ("instances", INSTANCES_MAX, [(steps, "#060")]),
        )
        for row, (title, y_max, curves) in enumerate(panels):
            y = top + row * (height + 40)
            parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="#ccc"/>')
            parts.append(f'<text x="{x + 4}" y="{y + 14}">{title}</text>')
            parts.append(f'<text x="{x - 4}" y="{y + 10}" text-anchor="end">{y_max:.0f}</text>')
            parts.append(f'<text x="{x + width}" y="{y + height + 14}" text-anchor="end">{LOAD_SECONDS:.0f} s</text>')
            parts += [line(points, LOAD_SECONDS, y_max, x, y, width, height, colour) for points, colour in curves]
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * (width + 70) + 20}" height="{top + 3 * (height + 40)}" '
    path.write_text(whole + 'font-family="sans-serif" font-size="11">' + "\n".join(parts) + "</svg>\n")


def main():
    results, rows, again = {}, [], []
    with common.scratch() as folder, common.Argosy(folder, "--log-level", "error") as argosy:
        artifact = argosy.train(argosy.put("bench", "train.csv", common.two_clouds()), epochs="3")
        bodies = [",".join(f"{(i * 37 + j) % 101 / 50:.4f}" for j in range(10)).encode() for i in range(20_000)]
        for threshold in THRESHOLDS:
            endpoint = argosy.deploy(artifact)
            follow(argosy, endpoint, threshold)
            told, seconds, seen = results[threshold] = run(argosy, folder, endpoint, bodies)
            mean, full, p99, failed = ask_again(argosy, folder, endpoint, bodies)
            again.append((f"{threshold:,}/min", f"{mean:,.0f}", f"{full:,.0f}", f"{p99:.1f}", failed))
            argosy.sagemaker("DeleteEndpoint", EndpointName=endpoint)
            rows.append(
                (
                    f"{threshold:,}/min",
                    f"{told['ok_per_second']:,.0f}",
                    told["errors"] + told["unsent"],
                    f"{told['p50_us'] / 1000:.2f}",
                    f"{told['p99_us'] / 1000:.2f}",
                    max(count for _, count in seen),
                    " ".join(f"{count}@{at:.0f}s" for at, count in seen),
                )
            )
    plot(results, PLOT)
    common.table(
        f"0 to {USERS:,} users in {LOAD_SECONDS / 2:.0f} s, then held for {LOAD_SECONDS / 2:.0f} s",
        ["threshold", "answered/s, mean", "failed", "p50 ms", "p99 ms", "instances", "when"],
        rows,
        [f"the plot is {PLOT}"],
    )
    common.table(
        "The same users, each asking again as soon as it has its answer",
        ["threshold", "answered/s, mean", "with all users", "p99 ms", "failed"],
        again,
        [f"published: {PUBLISHED_MEAN:,} in the mean, {PUBLISHED_FULL:,} with all users"],
    )


if __name__ == "__main__":
    sys.exit(main())
