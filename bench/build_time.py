#!/usr/bin/env python3
"""Claim: a clean build of everything takes minutes, a change seconds.

Builds the release preset in a directory of its own, without the compiler cache; then the dev preset, which is for editing,
and that again after touching one file at a time. The budget for the clean release build is six minutes on two cores. There
is no peer: the figure beside is the number of translation units.
"""

import json
import os
import subprocess
import sys
import time

import common

TOUCHED = (
    ("nothing", None),
    ("a handler (src/api/sagemaker/models.cc)", "src/api/sagemaker/models.cc"),
    ("the HTTP parser (src/http/parser.cc)", "src/http/parser.cc"),
    ("an interface (src/objectstore/object_store.h)", "src/objectstore/object_store.h"),
    ("what all include (src/base/result.h)", "src/base/result.h"),
)


def run(command, env):
    begin = time.monotonic()
    done = subprocess.run(command, cwd=common.REPOSITORY, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout[-4000:] + done.stderr[-4000:])
    return time.monotonic() - begin


def main():
    env = {**os.environ, "CCACHE_DISABLE": "1"}
    rows = []
    with common.scratch() as folder:
        for preset in ("release", "dev"):
            build = str(folder / preset)
            rows.append((f"{preset}: configure", seconds(run(["cmake", "--preset", preset, "-B", build], env))))
            units = len(json.loads((folder / preset / "compile_commands.json").read_text()))
            rows.append((f"{preset}: clean build, {units} translation units", seconds(run(["ninja", "-C", build], env))))
        for what, file in TOUCHED:
            if file is not None:
                path = common.REPOSITORY / file
                if not path.exists():
                    continue
                path.touch()
            rows.append((f"dev: after a change of {what}", seconds(run(["ninja", "-C", build], env))))
    common.table("Builds without a compiler cache", ["", "seconds"], rows)


def seconds(value):
    return f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
