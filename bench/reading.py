#!/usr/bin/env python3
"""Claim: CSV is read into floats at the speed of memory: GB of text a second on one core, beside the fastest readers there are.

  MNIST     60,000 rows of 785 small integers, 110 MB
  KDD99     494,021 rows, three symbolic columns, label last, 75 MB

Everything runs on one thread, from the file (in the page cache) to columns or rows in memory. Peers: pandas, polars, pyarrow,
duckdb, and the readers that xgboost and lightgbm have themselves; those that are not installed, or cannot read a file (symbolic
columns), are left out. ARGOSY_DATA says where the data sets are (../shared/data otherwise).
"""

import gzip
import importlib.util
import json
import subprocess
import sys

import common
from linear_quality import DATA, mnist_csv

TIMES = 5

PEERS = {
    "pandas": "pandas.read_csv(path, header=None)",
    "polars": "polars.read_csv(path, has_header=False, infer_schema_length=10000)",
    "pyarrow": "csv.read_csv(path, read_options=csv.ReadOptions(use_threads=False, autogenerate_column_names=True))",
    "xgboost": "xgboost.DMatrix(f'{path}?format=csv&label_column=0', nthread=1)",
    "lightgbm": "lightgbm.Dataset(path, params={'label_column': 0, 'num_threads': 1, 'verbose': -1}).construct()",
    "duckdb": "duckdb.connect(config={'threads': 1}).sql(f\"SELECT * FROM read_csv('{path}', header=false)\").arrow()",
}
IMPORTS = {"pyarrow": "from pyarrow import csv", "duckdb": "import duckdb, pyarrow"}


def argosy(path, label):
    done = subprocess.run(
        [common.need("bench_read"), "1", path, label], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)["seconds"]


def peer(name, path):
    script = (
        f"import os; os.environ.update(POLARS_MAX_THREADS='1', OMP_NUM_THREADS='1')\nimport time\n"
        f"{IMPORTS.get(name, 'import ' + name)}\npath = {str(path)!r}\nbegin = time.monotonic()\n"
        f"table = {PEERS[name]}\nprint(time.monotonic() - begin)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def main():
    rows = []
    with common.scratch() as folder:
        files = []
        if (DATA / "mnist").is_dir():
            mnist_csv(
                DATA / "mnist" / "train-images-idx3-ubyte.gz",
                DATA / "mnist" / "train-labels-idx1-ubyte.gz",
                folder / "mnist.csv",
            )
            files.append(("MNIST", folder / "mnist.csv", "0"))
        if (DATA / "kdd99").is_dir():
            (folder / "kdd.csv").write_bytes(
                gzip.decompress((DATA / "kdd99" / "kddcup.data_10_percent.gz").read_bytes())
            )
            files.append(("KDD99", folder / "kdd.csv", "-1"))
        if not files:
            return print(f"there is no data in {DATA}")
        for name, path, label in files:
            gigabytes = path.stat().st_size / 1e9
            # In turn, so that a busy moment hits all; the best of each.
            found = {}
            for _ in range(TIMES):
                readers = {"Argosy": lambda: argosy(path, label)}
                for other in PEERS:
                    if importlib.util.find_spec(other) is not None:
                        readers[other] = lambda other=other: peer(other, path)
                for reader, run in readers.items():
                    seconds = run()
                    if seconds is not None:
                        found[reader] = min(seconds, found.get(reader, seconds))
            for reader, seconds in found.items():
                rows.append((name, reader, f"{seconds:.3f}", f"{gigabytes / seconds:.2f}"))
    common.table("CSV to memory, one thread", ["file", "reader", "seconds", "GB/s"], rows, [])
    return None


if __name__ == "__main__":
    sys.exit(main())
