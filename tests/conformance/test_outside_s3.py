"""The S3 of a server whose objects lie in MinIO: the same tests as of its own store."""

from test_s3 import *  # noqa: F403
from test_s3 import AWKWARD_KEYS, error_of

from harness.outside import *  # noqa: F403
from harness.outside import refused

del test_a_full_disk_refuses_damages_nothing_and_recovers  # noqa: F821  (of the data directory's disk)


def test_keys_that_the_outside_refuses_are_refused_with_its_words(s3, bucket):
    keys = [key for key in AWKWARD_KEYS if refused(key)]
    assert len(keys) > 5
    for key in keys:
        assert error_of(s3.put_object, Bucket=bucket, Key=key, Body=b"x") == ("InvalidRequest", 400), key
        assert error_of(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404), key
        s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
