"""The model that the peers of serving.py serve: LINEAR_ARTIFACT or BOOSTED_ARTIFACT names its artifact."""

import os


def load():
    if "BOOSTED_ARTIFACT" in os.environ:
        from boosted_row import BoostedRow

        return BoostedRow(os.environ["BOOSTED_ARTIFACT"])
    from linear_row import LinearRow

    return LinearRow(os.environ["LINEAR_ARTIFACT"])
