"""Tags and settings of what lies in a store outside."""

from test_s3_tags_and_settings import *  # noqa: F403

from harness.outside import *  # noqa: F403
