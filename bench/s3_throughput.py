#!/usr/bin/env python3
"""Claim: S3 put and get in MB/s, against `dd` with fsync and `cat` into a socket.

Put: objects are sent by the load generator with their SHA-256 signed, and are durable when they are acknowledged; dd
writes the same bytes to the same disk with one fsync a file. Get: the load generator reads; for the peer `cat` writes the
same file into the generator's connection.
"""

import os
import socket
import subprocess
import sys
import threading
import time

import common

OBJECT_BYTES = 64 << 20
OBJECTS = 8
ROUNDS = 3


def main():
    rows = []
    with common.scratch() as folder, common.Argosy(folder) as argosy:
        body = os.urandom(OBJECT_BYTES)
        source = folder / "source"
        source.write_bytes(body)
        argosy.put("bench", "warm-up", b"x")
        puts = {1: [], 4: []}
        gets = {1: [], 4: []}
        dd, cat = [], []
        for round_number in range(ROUNDS):
            for connections in puts:
                pool = common.write_requests(
                    folder / "put", (argosy.signer.s3("PUT", f"/bench/{connections}-{i}", body) for i in range(OBJECTS))
                )
                told = common.generate(argosy.port, pool, connections, count=OBJECTS)
                puts[connections].append(OBJECTS * OBJECT_BYTES / told["seconds"])
                pool = common.write_requests(
                    folder / "get", (argosy.signer.s3("GET", f"/bench/{connections}-{i}") for i in range(OBJECTS))
                )
                told = common.generate(argosy.port, pool, connections, count=OBJECTS)
                assert told["bytes_received"] > OBJECTS * OBJECT_BYTES, told
                gets[connections].append(OBJECTS * OBJECT_BYTES / told["seconds"])
            dd.append(by_dd(folder, source))
            cat.append(by_cat(folder, source))
            (folder / "put").unlink()
    rows.append(("put, 1 connection", mb(puts[1]), "dd conv=fsync", mb(dd), ratio(puts[1], dd)))
    rows.append(("put, 4 connections", mb(puts[4]), "dd conv=fsync", mb(dd), ratio(puts[4], dd)))
    rows.append(("get, 1 connection", mb(gets[1]), "cat to a socket", mb(cat), ratio(gets[1], cat)))
    rows.append(("get, 4 connections", mb(gets[4]), "cat to a socket", mb(cat), ratio(gets[4], cat)))
    common.table(
        f"S3, {OBJECTS} objects of {OBJECT_BYTES >> 20} MiB, median of {ROUNDS}",
        ["", "Argosy MB/s", "peer", "peer MB/s", "ratio"],
        rows,
        ["a put carries SHA-256 and MD5 of its bytes (integrity and ETag); dd computes neither"],
    )


def by_dd(folder, source):
    begin = time.monotonic()
    for i in range(OBJECTS):
        subprocess.run(
            ["dd", f"if={source}", f"of={folder / f'dd-{i}'}", "bs=1M", "conv=fsync", "status=none"], check=True
        )
    seconds = time.monotonic() - begin
    for i in range(OBJECTS):
        (folder / f"dd-{i}").unlink()
    return OBJECTS * OBJECT_BYTES / seconds


def by_cat(folder, source):
    """A server of the plainest kind: a header, then `cat` with the connection as its standard output."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                for _ in range(OBJECTS):
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % OBJECT_BYTES)
                    subprocess.run(["cat", source], stdout=connection, check=True)

        server = threading.Thread(target=serve)
        server.start()
        pool = common.write_requests(folder / "cat", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
        told = common.generate(listener.getsockname()[1], pool, 1, count=OBJECTS)
        server.join()
    return OBJECTS * OBJECT_BYTES / told["seconds"]


def mb(rates):
    return f"{common.median(rates) / 1e6:,.0f}"


def ratio(ours, theirs):
    return f"{common.median(ours) / common.median(theirs):.2f}"


if __name__ == "__main__":
    sys.exit(main())
