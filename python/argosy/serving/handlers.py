"""The functions of a user's script, completed: model_fn, input_fn, predict_fn, output_fn or transform_fn.

As SageMaker's toolkits define them:

    model_fn(model_dir)                      → model
    input_fn(body, content_type)             → data
    predict_fn(data, model)                  → prediction
    output_fn(prediction, accept)            → body, or (body, content type)
    transform_fn(model, body, content_type, accept)   in place of the last three

Each may take one more argument, `context`. `body` is text for the types that are text (as there), bytes otherwise.
"""

import importlib
import inspect
import os
import sys

from . import defaults, encoding, frameworks
from .errors import ModelError, RequestError

TEXT_TYPES = (encoding.CSV, encoding.JSON)


class Context:
    """What the toolkits hand to functions that ask for it."""

    def __init__(self, model_dir):
        self.model_dir = model_dir
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}


def _adapt(function, arguments, context):
    """`function` called with `arguments` arguments, and with the context when it takes one more."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return function
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(places) > arguments and (places[arguments].default is inspect.Parameter.empty
                                    or places[arguments].name == "context"):
        return lambda *given: function(*given, context)
    return function


def import_script(code_dir, name):
    """The user's module: `name` as SAGEMAKER_PROGRAM has it (inference.py, package/serve.py); None when there is none."""
    wanted = name or "inference.py"
    path = os.path.join(code_dir, wanted)
    if not os.path.isfile(path):
        if name:
            listed = ", ".join(sorted(os.listdir(code_dir))[:20]) if os.path.isdir(code_dir) else "nothing"
            raise ModelError(f"there is no file {name} (SAGEMAKER_PROGRAM) in the script's directory, which holds {listed}")
        return None
    for folder in (code_dir, os.path.dirname(path)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return importlib.import_module(os.path.splitext(os.path.basename(wanted))[0])


def _flag(value):
    return str(value).strip().lower() in ("1", "true", "yes", "on")


class Handlers:
    """The model of one worker and what is done with a request."""

    def __init__(self, model_dir, code_dir, program=None, environment=os.environ, image=""):
        self.module = import_script(code_dir, program)
        context = Context(model_dir)

        def own(name, arguments):
            function = getattr(self.module, name, None)
            return _adapt(function, arguments, context) if callable(function) else None

        transform = own("transform_fn", 4)
        own_input, own_predict, own_output = own("input_fn", 2), own("predict_fn", 2), own("output_fn", 2)
        if transform and (own_input or own_predict or own_output):
            raise ModelError("the script defines transform_fn and, beside it, input_fn, predict_fn or output_fn, which "
                             "transform_fn takes the place of: keep one or the other")
        self._transform = transform
        self._input = own_input
        self.has_own_input = own_input is not None
        self._predict = own_predict or defaults.predict
        self._output = own_output
        model_fn = own("model_fn", 1)
        # `argosy deploy foo.py` sends it as inference.py, and says what its author calls it.
        script = environment.get("ARGOSY_SCRIPT_NAME") or os.path.basename(self.module.__file__) if self.module else None
        self.model = model_fn(model_dir) if model_fn else defaults.load_model(model_dir, script)
        if not (transform or own_predict):
            defaults.check_predicts(self.model, script)
        reads = transform or own_input
        self.input = frameworks.Arrays() if reads else frameworks.input_of(image, self.model)
        declared = getattr(self.module, "ARGOSY_BATCH", environment.get("ARGOSY_BATCH"))
        # A predict_fn of the user's may look at all rows together (normalise, rank): only its author knows.
        self.batches = transform is None and (_flag(declared) if declared is not None else own_predict is None)

    def _body(self, request):
        plain = encoding.media_type(request.content_type, encoding.JSON)
        if plain in TEXT_TYPES or plain.startswith("text/"):
            try:
                return request.body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise RequestError(400, f"the body is not UTF-8 text: {error}") from None
        return request.body

    def _content_type(self, request):
        return request.content_type or encoding.JSON

    def _accept(self, request):
        """As the toolkits do: what nobody asked for is JSON."""
        accept = request.accept.strip()
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", encoding.JSON) if accept in ("", "*/*") else accept

    def decode(self, request):
        if self._input:
            return self._input(self._body(request), self._content_type(request))
        return self.input.decode(request.body, request.content_type)

    def predict(self, data):
        return self._predict(data, self.model)

    def encode(self, prediction, request):
        """(body, content type); the body may be an iterator of pieces."""
        accept = self._accept(request)
        if not self._output:
            if is_stream(prediction):
                return prediction, accept
            return encoding.encode(prediction, accept)
        return _with_type(self._output(prediction, accept), accept)

    def answer(self, request):
        if self._transform:
            accept = self._accept(request)
            out = self._transform(self.model, self._body(request), self._content_type(request), accept)
            return _with_type(out, accept)
        return self.encode(self.predict(self.decode(request)), request)


def _with_type(out, accept):
    content_type = accept
    if isinstance(out, tuple) and len(out) == 2 and isinstance(out[1], str):
        out, content_type = out
    if out is None:
        out = b""
    if isinstance(out, str):
        out = out.encode()
    elif isinstance(out, (bytearray, memoryview)):
        out = bytes(out)
    elif not isinstance(out, bytes) and not is_stream(out):
        raise TypeError(f"output_fn gave a {type(out).__name__}; it must give text, bytes, or an iterator of them")
    return out, content_type


def is_stream(value):
    """Something that gives its pieces one after the other."""
    return hasattr(value, "__next__") and hasattr(value, "__iter__")
