"""Bodies to arrays and back, as SageMaker's framework containers do by default: CSV, JSON (and lines of it) and NPY.

Numbers of texts (CSV, JSON) become float32, as there. Differently from there one row of CSV, or a flat JSON list, is a
table of one row, so that an estimator takes it.
"""

import io
import json
import math

from .errors import RequestError, unsupported_accept, unsupported_type

CSV, JSON, JSON_LINES, NPY = "text/csv", "application/json", "application/jsonlines", "application/x-npy"


def media_type(header, default):
    """The header without its parameters."""
    plain = header.partition(";")[0].strip().lower()
    return plain if plain and plain != "*/*" else default


def accepted_type(header, default=JSON):
    """The first type of an Accept header that can be given."""
    if not header.strip():
        return default
    for one in header.split(","):
        plain = one.partition(";")[0].strip().lower()
        if plain in ("*/*", "application/*"):
            return default
        if plain in (CSV, JSON, JSON_LINES, NPY):
            return plain
    raise unsupported_accept(header)


def _csv_text(body):
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"the CSV is not UTF-8 text: {error}") from None


def decode_csv(body):
    import numpy as np

    text = _csv_text(body).strip("\r\n")
    if not text:
        raise RequestError(400, "the body is empty: send rows of numbers")
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line:
            continue
        try:
            rows.append([float(field) for field in line.split(",")])
        except ValueError:
            rows.append([_csv_field(field, number) for field in line.split(",")])
    if len({len(row) for row in rows}) != 1:
        raise RequestError(400, f"the rows of the CSV have different numbers of columns: {_widths(rows)}")
    return np.array(rows, dtype=np.float32)


def _csv_field(field, line):
    text = field.strip().strip('"').strip()
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise RequestError(400, f"'{text[:40]}' in line {line} of the CSV is not a number") from None


def _widths(rows):
    first = len(rows[0])
    other = next((i, len(row)) for i, row in enumerate(rows, 1) if len(row) != first)
    return f"{first} in the first, {other[1]} in row {other[0]}"


def decode_json(body):
    import numpy as np

    try:
        value = json.loads(body)
    except ValueError as error:
        raise RequestError(400, f"the body is not JSON: {error}") from None
    if isinstance(value, dict) and isinstance(value.get("instances"), list):
        value = value["instances"]
    try:
        array = np.array(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise RequestError(400, f"the JSON is not a list of numbers or of rows of numbers: {error}") from None
    return array.reshape(1, -1) if array.ndim < 2 else array


def decode_json_lines(body):
    lines = [line for line in body.splitlines() if line.strip()]
    return decode_json(b"[" + b",".join(lines) + b"]")


def has_header(content_type):
    """Whether the first line of a CSV body holds names."""
    parameters = (one.partition("=") for one in content_type.lower().split(";")[1:])
    return any(name.strip() == "header" and value.strip() == "present" for name, _, value in parameters)


def decode_npy(body):
    import numpy as np

    try:
        array = np.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise RequestError(400, f"the body is no NPY array: {error}") from None
    return array


def decode(body, content_type):
    decoders = {CSV: decode_csv, JSON: decode_json, JSON_LINES: decode_json_lines, NPY: decode_npy}
    plain = media_type(content_type, JSON)
    if plain == CSV and has_header(content_type):
        body = body.partition(b"\n")[2]
    if plain not in decoders:
        raise unsupported_type(content_type)
    return decoders[plain](body)


def encode(prediction, accept):
    """(bytes, content type) of an array, tensor, list, number or table."""
    kind = accepted_type(accept)
    if hasattr(prediction, "detach"):  # a tensor that remembers how it was computed
        prediction = prediction.detach().cpu()
    if kind == NPY:
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, np.asarray(prediction), allow_pickle=False)
        return stream.getvalue(), NPY
    value = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    if kind == JSON:
        return json.dumps(value).encode(), JSON
    rows = value if isinstance(value, (list, tuple)) else [value]
    if kind == JSON_LINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode(), JSON_LINES
    lines = (",".join(map(str, row)) if isinstance(row, (list, tuple)) else str(row) for row in rows)
    return ("\n".join(lines) + "\n").encode(), CSV
