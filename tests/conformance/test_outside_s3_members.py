"""Members of S3's requests about what lies in a store outside."""

from test_s3_members import *  # noqa: F403

from harness.outside import *  # noqa: F403
