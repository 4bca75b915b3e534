"""Finds and ends the processes of one data directory, and no others."""

import json
import os
import signal
import time
from pathlib import Path


class Timeout(AssertionError):
    """What was waited for did not come."""


def wait_for(condition, seconds, what, every=0.02):
    """Polls `condition` until it gives something true, and gives that back; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"not within {seconds} s: {what}")
        time.sleep(every)


def _stat_fields(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        text = f.read()
    return text[text.rindex(b")") + 2 :].split()


def start_time(pid):
    """Start time of a process in clock ticks since boot; None when it is not there or only a zombie is left."""
    try:
        fields = _stat_fields(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def alive(pid):
    return start_time(pid) is not None


def of_data_dir(data_dir, program):
    """Pids of living processes of `program` whose command line or working directory lies in the data directory."""
    found = []
    data = os.fsencode(str(Path(data_dir).resolve()))
    program = os.fsencode(str(Path(program).resolve()))
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if os.readlink(b"/proc/%s/exe" % entry.encode()).replace(b" (deleted)", b"") != program:
                continue
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                arguments = f.read()
            cwd = os.readlink(b"/proc/%s/cwd" % entry.encode())
        except OSError:
            continue
        here = any(a == data or a.startswith(data + b"/") or a.endswith(b"=" + data) for a in arguments.split(b"\0"))
        if (here or cwd == data or cwd.startswith(data + b"/")) and alive(int(entry)):
            found.append(int(entry))
    return found


def agents(data_dir):
    """{instance id: agent.json} of the agents that live, as their instance directories tell."""
    found = {}
    for file in Path(data_dir).glob("instances/*/agent.json"):
        try:
            told = json.loads(file.read_text())
        except (OSError, ValueError):
            continue  # being written or swept
        pid = int(told.get("pid", 0))
        if pid and alive(pid):
            found[file.parent.name] = told
    return found


def await_agents(data_dir, count):
    """What agents() gives once it gives so many: an agent writes who it is beside its work, not before."""
    wait_for(lambda: len(agents(data_dir)) == count, 30, f"{count} agents to have told who they are")
    return agents(data_dir)


def kill(pid, sig=signal.SIGKILL):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def kill_and_wait(pids, seconds=10):
    """kill -9, and waits until none of them runs."""
    pids = list(pids)
    for pid in pids:
        kill(pid)
    wait_for(lambda: not any(alive(p) for p in pids), seconds, f"processes {pids} to end after SIGKILL")
