"""Conditions on what lies in a store outside."""

from test_s3_conditions import *  # noqa: F403

from harness.outside import *  # noqa: F403
