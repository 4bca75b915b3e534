#!/usr/bin/env python3
"""Claim: at twice the load it can take, an endpoint loses nothing of its capacity, and who is admitted waits for nothing.

A user's model that computes for 2 ms a request. First a closed loop says what the endpoint can take; then an open loop
asks for twice that, whatever happens (no coordinated omission). What is not admitted is answered 503 with Retry-After at
once.
"""

import io
import sys
import tarfile
import threading
import time

import common

IMAGE = "argosy/python:1"
SCRIPT = """
import time

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    end = time.thread_time() + 0.002
    while time.thread_time() < end:
        pass
    return "1"

def output_fn(prediction, accept):
    return prediction, accept
"""
CONNECTIONS = 512
SECONDS = 10
WARM_UP = 5


def packed():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT)
        archive.addfile(member, io.BytesIO(SCRIPT.encode()))
    return out.getvalue()


def refusals(port, message, stop, out):
    """Asks now and then on a connection of its own; seconds that an answer of 503 took, from connecting to its end."""
    while not stop.wait(0.2):
        begin = time.monotonic()
        try:
            status, _ = common.ask(port, message)
        except OSError:
            continue
        if status == 503:
            out.append(time.monotonic() - begin)


def run(folder):
    """(capacity's figures, [(times of it, what the open loop told, seconds that refusals took)])"""
    with common.Argosy(folder, "--log-level", "error") as argosy:
        endpoint = argosy.deploy(argosy.put("bench", "model.tar.gz", packed()), image=IMAGE)
        bodies = [f"{i},{i * 7 % 13}".encode() for i in range(10_000)]
        pool = common.write_requests(folder / "pool", (argosy.signer.invocation(endpoint, b) for b in bodies))
        closed = common.generate(argosy.port, pool, 16, seconds=SECONDS, warm_up=WARM_UP)
        out = []
        for times in (0.8, 2):
            rate, refused, stop = times * closed["ok_per_second"], [], threading.Event()
            message = argosy.signer.invocation(endpoint, bodies[0])
            prober = threading.Thread(target=refusals, args=(argosy.port, message, stop, refused))
            prober.start()
            told = common.generate(argosy.port, pool, CONNECTIONS, seconds=SECONDS, warm_up=WARM_UP, rate=rate)
            stop.set()
            prober.join()
            out.append((times, told, refused))
        return closed, out


def main():
    with common.scratch() as folder:
        closed, loops = run(folder)
    capacity = closed["ok_per_second"]
    rows = [("what it can take, 16 connections", f"{capacity:,.0f}", "", f"{closed['p99_us'] / 1000:.1f}", 0, "", 0)]
    for times, told, refused in loops:
        rows.append(
            (
                f"open loop, {times} × that",
                f"{told['ok_per_second']:,.0f}",
                common.ratio(told["ok_per_second"], capacity),
                f"{told['p99_us'] / 1000:.1f}",
                told["statuses"].get("503", 0),
                f"{common.median(refused) * 1000:.1f}" if refused else "",
                told["errors"] - told["statuses"].get("503", 0),
            )
        )
    common.table(
        "A model of 2 ms of computing a request",
        ["", "answered/s", "× capacity", "p99 ms of those", "503", "p50 ms of some", "other errors"],
        rows,
        [f"{CONNECTIONS} connections in the open loop; latency counts from when a request fell due"],
    )


if __name__ == "__main__":
    sys.exit(main())
