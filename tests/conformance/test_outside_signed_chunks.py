"""Chunks that are signed, on their way to a store outside."""

from test_signed_chunks import *  # noqa: F403

from harness.outside import *  # noqa: F403
