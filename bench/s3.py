#!/usr/bin/env python3
"""Claim: S3 at the speed of the disk and the loopback, beside MinIO.

  large    8 MB and 1 GB objects, put and got by 1 and by 16 clients; also `dd` with fsync and `cat` into a socket
  small    10,000 objects of 4 KB: put, got and deleted by 16 clients, listed by one
  list     all of many keys, page after page, and their folders by a delimiter, again and again, by one client
  outside  large objects put, got, and got again through Argosy whose objects lie in MinIO, beside MinIO itself; a job whose
           channel is a thousand small objects there, from its start to its algorithm's

Every put carries the SHA-256 of its bytes and is durable when it is acknowledged; dd writes the same bytes to the same disk
with one fsync a file. `s3.py [large] [small] [list] [outside]` picks some; --keys N says how many keys the list has (a million takes
MinIO half an hour to take in).
"""

import argparse
import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import common

SMALL_BYTES, SMALL_OBJECTS = 4 << 10, 10_000
# bytes of an object, clients, objects
OUTSIDE = ((8 << 20, 1, 16), (1 << 30, 1, 2))
CHANNEL_OBJECTS = 1000
FOLDER_LISTS = 200
LARGE = ((8 << 20, 1, 32), (8 << 20, 16, 64), (1 << 30, 1, 2), (1 << 30, 16, 16))


class Target:
    """One server, and the bucket of one part of the bench."""

    def __init__(self, server, folder, bucket):
        self.server, self.folder, self.bucket = server, folder, bucket
        self.ask("PUT", "")

    def ask(self, method, path):
        status, told = common.ask(self.server.port, self.server.signer.s3(method, f"/{self.bucket}{path}"))
        assert status // 100 == 2, (self.server.name, method, path, status, told)
        return told

    def seconds(self, method, keys, clients, body=b""):
        """All keys once, by so many clients."""
        digest = hashlib.sha256(body).hexdigest()
        sign = self.server.signer.s3
        return self.generated((sign(method, f"/{self.bucket}/{key}", body, digest) for key in keys), clients, len(keys))

    def query_seconds(self, query, count):
        """One GET of the bucket so many times, by one client."""
        return self.generated([self.server.signer.s3("GET", f"/{self.bucket}?{query}")], 1, count)

    def generated(self, requests, clients, count):
        pool = common.write_requests(self.folder / "pool", requests)
        told = common.generate(self.server.port, pool, clients, count=count)
        assert told["errors"] == 0, (self.server.name, told)
        pool.unlink()
        return told["seconds"]

    def list_seconds(self, query):
        """Every page of a listing; gives the time and how many keys and prefixes there were."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        token, found, begin = "", 0, time.monotonic()
        while token is not None:
            after = f"continuation-token={quoted(token)}&" if token else ""
            message = self.server.signer.s3("GET", f"/{self.bucket}?{after}{query}")
            head, _, _ = message.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            connection.request("GET", first.split(" ")[1], headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            found += text.count("<Contents>") + text.count("<CommonPrefixes>")
            more = re.search(r"<NextContinuationToken>([^<]+)<", text)
            token = more.group(1) if more else None
        return time.monotonic() - begin, found


def quoted(text):
    return "".join(c if c.isalnum() or c in "-._~" else f"%{ord(c):02X}" for c in text)


def large(servers, folder):
    rows = []
    for size, clients, objects in LARGE:
        body = os.urandom(size)
        megabytes = size * objects / 1e6
        keys = [f"{size}-{clients}-{i}" for i in range(objects)]
        puts, gets = {}, {}
        for server in servers:
            target = Target(server, folder, f"large-{size >> 20}-{clients}")
            puts[server.name] = megabytes / target.seconds("PUT", keys, clients, body)
            gets[server.name] = megabytes / target.seconds("GET", keys, clients)
            target.seconds("DELETE", keys, clients)
        dd, cat = by_dd(folder, body, objects), by_cat(folder, body, objects)
        name = f"{objects} × {size >> 20} MB, {clients} client{'s'[: clients > 1]}"
        rows.append((f"put, {name}", *compared(puts), f"dd {dd:,.0f}", f"{puts['Argosy'] / dd:.2f}"))
        rows.append((f"get, {name}", *compared(gets), f"cat {cat:,.0f}", f"{gets['Argosy'] / cat:.2f}"))
        print("  ", *rows[-2:], sep="\n  ", file=sys.stderr)
    common.table("Large objects, MB/s", ["", "Argosy", "MinIO", "ratio", "disk, loopback", "ratio"], rows, [])


def small(servers, folder):
    body, keys = os.urandom(SMALL_BYTES), [f"folder-{i % 100}/{i}" for i in range(SMALL_OBJECTS)]
    rates = {what: {} for what in ("put", "list", "get", "delete")}
    for server in servers:
        target = Target(server, folder, "small")
        rates["put"][server.name] = SMALL_OBJECTS / target.seconds("PUT", keys, 16, body)
        seconds, found = target.list_seconds("list-type=2")
        assert found == SMALL_OBJECTS
        rates["list"][server.name] = SMALL_OBJECTS / seconds
        rates["get"][server.name] = SMALL_OBJECTS / target.seconds("GET", keys, 16)
        rates["delete"][server.name] = SMALL_OBJECTS / target.seconds("DELETE", keys, 16)
    rows = [(what, *compared(found)) for what, found in rates.items()]
    common.table(f"{SMALL_OBJECTS:,} objects of 4 KB, objects a second", ["", "Argosy", "MinIO", "ratio"], rows, [])


def listing(servers, folder, count):
    keys = [f"year-{i % 20:02}/month-{i % 12:02}/{i}" for i in range(count)]
    rows = {"all keys": {}, "by prefix year-07/": {}, "folders by delimiter": {}}
    for server in servers:
        target = Target(server, folder, "many")
        for at in range(0, count, 50_000):  # a signature is good for a quarter of an hour
            target.seconds("PUT", keys[at : at + 50_000], 16, b"x")
        for what, query in zip(rows, ("list-type=2", "list-type=2&prefix=year-07%2F")):
            seconds, found = target.list_seconds(query)
            rows[what][server.name] = found / seconds
        folders = "delimiter=%2F&list-type=2"  # one page
        _, found = target.list_seconds(folders)
        rows["folders by delimiter"][server.name] = found * FOLDER_LISTS / target.query_seconds(folders, FOLDER_LISTS)
    named = [(what, *compared(found)) for what, found in rows.items()]
    common.table(f"Listing {count:,} keys, entries a second", ["", "Argosy", "MinIO", "ratio"], named, [])


def outside(folder):
    keys = folder / "keys"
    with common.Minio(folder) as minio:
        keys.write_text(
            f"[default]\naws_access_key_id={minio.signer.access_key}\naws_secret_access_key={minio.signer.secret}\n"
        )
        there = Target(minio, folder, "there")
        store = ["--object-store", "s3://there/objects", "--object-store-endpoint", f"http://127.0.0.1:{minio.port}"]
        with common.Argosy(folder, *store, "--object-store-credentials", keys) as argosy:
            rows = [row for shape in OUTSIDE for row in through(argosy, there, *shape)]
            common.table("Objects outside, MB/s", ["", "Argosy", "MinIO", "ratio"], rows, [])
            print(f"\na channel of {CHANNEL_OBJECTS:,} objects outside: {channel_seconds(argosy):.2f} s to the algorithm")
            status = Path(f"/proc/{argosy.process.pid}/status").read_text()
            print(f"resident memory of the server at its most: {re.search(r'VmHWM: *(.*)', status).group(1).strip()}")


def through(argosy, there, size, clients, objects):
    body, megabytes = os.urandom(size), size * objects / 1e6
    names = [f"{size}-{i}" for i in range(objects)]
    ours = Target(argosy, argosy.data_dir.parent, f"outside-{size >> 20}")
    rates = {}
    for target in (ours, there):
        for what, method in (("put", "PUT"), ("get", "GET"), ("get again", "GET")):
            seconds = target.seconds(method, names, clients, body if method == "PUT" else b"")
            rates[what, target.server.name] = megabytes / seconds
        target.seconds("DELETE", names, clients)
    name = f"{objects} × {size >> 20} MB, {clients} client{'s'[: clients > 1]}"
    for what in ("put", "get", "get again"):
        yield f"{what}, {name}", *compared({server: rate for (told, server), rate in rates.items() if told == what})


def channel_seconds(argosy):
    rows = "\n".join(f"{i % 2},{i % 7},{i % 5}" for i in range(20)).encode()
    target = Target(argosy, argosy.data_dir.parent, "channel")
    target.seconds("PUT", [f"train/{i:04}.csv" for i in range(CHANNEL_OBJECTS)], 16, rows)
    begin = time.monotonic()
    name = f"bench-{os.getpid()}"
    request = argosy.training_request(name, "s3://channel/train/", epochs="1")
    argosy.sagemaker("CreateTrainingJob", **request)
    common.poll(
        lambda: argosy.sagemaker("DescribeTrainingJob", TrainingJobName=name)["SecondaryStatus"]
        not in ("Starting", "Pending", "Downloading"),
        "the job to have its channel",
    )
    seconds = time.monotonic() - begin
    argosy.await_job(name)
    return seconds


def compared(rates):
    ours, theirs = rates["Argosy"], rates.get("MinIO")
    return f"{ours:,.0f}", f"{theirs:,.0f}" if theirs else "–", f"{ours / theirs:.2f}" if theirs else "–"


def by_dd(folder, body, objects):
    source = folder / "source"
    source.write_bytes(body)
    begin = time.monotonic()
    for i in range(objects):
        subprocess.run(
            ["dd", f"if={source}", f"of={folder / f'dd-{i}'}", "bs=1M", "conv=fsync", "status=none"], check=True
        )
    seconds = time.monotonic() - begin
    for i in range(objects):
        (folder / f"dd-{i}").unlink()
    return len(body) * objects / seconds / 1e6


def by_cat(folder, body, objects):
    """A server of the plainest kind: a header, then `cat` with the connection as its standard output."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                for _ in range(objects):
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
                    subprocess.run(["cat", folder / "source"], stdout=connection, check=True)

        server = threading.Thread(target=serve)
        server.start()
        pool = common.write_requests(folder / "cat", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
        told = common.generate(listener.getsockname()[1], pool, 1, count=objects)
        server.join()
    return len(body) * objects / told["seconds"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], "large", "small", "list", "outside"])
    parser.add_argument("--keys", type=int, default=100_000)
    asked = parser.parse_args()
    parts = asked.parts or ["large", "small", "list", "outside"]
    if common.Minio.program() is None:
        print("  note: there is no minio on the PATH: no peer", file=sys.stderr)
    if "outside" in parts and common.Minio.program() is not None:
        with common.scratch() as folder:
            outside(folder)
    for part, run in (("large", large), ("small", small), ("list", lambda *a: listing(*a, asked.keys))):
        if part not in parts:
            continue
        with common.scratch() as folder, common.Argosy(folder) as argosy:
            if common.Minio.program() is None:
                run([argosy], folder)
                continue
            with common.Minio(folder) as minio:
                run([argosy, minio], folder)


if __name__ == "__main__":
    sys.exit(main())
