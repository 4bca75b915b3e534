"""What the benchmarks share: Argosy and its peers as processes, requests signed beforehand, the load generator, a table.

Only Python's standard library. A peer that is not installed is left out, and the table says so.
"""

import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LINEAR_LEARNER = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
READY_SECONDS = 30


def build_dir():
    found = Path(os.environ.get("ARGOSY_BUILD_DIR", REPOSITORY / "build" / "release"))
    return found if found.is_absolute() else REPOSITORY / found


def need(program):
    path = build_dir() / program
    if not path.exists():
        sys.exit(f"{path} is not there: build it first (cmake --preset release && ninja -C build/release)")
    return path


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ARGOSY_"))}


def allow_many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


@contextlib.contextmanager
def scratch():
    """A directory for one benchmark, on the disk that ARGOSY_BENCH_DIR names (or the one of temporary files)."""
    path = Path(tempfile.mkdtemp(prefix="argosy-bench-", dir=os.environ.get("ARGOSY_BENCH_DIR")))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def poll(condition, what, seconds=READY_SECONDS, every=0.002):
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds} s: {what}")
        time.sleep(every)


def answers(port, path="/"):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()
        return True
    except OSError:
        return False


class Running:
    """A server as a process while a `with` lasts; start() gives itself."""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Argosy(Running):
    """`argosy up` on a directory of its own, and signed calls to it."""

    name = "Argosy"

    def __init__(self, folder, *options):
        self.data_dir = Path(folder) / "data"
        self.options = options
        self.port = free_port()

    def start(self):
        self.log = open(self.data_dir.parent / "argosy.log", "ab")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [need("argosy"), "up", "--data-dir", self.data_dir, "--listen", f"127.0.0.1:{self.port}", *self.options],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        line = self.process.stdout.readline()
        self.start_seconds = time.monotonic() - begin
        if b"ready" not in line:
            raise SystemExit(f"argosy up did not start: {(self.data_dir.parent / 'argosy.log').read_text()}")
        told = subprocess.run(
            [need("argosy"), "env", "--data-dir", self.data_dir],
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        exports = dict(re.findall(r"^export (\w+)=(.*)$", told.stdout, re.M))
        exports = {name: shlex.split(value)[0] for name, value in exports.items() if value}
        self.signer = Signer(
            self.port, exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"], exports["AWS_REGION"]
        )
        self.role = exports["ARGOSY_ROLE"]
        return self

    def stop(self):
        subprocess.run(
            [need("argosy"), "down", "--all", "--data-dir", self.data_dir], env=clean_environment(), capture_output=True
        )
        super().stop()

    def ask(self, message):
        """One signed request; gives (status, body)."""
        return ask(self.port, message)

    def sagemaker(self, operation, **members):
        status, body = self.ask(self.signer.sagemaker(operation, members))
        if status != 200:
            raise RuntimeError(f"{operation}: {status} {body.decode()}")
        return json.loads(body or b"{}")

    def put(self, bucket, key, body):
        self.ask(self.signer.s3("PUT", f"/{bucket}"))
        status, told = self.ask(self.signer.s3("PUT", f"/{bucket}/{key}", body))
        if status != 200:
            raise RuntimeError(f"PutObject: {status} {told.decode()}")
        return f"s3://{bucket}/{key}"

    def training_request(self, name, uri, **hyperparameters):
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": LINEAR_LEARNER, "TrainingInputMode": "File"},
            "HyperParameters": {"predictor_type": "binary_classifier", "mini_batch_size": "100", **hyperparameters},
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "ContentType": "text/csv",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": uri,
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": uri.rsplit("/", 1)[0] + "/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        }

    def await_job(self, name, seconds=300):
        def ended():
            job = self.sagemaker("DescribeTrainingJob", TrainingJobName=name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return poll(ended, f"job {name} to end", seconds)

    def train(self, uri, **hyperparameters):
        name = f"bench-{random.randrange(1 << 40):x}"
        self.sagemaker("CreateTrainingJob", **self.training_request(name, uri, **hyperparameters))
        job = self.await_job(name)
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(job["FailureReason"])
        return job["ModelArtifacts"]["S3ModelArtifacts"]

    def create_config(self, artifact, image=LINEAR_LEARNER):
        name = f"bench-{random.randrange(1 << 40):x}"
        container = {"Image": image, "ModelDataUrl": artifact}
        self.sagemaker("CreateModel", ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 1.0,
        }
        self.sagemaker("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def await_endpoint(self, name, seconds=60):
        def settled():
            endpoint = self.sagemaker("DescribeEndpoint", EndpointName=name)
            return endpoint if endpoint["EndpointStatus"] not in ("Creating", "Updating") else None

        endpoint = poll(settled, f"endpoint {name}", seconds, every=0.001)
        if endpoint["EndpointStatus"] != "InService":
            raise RuntimeError(endpoint.get("FailureReason"))
        return name

    def deploy(self, artifact, image=LINEAR_LEARNER):
        name = f"bench-{random.randrange(1 << 40):x}"
        self.sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=self.create_config(artifact, image))
        return self.await_endpoint(name)


class Nginx(Running):
    """nginx that answers everything itself with 200 and a fixed body, one worker, no log."""

    name = "nginx return 200"

    def __init__(self, folder, body="ok", content_type="application/json"):
        self.folder = Path(folder) / "nginx"
        self.port = free_port()
        self.body = body
        self.content_type = content_type

    @staticmethod
    def installed():
        return shutil.which("nginx") is not None

    def start(self):
        self.folder.mkdir(exist_ok=True)
        quoted = self.body.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        (self.folder / "nginx.conf").write_text(
            f"""daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log;
events {{ worker_connections 10000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_max_body_size 100m;
  client_body_temp_path {self.folder}/body;
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    default_type {self.content_type};
    location / {{ return 200 "{quoted}"; }}
  }}
}}
"""
        )
        begin = time.monotonic()
        self.process = subprocess.Popen(
            ["nginx", "-c", self.folder / "nginx.conf", "-p", self.folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        poll(lambda: answers(self.port), "nginx to answer")
        self.start_seconds = time.monotonic() - begin
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Moto(Running):
    """moto's server: the SageMaker API in memory, for tests. `pip install -r bench/requirements.txt` puts it there."""

    name = "moto server"

    def __init__(self):
        self.port = free_port()

    @staticmethod
    def program():
        beside = Path(sys.executable).with_name("moto_server")
        return os.environ.get("MOTO_SERVER") or (str(beside) if beside.exists() else shutil.which("moto_server"))

    def start(self):
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.program(), "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )
        poll(lambda: answers(self.port, "/moto-api/"), "moto to answer", 60)
        self.start_seconds = time.monotonic() - begin
        self.signer = Signer(self.port, "AKIAIOSFODNN7EXAMPLE", "not-looked-at-by-moto", "us-east-1")
        return self


class Minio(Running):
    """MinIO's server on one directory. ARGOSY_MINIO names the program, or it is on the PATH, or the tests have built it."""

    name = "MinIO"

    def __init__(self, folder):
        self.folder = Path(folder) / "minio"
        self.port = free_port()

    @staticmethod
    def program():
        built = sorted((REPOSITORY / "build" / "minio").glob("*/minio"))
        return os.environ.get("ARGOSY_MINIO") or shutil.which("minio") or (str(built[-1]) if built else None)

    def start(self):
        self.folder.mkdir(exist_ok=True)
        key, secret = "bench-access", "bench-secret-key"
        self.process = subprocess.Popen(
            [self.program(), "server", "--quiet", "--address", f"127.0.0.1:{self.port}", self.folder],
            env={**clean_environment(), "MINIO_ROOT_USER": key, "MINIO_ROOT_PASSWORD": secret, "MINIO_BROWSER": "off"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        poll(lambda: answers(self.port, "/minio/health/live"), "MinIO to answer", 60)
        self.signer = Signer(self.port, key, secret, "us-east-1")
        # It lives before it has looked at its disk.
        poll(lambda: ask(self.port, self.signer.s3("GET", "/"))[0] == 200, "MinIO to be ready", 60)
        return self


class Signer:
    """Whole requests as bytes, signed by AWS's Signature Version 4 (header form)."""

    def __init__(self, port, access_key, secret, region):
        self.host = f"127.0.0.1:{port}"
        self.access_key, self.secret, self.region = access_key, secret, region
        self._keys = {}

    def _key(self, date, service):
        found = self._keys.get((date, service))
        if found is None:
            found = ("AWS4" + self.secret).encode()
            for word in (date, self.region, service, "aws4_request"):
                found = hmac.new(found, word.encode(), hashlib.sha256).digest()
            self._keys[date, service] = found
        return found

    def sign(self, method, path, service, headers, body=b"", digest=None):
        """`path` may have a query, its parameters sorted and encoded; `digest` spares hashing a body again."""
        now = datetime.datetime.now(datetime.timezone.utc)
        date, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        digest = digest or hashlib.sha256(body).hexdigest()
        bare, _, query = path.partition("?")
        signed = {k.lower(): v for k, v in headers.items()}
        signed.update({"host": self.host, "x-amz-date": stamp})
        if service == "s3":
            signed["x-amz-content-sha256"] = digest
        names = sorted(signed)
        canonical = "\n".join([method, bare, query, *(f"{n}:{signed[n]}" for n in names), "", ";".join(names), digest])
        scope = f"{date}/{self.region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._key(date, service), text.encode(), hashlib.sha256).hexdigest()
        lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {signed[n]}" for n in names)]
        lines.append(
            f"authorization: AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        lines.append(f"content-length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def sagemaker(self, operation, members):
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"SageMaker.{operation}"}
        return self.sign("POST", "/", "sagemaker", headers, json.dumps(members).encode())

    def invocation(self, endpoint, body, content_type="text/csv", accept="application/json"):
        headers = {"content-type": content_type, "accept": accept}
        return self.sign("POST", f"/endpoints/{endpoint}/invocations", "sagemaker", headers, body)

    def s3(self, method, path, body=b"", digest=None):
        return self.sign(method, path, "s3", {}, body, digest)


def ask(port, message):
    """One request as bytes on a connection of its own; gives (status, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(message)
        response = http.client.HTTPResponse(connection, method=message.split(b" ", 1)[0].decode())
        response.begin()
        return response.status, response.read()


def write_requests(path, messages):
    with open(path, "wb") as out:
        for message in messages:
            out.write(b"%d\n" % len(message))
            out.write(message)
    return path


def generate(port, requests, connections, seconds=None, count=None, warm_up=None, rate=None, more=()):
    """One run of the load generator; gives what it measured."""
    command = [
        need("load_generator"),
        "--address",
        f"127.0.0.1:{port}",
        "--requests",
        requests,
        "--connections",
        str(connections),
    ]
    command += ["--seconds", str(seconds)] if seconds else ["--count", str(count)]
    if warm_up:
        command += ["--warm-up", str(warm_up)]
    if rate:
        command += ["--rate", f"{rate:.1f}"]
    command += more
    allow_many_files()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"load_generator: {done.stderr}")
    told = json.loads(done.stdout)
    if told["errors"] and not rate:
        print(f"  note: {told['errors']} errors, statuses {told['statuses']} {done.stderr.strip()}", file=sys.stderr)
    return told


def in_turn(peers, requests, connections, rounds, seconds, warm_up):
    """Each peer once a round, so that what the machine does meanwhile meets all; gives each one's runs by name."""
    told = {name: [] for name in peers}
    for _ in range(rounds):
        for name, peer in peers.items():
            told[name].append(generate(peer.port, requests, connections, seconds=seconds, warm_up=warm_up))
    return told


def summary(runs):
    """The figures of several runs of the generator: medians, and all their errors."""
    told = {"rate": median([run["ok_per_second"] for run in runs]), "errors": sum(run["errors"] for run in runs)}
    for name in ("p50", "p99"):
        told[f"{name}_ms"] = median([run[f"{name}_us"] for run in runs]) / 1000
    return told


def ratio(figure, of):
    return f"{figure / of:.2f}" if of else ""


def median(values):
    return statistics.median(values)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(title, head, rows, notes=()):
    """Prints a table: what was measured, on what."""
    print(f"\n{title}")
    cells = [head, *[[str(c) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for number, row in enumerate(cells):
        print("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
        if number == 0:
            print("  " + "  ".join("-" * w for w in widths))
    for note in notes:
        print(f"  {note}")
    print(f"  on {os.cpu_count()} cores of {processor()}", flush=True)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "an unnamed processor"


def two_clouds(rows=500, seed=1):
    """CSV of two clouds of points: label first, ten features; for jobs whose result does not matter."""
    chance = random.Random(seed)
    lines = []
    for _ in range(rows):
        label = chance.randrange(2)
        lines.append(f"{label}," + ",".join(f"{chance.gauss(label, 1):.5f}" for _ in range(10)))
    return ("\n".join(lines) + "\n").encode()
