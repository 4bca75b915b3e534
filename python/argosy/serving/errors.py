"""What a request is answered with when it cannot be answered."""


class RequestError(Exception):
    """The answer's status, and a sentence for the caller."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class ModelError(Exception):
    """The model cannot be served: a sentence for who deployed it."""


def unsupported_type(content_type):
    return RequestError(
        415, f"Content-Type '{content_type}' is not supported: send text/csv, application/json, "
        "application/jsonlines or application/x-npy"
    )


def unsupported_accept(accept):
    return RequestError(
        406, f"Accept '{accept}' is not supported: ask for application/json, application/jsonlines, text/csv or "
        "application/x-npy"
    )


def install_hint(error):
    """A sentence that says what to install when a module is missing, or nothing."""
    name = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not name:
        return ""
    package = {"sklearn": "scikit-learn", "cv2": "opencv-python", "yaml": "pyyaml", "PIL": "pillow"}.get(name, name)
    import sys

    return (
        f"the model needs the Python package {package}, which {sys.executable} does not have: install it there "
        f"({sys.executable} -m pip install {package}), or name another interpreter by ARGOSY_PYTHON in the model's "
        "Environment"
    )
