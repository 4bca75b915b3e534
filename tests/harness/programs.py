"""Models of users' own: scripts and programs packed as the clients pack them, and endpoints of them."""

import functools
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from harness import data, jobs

PYTHON = "argosy/python"
PROGRAM = "argosy/program"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

# The interpreter of the tests has the libraries; the server's PATH may lead to another.
SERVER_ENVIRONMENT = {"ARGOSY_PYTHON": sys.executable}


def pack(files):
    """A tar.gz of {name: text, bytes or (bytes, mode)}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            content, mode = content if isinstance(content, tuple) else (content, 0o644)
            content = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def executable(text):
    return text.encode(), 0o755


def create_model(clients, image, files, environment=None):
    name = jobs.unique("own")
    uri = clients.put(f"own/{name}/model.tar.gz", pack(files))
    clients.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=clients.role,
        PrimaryContainer={"Image": image, "ModelDataUrl": uri, "Environment": environment or {}},
    )
    return name


def create_endpoint(clients, image, files, environment=None):
    model = create_model(clients, image, files, environment)
    config = jobs.create_config(clients, model)
    name = jobs.unique("own")
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    return name


def deploy(clients, image, files, environment=None):
    """An endpoint in service."""
    name = create_endpoint(clients, image, files, environment)
    described = jobs.await_endpoint(clients, name)
    assert described["EndpointStatus"] == "InService", (described.get("FailureReason"), log_of(clients, name))
    return name


def log_of(clients, endpoint):
    """All lines of the endpoint's log so far."""
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    try:
        streams = clients.logs.describe_log_streams(logGroupName=group)["logStreams"]
    except clients.logs.exceptions.ResourceNotFoundException:
        return ""
    lines = []
    for stream in streams:
        events = clients.logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        lines += [event["message"] for event in events]
    return "\n".join(lines)


def invoke(clients, endpoint, body, **headers):
    answer = clients.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **headers)
    return answer["Body"].read(), answer


@functools.cache
def estimator():
    """A classifier of the tumours, pickled by joblib, and rows with what it says of them."""
    import joblib
    from sklearn.linear_model import LogisticRegression

    cancer = data.breast_cancer()
    table = np.loadtxt(io.StringIO(cancer.train_csv), delimiter=",", dtype=np.float32)
    model = LogisticRegression(max_iter=5000).fit(table[:, 1:], table[:, 0])
    out = io.BytesIO()
    joblib.dump(model, out)
    rows = np.asarray(cancer.test_features, dtype=np.float32)
    return out.getvalue(), rows, model.predict(rows)


NO_TORCH = "torch is not there (ARGOSY_TORCH_PYTHON names an interpreter that has it)"


@functools.cache
def torch_python():
    """An interpreter that has torch: ARGOSY_TORCH_PYTHON, else the tests' own; None when it has none."""
    python = os.environ.get("ARGOSY_TORCH_PYTHON", sys.executable)
    found = subprocess.run([python, "-c", "import torch"], capture_output=True)
    return python if found.returncode == 0 else None


# Two layers; the weights lie beside the script.
NET = """
import os
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(30, 8)
        self.out = torch.nn.Linear(8, 2)

    def forward(self, x):
        return torch.softmax(self.out(torch.tanh(self.hidden(x / 100))), dim=1)

def model_fn(model_dir):
    net = Net()
    net.load_state_dict(torch.load(os.path.join(model_dir, "weights.pth")))
    return net.eval()

def predict_fn(data, model):
    return model(torch.as_tensor(data))
"""

MAKE_NET = NET + """
import sys

folder, rows = sys.argv[1:]
torch.manual_seed(1)
net = Net().eval()
torch.save(net.state_dict(), folder + "/weights.pth")
torch.jit.script(net).save(folder + "/model.pt")
table = [[float(field) for field in line.split(",")] for line in open(rows)]
print(net(torch.tensor(table)).tolist())
"""


@functools.cache
def torch_net():
    """{file: content} of a network of torch's, as TorchScript and as its weights, and what it says of the tumours."""
    with tempfile.TemporaryDirectory() as folder:
        rows, script = Path(folder, "rows.csv"), Path(folder, "make_net.py")
        rows.write_text(data.rows(data.breast_cancer().test_features))
        script.write_text(MAKE_NET)  # TorchScript is made of a file's text
        made = subprocess.run([torch_python(), script, folder, rows], stdout=subprocess.PIPE, text=True, check=True)
        files = {name: Path(folder, name).read_bytes() for name in ("model.pt", "weights.pth")}
        return files, np.array(json.loads(made.stdout))
