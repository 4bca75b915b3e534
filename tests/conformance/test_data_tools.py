"""The tools that people read and write S3 with, as they stand after `eval "$(argosy env)"`: each brings a client of its own
(aiobotocore, DuckDB's httpfs, the C++ SDK in Arrow, Rust's object_store in Polars, the Go SDK in rclone)."""

import random
import shutil
import subprocess
from pathlib import Path

import duckdb
import duckdb_extension_httpfs
import pandas
import polars
import pyarrow
import pytest
import s3fs
from pyarrow import dataset
from pyarrow.fs import FileSelector, FileType

from harness import jobs

MIB = 1 << 20


@pytest.fixture(autouse=True)
def shell(clients, monkeypatch):
    """What a user's shell has; gives (HOST:PORT, region)."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in clients.exports.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield clients.endpoint.removeprefix("http://"), clients.region
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def frame():
    return pandas.DataFrame({"number": range(5000), "word": [f"w{i % 7}" for i in range(5000)]})


def keys_below(clients, bucket, prefix):
    return [o["Key"] for o in clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def test_pandas(bucket, frame):
    for name, write, read in (
        ("t.csv.gz", frame.to_csv, pandas.read_csv),
        ("t.parquet", frame.to_parquet, pandas.read_parquet),
        ("t.json", frame.to_json, pandas.read_json),
    ):
        options = {"index": False} if name.startswith("t.csv") else {}
        write(f"s3://{bucket}/tables/{name}", **options)
        pandas.testing.assert_frame_equal(read(f"s3://{bucket}/tables/{name}"), frame, check_dtype=False)
    with pytest.raises(FileNotFoundError):
        pandas.read_csv(f"s3://{bucket}/tables/none.csv")


class TestS3fs:
    @pytest.fixture
    def fs(self):
        return s3fs.S3FileSystem(skip_instance_cache=True)

    def test_a_file_in_parts_and_its_pieces(self, fs, bucket):
        body = random.Random(1).randbytes(23 * MIB)
        with fs.open(f"{bucket}/big", "wb", block_size=5 * MIB) as file:
            for begin in range(0, len(body), MIB):
                file.write(body[begin : begin + MIB])
        assert fs.info(f"{bucket}/big")["size"] == len(body)
        assert fs.cat(f"{bucket}/big") == body
        assert fs.cat_file(f"{bucket}/big", start=6 * MIB - 3, end=6 * MIB + 3) == body[6 * MIB - 3 : 6 * MIB + 3]
        with fs.open(f"{bucket}/big", "rb") as file:
            file.seek(-10, 2)
            assert file.read() == body[-10:]

    def test_folders(self, fs, bucket):
        fs.pipe({f"{bucket}/f/{i // 10}/{i}": b"x" * i for i in range(30)})
        assert fs.ls(f"{bucket}/f") == [f"{bucket}/f/{i}" for i in range(3)]
        assert len(fs.find(f"{bucket}/f")) == 30
        assert fs.glob(f"{bucket}/f/1/*5") == [f"{bucket}/f/1/15"]
        assert fs.du(f"{bucket}/f") == sum(range(30))
        fs.copy(f"{bucket}/f/2", f"{bucket}/copy", recursive=True)
        fs.mv(f"{bucket}/copy/29", f"{bucket}/moved")
        assert fs.cat(f"{bucket}/moved") == b"x" * 29 and not fs.exists(f"{bucket}/copy/29")
        fs.rm(f"{bucket}/f", recursive=True)
        assert not fs.exists(f"{bucket}/f") and fs.exists(f"{bucket}/copy/28")

    def test_what_is_not_bytes(self, fs, bucket):
        path = f"{bucket}/told"
        with fs.open(path, "w") as file:
            file.write("first")
        with fs.open(path, "a") as file:
            file.write(" and more")
        assert fs.cat(path) == b"first and more"
        fs.setxattr(path, colour="red")
        assert fs.getxattr(path, "colour") == "red"
        fs.put_tags(path, {"team": "a b"})
        assert fs.get_tags(path) == {"team": "a b"}
        assert fs.list_multipart_uploads(bucket) == []
        other = jobs.unique("made-by-s3fs")
        fs.mkdir(other)
        fs.rmdir(other)
        assert f"{other}" not in fs.ls("")


def test_duckdb(shell, clients, bucket):
    address, region = shell
    extension = next(Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))
    with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as db:
        db.execute(f"LOAD '{extension}'")
        key, secret = (clients.exports[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        db.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', REGION '{region}', ENDPOINT '{address}',"
            " URL_STYLE 'path', USE_SSL false)"
        )
        # Large enough to be put in parts.
        db.execute(
            "COPY (SELECT i, hash(i) AS h, i % 7 AS k FROM range(1500000) t(i))"
            f" TO 's3://{bucket}/all.parquet' (COMPRESSION uncompressed)"
        )
        assert clients.s3.head_object(Bucket=bucket, Key="all.parquet")["ContentLength"] > 20 * MIB
        whole = f"SELECT count(*), sum(i) FROM 's3://{bucket}/all.parquet' WHERE h = hash(i)"
        assert db.execute(whole).fetchall() == [(1500000, 1500000 * 1499999 // 2)]
        db.execute(
            f"COPY (SELECT i, k FROM 's3://{bucket}/all.parquet' WHERE i < 7000) TO 's3://{bucket}/parts'"
            " (FORMAT csv, PARTITION_BY (k), OVERWRITE_OR_IGNORE)"
        )
        told = db.execute(f"SELECT k, count(*) FROM 's3://{bucket}/parts/*/*.csv' GROUP BY k ORDER BY k").fetchall()
        assert told == [(k, 1000) for k in range(7)]
    assert keys_below(clients, bucket, "parts/k=3/")


def test_polars(clients, bucket, frame):
    options = {
        "endpoint_url": clients.endpoint,
        "aws_region": clients.region,
        "aws_allow_http": "true",
        "aws_access_key_id": clients.exports["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": clients.exports["AWS_SECRET_ACCESS_KEY"],
    }
    for i in range(3):
        polars.from_pandas(frame).write_parquet(f"s3://{bucket}/p/{i}.parquet", storage_options=options)
    found = polars.scan_parquet(f"s3://{bucket}/p/*.parquet", storage_options=options)
    assert found.select(polars.col("number").sum()).collect().item() == 3 * sum(range(5000))
    clients.s3.put_object(Bucket=bucket, Key="c/t.csv", Body=frame.to_csv(index=False).encode())
    words = polars.scan_csv(f"s3://{bucket}/c/*.csv", storage_options=options).select("word").collect()["word"]
    assert words.to_list() == frame["word"].to_list()


def test_arrow(shell, clients, bucket, frame):
    address, region = shell
    fs = pyarrow.fs.S3FileSystem(
        access_key=clients.exports["AWS_ACCESS_KEY_ID"],
        secret_key=clients.exports["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=address,
        scheme="http",
        region=region,
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )
    table = pyarrow.Table.from_pandas(frame)
    dataset.write_dataset(table, f"{bucket}/set", filesystem=fs, format="parquet", partitioning=["word"])
    assert dataset.dataset(f"{bucket}/set", filesystem=fs, partitioning=["word"]).count_rows() == len(frame)
    with fs.open_output_stream(f"{bucket}/set/big") as out:
        for _ in range(12):
            out.write(b"y" * MIB)
    fs.copy_file(f"{bucket}/set/big", f"{bucket}/set/copy")
    fs.move(f"{bucket}/set/copy", f"{bucket}/set/moved")
    listed = {info.base_name: info.size for info in fs.get_file_info(FileSelector(f"{bucket}/set"))}
    assert listed["big"] == listed["moved"] == 12 * MIB and "copy" not in listed
    fs.delete_dir_contents(f"{bucket}/set")
    assert fs.get_file_info(f"{bucket}/set/big").type == FileType.NotFound
    other = jobs.unique("made-by-arrow")
    fs.create_dir(other)
    fs.delete_dir(other)
    assert other not in [b["Name"] for b in clients.s3.list_buckets()["Buckets"]]


class TestRclone:
    @pytest.fixture
    def rclone(self, clients):
        program = shutil.which("rclone")
        if not program:
            pytest.skip("there is no rclone")
        env = clients.environment(
            RCLONE_CONFIG="/dev/null",
            RCLONE_CONFIG_HERE_TYPE="s3",
            RCLONE_CONFIG_HERE_PROVIDER="Other",
            RCLONE_CONFIG_HERE_ENV_AUTH="true",
            RCLONE_CONFIG_HERE_ENDPOINT=clients.endpoint,
            RCLONE_CONFIG_HERE_REGION=clients.region,
            RCLONE_S3_CHUNK_SIZE="5M",
            RCLONE_S3_UPLOAD_CUTOFF="5M",
        )

        def run(*words, input=None):
            done = subprocess.run(
                [program, *map(str, words)], env=env, input=input, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, done.stderr
            return done.stdout, done.stderr

        return run

    @pytest.fixture
    def tree(self, tmp_path):
        source = random.Random(2)
        folder = tmp_path / "tree"
        (folder / "sub dir").mkdir(parents=True)
        for i in range(200):
            (folder / "sub dir" / f"{i} ü&+.bin").write_bytes(source.randbytes(source.randrange(3000)))
        (folder / "big").write_bytes(source.randbytes(18 * MIB))
        (folder / "empty").write_bytes(b"")
        return folder

    def test_a_tree_there_and_back(self, rclone, bucket, tree, tmp_path):
        rclone("sync", tree, f"here:{bucket}/tree")
        assert "0 differences found" in rclone("check", "--download", tree, f"here:{bucket}/tree")[1]
        assert rclone("sync", "--stats-one-line", "-v", tree, f"here:{bucket}/tree")[1].count("Copied") == 0
        rclone("copy", f"here:{bucket}/tree", tmp_path / "back")
        for file in tree.rglob("*"):
            if file.is_file():
                there = tmp_path / "back" / file.relative_to(tree)
                assert there.read_bytes() == file.read_bytes()
                assert abs(there.stat().st_mtime - file.stat().st_mtime) < 1e-3  # kept as metadata

    def test_moves_deletes_and_links(self, rclone, clients, bucket, tree):
        rclone("copy", tree / "sub dir", f"here:{bucket}/in")
        rclone("move", f"here:{bucket}/in", f"here:{bucket}/out")
        assert keys_below(clients, bucket, "in/") == [] and len(keys_below(clients, bucket, "out/")) == 200
        rclone("delete", f"here:{bucket}/out", "--include", "1*")
        assert len(keys_below(clients, bucket, "out/")) == 200 - 111
        rclone("rcat", f"here:{bucket}/said", input="hello")
        assert rclone("cat", f"here:{bucket}/said")[0] == "hello"
        rclone("cleanup", f"here:{bucket}")
        rclone("purge", f"here:{bucket}")
        assert bucket not in rclone("lsd", "here:")[0]
