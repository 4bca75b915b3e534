"""What tests of the command line share."""

# Words of `argosy train` for a job that trains until it is stopped.
ENDLESS = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")


def ok(done):
    """What a verb told, which must have ended with 0."""
    assert done.code == 0, done
    return done
