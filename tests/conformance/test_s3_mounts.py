"""A folder shown as a bucket: `argosy up --mount name=path`."""

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs
from harness.server import run


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "datasets"
    (root / "cancer").mkdir(parents=True)
    (root / "cancer" / "train.csv").write_text(data.breast_cancer().train_csv)
    (root / "notes.txt").write_text("mine")
    return root


def test_a_mounted_folder_is_read_listed_and_trained_on_in_place(folder, start_server, clients_of, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    server = start_server("--mount", f"sets={folder}", "--mount", f"more={other}")
    clients = clients_of(server)
    s3 = clients.s3
    assert {"sets", "more"} <= {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="sets")["Contents"]] == ["cancer/train.csv", "notes.txt"]
    assert s3.get_object(Bucket="sets", Key="notes.txt", Range="bytes=1-2")["Body"].read() == b"in"
    s3.download_file("sets", "cancer/train.csv", str(tmp_path / "back.csv"))
    assert (tmp_path / "back.csv").read_bytes() == (folder / "cancer/train.csv").read_bytes()
    for call, more in ((s3.put_object, {"Body": b"x"}), (s3.delete_object, {}), (s3.create_multipart_upload, {})):
        with pytest.raises(ClientError) as refused:
            call(Bucket="sets", Key="notes.txt", **more)
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
        assert "mounted folder" in refused.value.response["Error"]["Message"]
    job = jobs.train(clients, [jobs.csv_channel("s3://sets/cancer/")])
    assert job["TrainingJobStatus"] == "Completed"
    assert sorted(path.name for path in folder.rglob("*")) == ["cancer", "notes.txt", "train.csv"]

    # A file that comes later is there at once; the folder gone, the rest goes on.
    (folder / "later").write_text("x")
    assert s3.head_object(Bucket="sets", Key="later")["ContentLength"] == 1
    server.kill()
    server.options = []
    server.start()
    with pytest.raises(ClientError) as gone:
        clients_of(server).s3.list_objects_v2(Bucket="sets")
    assert gone.value.response["Error"]["Code"] == "NoSuchBucket"


def test_what_cannot_be_mounted_is_said_in_one_line(tmp_path, start_server, clients_of):
    for option, words in (
        ("data", "--mount: mount must be a bucket's name (3 to 63 of a-z, 0-9, '-' and '.', a letter or digit"),
        ("No=.", "--mount: mount must be a bucket's name (3 to 63 of a-z, 0-9, '-' and '.', a letter or digit"),
        (f"data={tmp_path / 'nothing'}", "the folder of bucket 'data'"),
    ):
        refused = run("up", "--listen", "127.0.0.1:0", "--mount", option, data_dir=tmp_path / "data")
        assert refused.code != 0 and words in refused.err and refused.err.count("\n") == 1, refused
    (tmp_path / "sets").mkdir()
    linked = tmp_path / "linked"
    linked.symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / "data", tmp_path / "data" / "objects", linked):
        refused = run("up", "--listen", "127.0.0.1:0", "--mount", f"all={folder}", data_dir=tmp_path / "data")
        assert refused.code == 1 and refused.err.count("\n") == 1, refused
        assert f"the data directory {tmp_path / 'data'}, which nobody may read" in refused.err, refused
    server = start_server()
    clients_of(server).s3.create_bucket(Bucket="taken")
    server.stop()
    refused = run("up", "--listen", "127.0.0.1:0", "--mount", f"taken={tmp_path / 'sets'}", data_dir=server.data_dir)
    assert refused.code != 0 and "there is a bucket 'taken' already" in refused.err
