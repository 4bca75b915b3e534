#!/usr/bin/env python3
"""Claim: what the server costs while nobody asks anything: resident memory, processor time over ten seconds, start-up.

Beside it nginx (a server that does nothing) and moto (the same API in memory), measured in the same way. Argosy's memory
is also shown with an endpoint in service, whose instance is a process of its own.
"""

import os
import re
import statistics
import sys
import time
from pathlib import Path

import common

SECONDS = 10
STARTS = 5


def processes_of(pid):
    """The process and all below it."""
    found, children = [pid], {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    for one in found:
        found.extend(children.get(one, []))
    return found


def resident_mb(pid):
    total = 0
    for one in processes_of(pid):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
        total += int(found[1]) if found else 0
    return total / 1024


def cpu_seconds(pid):
    ticks = 0
    for one in processes_of(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(name, pid, starts):
    before = cpu_seconds(pid)
    time.sleep(SECONDS)
    spent = cpu_seconds(pid) - before
    start = f"{statistics.median(starts) * 1000:,.0f}" if starts else ""
    return name, f"{resident_mb(pid):,.1f}", f"{spent / SECONDS * 100:.1f}", start


def main():
    rows, notes = [], []
    with common.scratch() as folder:
        starts = []
        argosy = common.Argosy(folder)
        for i in range(STARTS):
            argosy.start()
            starts.append(argosy.start_seconds)
            if i + 1 < STARTS:
                argosy.stop()
        rows.append(measure("Argosy, just started", argosy.process.pid, starts))
        artifact = argosy.train(argosy.put("bench", "train.csv", common.two_clouds()), epochs="1")
        argosy.deploy(artifact)
        agent = next(p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_agent(p, argosy.data_dir))
        rows.append(measure("Argosy, after a job and with an endpoint", argosy.process.pid, []))
        rows.append(measure("  the endpoint's instance", agent, []))
        argosy.stop()
        if common.Nginx.installed():
            with common.Nginx(folder) as nginx:
                rows.append(measure("nginx, one worker", nginx.process.pid, [nginx.start_seconds]))
        else:
            notes.append("nginx is not installed")
        if common.Moto.program():
            with common.Moto() as moto:
                rows.append(measure("moto server", moto.process.pid, [moto.start_seconds]))
        else:
            notes.append("moto is not installed: pip install -r bench/requirements.txt")
    common.table(
        f"At rest, over {SECONDS} s; start-up until it answers (Argosy: median of {STARTS})",
        ["", "resident MB", "CPU %", "start-up ms"],
        rows,
        notes,
    )


def is_agent(pid, data_dir):
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"agent" in words and any(str(data_dir).encode() in w for w in words)


if __name__ == "__main__":
    sys.exit(main())
