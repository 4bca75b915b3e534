"""What is done where a script says nothing: which file of the artifact is the model, and how it predicts."""

import os
import pickle
import re
import struct
import zlib

from .errors import ModelError


def _files(model_dir, *endings):
    return sorted(
        name
        for name in os.listdir(model_dir)
        if name.endswith(endings) and os.path.isfile(os.path.join(model_dir, name))
    )


def _only(found, what):
    named = [name for name in found if name.startswith("model.")] or found
    if len(named) > 1:
        raise ModelError(f"the artifact holds several files that may be {what} ({', '.join(named)}): name one of them "
                         "model.<ending>, or write an inference.py with model_fn")
    return named[0]


def _load_pickle(path):
    try:
        return _unpickle(path)
    except (EOFError, LookupError, ValueError, pickle.UnpicklingError, struct.error, zlib.error) as error:
        if not _raised_by_reading(error):
            raise
        raise ModelError(
            f"{os.path.basename(path)} is no pickle or is cut off ({type(error).__name__}: {error}): save the model again "
            "with joblib.dump or pickle.dump"
        ) from None
    except AttributeError as error:
        # Pickles name classes and functions by module; __main__ was another program then.
        missing = re.search(r"Can't get attribute '([^']+)' on .*__main__", str(error))
        if not missing:
            raise
        raise ModelError(
            f"{os.path.basename(path)} needs {missing[1]}, which was defined in the program that saved it: define it in "
            "a module, save the model again, and deploy a folder with that module and the model in it"
        ) from None


def _raised_by_reading(error):
    """Whether the file's bytes are what is wrong, not what a class in it does when it is made again."""
    if str(error).startswith("unsupported pickle protocol"):
        return False
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "")
    return module in (__name__, "pickle") or module.startswith("joblib.")


def _unpickle(path):
    if path.endswith((".pkl", ".pickle")):
        with open(path, "rb") as file:
            try:
                return pickle.load(file)
            except pickle.UnpicklingError:
                pass  # joblib's own format has the same ending sometimes
    import joblib

    return joblib.load(path)


def _load_torch(path):
    import torch

    try:
        model = torch.jit.load(path, map_location="cpu")
    except RuntimeError as error:
        raise ModelError(
            f"{os.path.basename(path)} is not a TorchScript model ({str(error).splitlines()[0]}): save it with "
            "torch.jit.script(model).save(...), or write an inference.py with model_fn that builds the model"
        ) from None
    return model.eval()


def load_model(model_dir, script=None):
    """model_fn for an artifact without one: the file that is there decides. `script` is one that has no model_fn."""
    for endings, load, what in (
        ((".joblib", ".pkl", ".pickle"), _load_pickle, "the pickled model"),
        ((".pt", ".pth"), _load_torch, "the TorchScript model"),
    ):
        found = _files(model_dir, *endings)
        if found:
            return load(os.path.join(model_dir, _only(found, what)))
    lacking = f"{script} has no model_fn" if script else "there is no inference.py with model_fn in the artifact"
    raise ModelError(
        f"{lacking}, and there is no model.joblib, model.pkl or model.pt that could "
        f"be served without one; it holds {', '.join(sorted(os.listdir(model_dir))[:20]) or 'nothing'}"
    )


def is_torch(model):
    return any(base.__module__.startswith("torch.") for base in type(model).__mro__)


def is_booster(model):
    return type(model).__name__ == "Booster" and type(model).__module__.startswith("xgboost")


def check_predicts(model, script=None):
    """Refuses what predict() can ask nothing of: better now than at the first request."""
    if not (is_torch(model) or is_booster(model) or hasattr(model, "predict")):
        remedy = f"give {script} a predict_fn" if script else "write an inference.py with predict_fn"
        raise ModelError(f"the model is a {type(model).__name__}, which has no predict: save the model itself, or {remedy}")


def predict(data, model):
    """predict_fn for a script without one."""
    if is_torch(model):
        import torch

        with torch.no_grad():
            tensor = data if isinstance(data, torch.Tensor) else torch.as_tensor(data)
            return model(tensor)
    if is_booster(model):
        import xgboost

        # As its container does: the names that a model was trained with are not asked for.
        matrix = data if isinstance(data, xgboost.DMatrix) else xgboost.DMatrix(data)
        return model.predict(matrix, validate_features=False)
    return model.predict(data)
