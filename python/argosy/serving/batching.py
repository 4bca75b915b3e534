"""Requests that wait, answered by one call of predict_fn on their rows together."""

from . import encoding
from .errors import RequestError


class NotStackable(Exception):
    """These requests must be answered one by one."""


def _rows(data):
    """How many rows it has, or raises."""
    shape = getattr(data, "shape", None)
    if shape is not None:
        if len(shape) < 2:
            raise NotStackable
        return shape[0]
    if isinstance(data, list):
        return len(data)
    raise NotStackable


def stack(inputs):
    """One table of all rows, and how many each input brought."""
    counts = [_rows(data) for data in inputs]
    first = inputs[0]
    if isinstance(first, list):
        if not all(isinstance(data, list) for data in inputs):
            raise NotStackable
        return [row for data in inputs for row in data], counts
    alike = all(
        type(data) is type(first) and data.shape[1:] == first.shape[1:] and data.dtype == first.dtype for data in inputs
    )
    if not alike:
        raise NotStackable
    module = type(first).__module__.partition(".")[0]
    if module == "numpy":
        import numpy

        return numpy.concatenate(inputs), counts
    if module == "torch":
        import torch

        return torch.cat(list(inputs)), counts
    raise NotStackable


def split(prediction, counts):
    """What each input is answered with."""
    try:
        total = len(prediction)
    except TypeError:
        raise NotStackable from None
    if total != sum(counts) or isinstance(prediction, (str, bytes, dict)):
        raise NotStackable
    out, at = [], 0
    for count in counts:
        out.append(prediction[at : at + count])
        at += count
    return out


def decode_csv_together(requests):
    """All rows of plain CSV requests in one go, or None when some are not so plain."""
    import numpy as np

    if any(encoding.has_header(request.content_type) for request in requests):
        return None
    bodies = [request.body.strip(b"\r\n") for request in requests]
    if any(not body or b"\r" in body or b"\n\n" in body for body in bodies):
        return None
    counts = [body.count(b"\n") + 1 for body in bodies]
    width = bodies[0].partition(b"\n")[0].count(b",") + 1
    if any(body.count(b",") != count * (width - 1) for body, count in zip(bodies, counts)):
        return None
    try:
        flat = list(map(float, b",".join(bodies).replace(b"\n", b",").split(b",")))
    except ValueError:
        return None
    # Widths that differ from line to line may add up to the same: the last word has each line.
    if any(line.count(b",") != width - 1 for body, count in zip(bodies, counts) if count > 1 for line in body.split(b"\n")):
        return None
    return np.array(flat, dtype=np.float32).reshape(-1, width), counts


class Batcher:
    """Answers several requests by the handlers' functions; each gets (body, content type) or the exception."""

    def __init__(self, handlers, log):
        self._handlers = handlers
        self._log = log
        self._told = False

    def answer(self, requests):
        """Answers in the requests' order."""
        groups = {}
        for place, request in enumerate(requests):
            groups.setdefault(encoding.media_type(request.content_type, ""), []).append(place)
        out = [None] * len(requests)
        for places in groups.values():
            for place, answered in zip(places, self._group([requests[place] for place in places])):
                out[place] = answered
        return out

    def _group(self, requests):
        handlers = self._handlers
        inputs, counts, fine, out = None, None, requests, [None] * len(requests)
        if len(requests) > 1 and not handlers.has_own_input:
            if encoding.media_type(requests[0].content_type, encoding.JSON) == encoding.CSV:
                together = decode_csv_together(requests)
                if together is not None:
                    inputs, counts = handlers.input.of_array(together[0]), together[1]
        places = list(range(len(requests)))
        if inputs is None:
            decoded, places = [], []
            for place, request in enumerate(requests):
                try:
                    decoded.append(handlers.decode(request))
                    places.append(place)
                except (Exception, SystemExit) as error:
                    out[place] = error
            fine = [requests[place] for place in places]
            try:
                if len(decoded) < 2:
                    raise NotStackable
                inputs, counts = stack(decoded)
            except NotStackable:
                for place, request, data in zip(places, fine, decoded):
                    out[place] = self._alone(request, data)
                return out
        try:
            predictions = split(handlers.predict(inputs), counts)
        except (Exception, SystemExit) as error:  # one bad row must not fail the others
            self._tell(error)
            for place, request in zip(places, fine):
                out[place] = self._alone(request)
            return out
        for place, request, prediction in zip(places, fine, predictions):
            try:
                out[place] = handlers.encode(prediction, request)
            except (Exception, SystemExit) as error:
                out[place] = error
        return out

    def _alone(self, request, data=None):
        try:
            if data is None:
                data = self._handlers.decode(request)
            return self._handlers.encode(self._handlers.predict(data), request)
        except (Exception, SystemExit) as error:
            return error

    def _tell(self, error):
        if self._told or isinstance(error, RequestError):
            return
        self._told = True
        why = "its answer has not one entry for each row" if isinstance(error, NotStackable) else f"{error!r}"
        self._log(f"requests that came together are answered one by one, since predict_fn could not take them so: {why}")
