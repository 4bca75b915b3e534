#!/usr/bin/env python3
"""Claim: whoever downloads large objects holds up nobody who asks an endpoint.

An open loop asks a linear model 500 times a second on 64 connections, alone and while clients get objects of 256 MB as fast
as they come: from memory, and from the disk (what the kernel keeps of the files is dropped five times a second).
"""

import os
import sys
import threading
import time

import common

OBJECT_BYTES, OBJECTS = 256 << 20, 8
RATE, CONNECTIONS, SECONDS = 500, 64, 8
BESIDE = (("alone", 0, "memory"), ("1 download", 1, "memory"), ("16 downloads", 16, "memory"))
BESIDE += (("1 download from the disk", 1, "disk"), ("4 downloads from the disk", 4, "disk"))


class Downloads:
    """So many clients that get objects until the end of the block, and how many MB/s they got."""

    def __init__(self, argosy, requests, files, clients, source):
        self.argosy, self.requests, self.clients = argosy, requests, clients
        self.files = files if source == "disk" else []
        self.over, self.megabytes = threading.Event(), 0.0
        self.threads = [threading.Thread(target=self.get), threading.Thread(target=self.forget)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def get(self):
        if not self.clients:
            return
        told = common.generate(self.argosy.port, self.requests, self.clients, seconds=SECONDS + 1)
        self.megabytes = told["bytes_received"] / told["seconds"] / 1e6

    def forget(self):
        while self.files and not self.over.wait(0.2):
            for file in self.files:
                descriptor = os.open(file, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def main():
    rows = []
    with common.scratch() as folder, common.Argosy(folder, "--log-level", "error") as argosy:
        table = "".join(f"{i % 2},{i % 17},{i % 5}\n" for i in range(2000)).encode()
        endpoint = argosy.deploy(argosy.train(argosy.put("bench", "table.csv", table)))
        for i in range(OBJECTS):
            argosy.put("bench", f"large-{i}", os.urandom(OBJECT_BYTES))
        files = [path for path in folder.rglob("large-*") if path.is_file()]
        sign = argosy.signer
        asked = common.write_requests(
            folder / "asked", (sign.invocation(endpoint, f"{i % 17},{i % 5}".encode()) for i in range(5000))
        )
        gets = common.write_requests(folder / "gets", (sign.s3("GET", f"/bench/large-{i}") for i in range(OBJECTS)))
        for name, clients, source in BESIDE:
            with Downloads(argosy, gets, files, clients, source) as downloads:
                told = common.generate(argosy.port, asked, CONNECTIONS, seconds=SECONDS - 1, rate=RATE)
            megabytes = f"{downloads.megabytes:,.0f}" if clients else ""
            rows.append((name, f"{told['p50_us'] / 1000:.2f}", f"{told['p99_us'] / 1000:.1f}", megabytes, told["errors"]))
    common.table(
        f"{RATE} invocations a second beside downloads of {OBJECT_BYTES >> 20} MB",
        ["", "p50 ms", "p99 ms", "downloads MB/s", "errors"],
        rows,
        ["server, instance and both load generators share the machine"],
    )


if __name__ == "__main__":
    sys.exit(main())
