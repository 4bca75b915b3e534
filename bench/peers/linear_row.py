"""A linear model's artifact by plain Python: what the peers of serving.py score with.

docs/formats/artifact_linear.md says what the arrays are. Folded into one table per column, so that a row costs one look-up
or one product a field: about as little as Python can do.
"""

import json
import math
import struct
import tarfile


def arrays(blob):
    """The F64 arrays of a safetensors file, flat."""
    (size,) = struct.unpack("<Q", blob[:8])
    head = json.loads(blob[8 : 8 + size])
    body = blob[8 + size :]
    out = {}
    for name, about in head.items():
        if name == "__metadata__":
            continue
        begin, end = about["data_offsets"]
        out[name] = struct.unpack(f"<{(end - begin) // 8}d", body[begin:end])
    return out


class LinearRow:
    def __init__(self, artifact):
        with tarfile.open(artifact) as packed:
            read = {m.name.lstrip("./"): packed.extractfile(m).read() for m in packed.getmembers() if m.isfile()}
        model, schema = json.loads(read["model.json"]), json.loads(read["schema.json"])
        numbers = arrays(read["model.safetensors"])
        weight, mean, scale = numbers["weight"], numbers["mean"], numbers["scale"]
        self.bias, self.clip, self.threshold = numbers["bias"][0], model["clip"] or math.inf, model["threshold"]
        self.classes = schema["label"].get("classes", [0, 1])
        numeric = [i for i, column in enumerate(schema["columns"]) if column["kind"] == "numeric"]
        self.numeric = [(i, mean[j], scale[j], weight[j]) for j, i in enumerate(numeric)]
        self.categories = []
        at = len(numeric)
        for i, column in enumerate(schema["columns"]):
            if column["kind"] == "numeric":
                continue
            names = column["categories"]
            self.categories.append((i, {name: weight[at + k] for k, name in enumerate(names)}))
            at += len(names)

    def answer(self, row):
        fields = row.split(",")
        output, clip = self.bias, self.clip
        for i, mean, scale, weight in self.numeric:
            z = (float(fields[i]) - mean) * scale
            output += weight * (clip if z > clip else -clip if z < -clip else z)
        for i, weights in self.categories:
            output += weights.get(fields[i], 0.0)
        label = self.classes[output >= self.threshold]
        return {"predictions": [{"score": 1 / (1 + math.exp(-output)), "predicted_label": label}]}
