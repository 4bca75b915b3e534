"""The tools that people read and write S3 with, where the objects lie in a store outside."""

from test_data_tools import *  # noqa: F403

from harness.outside import *  # noqa: F403
