"""Models of users' own: scripts of the four functions, models of third-party libraries, programs that speak HTTP."""

import io
import json
import os
import stat
import sys
import tarfile
import threading

import numpy as np
import pytest
from botocore.exceptions import ClientError, EventStreamError

from harness import data, jobs, programs
from harness.clients import Clients
from harness.processes import agents, kill, wait_for
from harness.server import Server

# One that does what each of the four functions is for, and tells which process it is.
FOUR_FUNCTIONS = """
import json, os, sys

def model_fn(model_dir):
    with open(os.path.join(model_dir, "factor.json")) as file:
        print("the factor is loaded")
        return json.load(file)["factor"]

def input_fn(body, content_type):
    if content_type != "application/x-words":
        raise ValueError("not words: " + content_type)
    return [len(word) for word in body.decode().split()]

def predict_fn(data, model):
    return [model * x for x in data]

def output_fn(prediction, accept):
    return json.dumps({"lengths": prediction, "accept": accept}), "application/x-lengths+json"
"""

SERVE = """#!%s
import http.server, json, os, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(7)
        if body == b"teapot":
            return self.answer(418, b"I am one", Content_Type="text/plain")
        if body == b"stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/x-pieces")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(5):
                piece = b"piece %%d;" %% i
                self.wfile.write(b"%%x\\r\\n%%s\\r\\n" %% (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\\r\\n\\r\\n")
            return
        told = {
            "body": body.decode(), "type": self.headers["Content-Type"], "accept": self.headers["Accept"],
            "attributes": self.headers["X-Amzn-SageMaker-Custom-Attributes"],
            "word": sys.argv[1], "env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid(),
        }
        self.answer(200, json.dumps(told).encode(), Content_Type="application/x-told",
                    X_Amzn_SageMaker_Custom_Attributes="seen")

    def log_message(self, format, *args):
        print("asked for", self.path, flush=True)

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
print("listening", flush=True)
server.serve_forever()
"""


def serve_program():
    return programs.executable(SERVE % programs.SERVER_ENVIRONMENT["ARGOSY_PYTHON"])


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("own") / "data", env=programs.SERVER_ENVIRONMENT).start()
    yield found
    found.dispose()


@pytest.fixture(scope="module")
def own_clients(own_server, tmp_path_factory):
    made = Clients(own_server.exports(), tmp_path_factory.mktemp("own-clients"))
    yield made
    assert made.watch.violations == []


class TestScripts:
    @pytest.fixture(scope="class")
    def endpoint(self, own_clients):
        files = {"factor.json": '{"factor": 10}', "code/inference.py": FOUR_FUNCTIONS}
        return programs.deploy(own_clients, programs.PYTHON, files)

    def test_the_four_functions_make_the_answer(self, own_clients, endpoint):
        body, answer = programs.invoke(
            own_clients, endpoint, b"to be or not", ContentType="application/x-words", Accept="text/x-any"
        )
        assert json.loads(body) == {"lengths": [20, 20, 20, 30], "accept": "text/x-any"}
        assert answer["ContentType"] == "application/x-lengths+json"

    def test_what_a_script_prints_is_in_the_endpoints_log(self, own_clients, endpoint):
        assert "the factor is loaded" in programs.log_of(own_clients, endpoint)

    def test_an_exception_is_the_models_error_and_its_traceback_is_in_the_log(self, own_clients, endpoint):
        with pytest.raises(ClientError) as refused:
            programs.invoke(own_clients, endpoint, b"1", ContentType="text/csv")
        error = refused.value.response
        assert error["Error"]["Code"] == "ModelError"
        assert error["OriginalStatusCode"] == 500
        assert error["OriginalMessage"] == "ValueError: not words: text/csv"
        wait_for(lambda: "in input_fn" in programs.log_of(own_clients, endpoint), 20, "the traceback in the log")


LENGTHS = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    return "x" * int(data.split(":")[0])

def output_fn(prediction, accept):
    return prediction
"""


class TestLargeBodies:
    def test_large_requests_and_answers_pass_whole(self, own_clients):
        endpoint = programs.deploy(own_clients, programs.PYTHON, {"inference.py": LENGTHS})
        for size in (1_000_000, 4_100_000, 7_000_000) * 3:
            asked = f"{size}:".encode() + b"." * 5_000_000
            body, _ = programs.invoke(own_clients, endpoint, asked, ContentType="text/plain")
            assert body == b"x" * size


class TestScikitLearn:
    @pytest.fixture(scope="class")
    def endpoint(self, own_clients):
        return programs.deploy(own_clients, programs.SKLEARN, {"model.joblib": programs.estimator()[0]})

    @pytest.mark.parametrize("content_type", ["text/csv", "application/json", "application/x-npy"])
    def test_rows_of_each_type_get_what_the_estimator_says(self, own_clients, endpoint, content_type):
        _, rows, expected = programs.estimator()
        if content_type == "text/csv":
            body = data.rows(rows)
        elif content_type == "application/json":
            body = json.dumps(rows.tolist())
        else:
            out = io.BytesIO()
            np.save(out, rows)
            body = out.getvalue()
        got, answer = programs.invoke(own_clients, endpoint, body, ContentType=content_type, Accept="application/json")
        assert answer["ContentType"] == "application/json"
        assert json.loads(got) == expected.tolist()

    def test_a_type_that_is_not_known_is_refused(self, own_clients, endpoint):
        with pytest.raises(ClientError) as refused:
            programs.invoke(own_clients, endpoint, b"x", ContentType="image/png")
        assert refused.value.response["OriginalStatusCode"] == 415
        assert "image/png" in refused.value.response["OriginalMessage"]

    def test_many_at_once_each_get_their_own_answer(self, own_clients, endpoint):
        _, rows, expected = programs.estimator()
        got, failures = {}, []

        def ask(i):
            try:
                body, _ = programs.invoke(own_clients, endpoint, data.rows(rows[i : i + 1]), ContentType="text/csv",
                                          Accept="text/csv")
                got[i] = float(body)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=lambda n=n: [ask(i) for i in range(n, 96, 12)]) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [got[i] for i in range(96)] == expected[:96].tolist()


class TestPrograms:
    @pytest.fixture(scope="class")
    def endpoint(self, own_clients):
        return programs.deploy(own_clients, programs.PROGRAM, {"serve": serve_program(), "notes.txt": "x"},
                               {"GREETING": "hello"})

    def test_a_request_reaches_the_program_and_its_answer_the_client(self, own_clients, endpoint):
        body, answer = programs.invoke(own_clients, endpoint, "übung".encode(), ContentType="text/x-own",
                                       Accept="application/x-told", CustomAttributes="trace=1")
        told = json.loads(body)
        assert (told["body"], told["type"], told["accept"]) == ("übung", "text/x-own", "application/x-told")
        assert (told["attributes"], told["word"]) == ("trace=1", "serve")
        assert (answer["ContentType"], answer["CustomAttributes"]) == ("application/x-told", "seen")

    def test_its_environment_is_the_models_and_nothing_of_the_servers(self, own_clients, endpoint):
        told = json.loads(programs.invoke(own_clients, endpoint, b"x")[0])["env"]
        assert told["GREETING"] == "hello"
        assert sorted(name for name in told if "SECRET" in name or "KEY" in name) == [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ]
        assert told["AWS_ACCESS_KEY_ID"].startswith("ASIA")  # its own session's
        assert own_clients.exports["AWS_SECRET_ACCESS_KEY"] not in told.values()
        assert "ARGOSY_PYTHON" not in told

    def test_its_error_is_the_models(self, own_clients, endpoint):
        with pytest.raises(ClientError) as refused:
            programs.invoke(own_clients, endpoint, b"teapot")
        error = refused.value.response
        assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 418)
        assert error["OriginalMessage"] == "I am one"

    def test_its_output_is_in_the_log(self, own_clients, endpoint):
        programs.invoke(own_clients, endpoint, b"x")
        wait_for(lambda: "asked for /invocations" in programs.log_of(own_clients, endpoint), 20, "the program's output")

    def test_one_that_dies_is_started_again(self, own_clients, endpoint):
        with pytest.raises(ClientError):
            programs.invoke(own_clients, endpoint, b"die")

        def answers():
            try:
                return json.loads(programs.invoke(own_clients, endpoint, b"again")[0])["body"] == "again"
            except ClientError:
                return False

        wait_for(answers, 60, "the program to be back")
        assert "ended with exit code 7" in programs.log_of(own_clients, endpoint)
        assert own_clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"


STREAMING = """
import os, time

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    if data == "break":
        def pieces():
            yield "half"
            raise RuntimeError("the other half is missing")
        return pieces()
    if data == "endless":
        def pieces():
            while True:
                yield "x" * 50000
        return pieces()
    return (word + " " for word in data.split())

def output_fn(prediction, accept):
    return prediction, "text/x-words"
"""


def parts(clients, endpoint, body, **members):
    answer = clients.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=body, **members)
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]], answer


class TestStreams:
    @pytest.fixture(scope="class")
    def endpoint(self, own_clients):
        return programs.deploy(own_clients, programs.PYTHON, {"inference.py": STREAMING},
                               {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})

    def test_pieces_of_a_script_are_events(self, own_clients, endpoint):
        got, answer = parts(own_clients, endpoint, b"to be or not", ContentType="text/x-in", Accept="text/x-words")
        assert got == [b"to ", b"be ", b"or ", b"not "]
        assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/x-words", "AllTraffic")

    def test_who_does_not_ask_for_a_stream_gets_the_pieces_joined(self, own_clients, endpoint):
        body, answer = programs.invoke(own_clients, endpoint, b"to be or not")
        assert (body, answer["ContentType"]) == (b"to be or not ", "text/x-words")

    def test_a_stream_that_breaks_says_so(self, own_clients, endpoint):
        answer = own_clients.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"break")
        events = iter(answer["Body"])
        assert next(events)["PayloadPart"]["Bytes"] == b"half"
        with pytest.raises(EventStreamError, match="the other half is missing"):
            next(events)

    def test_a_client_that_goes_ends_the_stream(self, own_clients, endpoint):
        answer = own_clients.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"endless")
        assert len(next(iter(answer["Body"]))["PayloadPart"]["Bytes"]) == 50000
        answer["Body"].close()
        # The only worker is free again.
        assert parts(own_clients, endpoint, b"free")[0] == [b"free "]

    def test_chunks_of_a_program_are_events(self, own_clients):
        endpoint = programs.deploy(own_clients, programs.PROGRAM, {"serve": serve_program()})
        got, answer = parts(own_clients, endpoint, b"stream")
        assert b"".join(got) == b"piece 0;piece 1;piece 2;piece 3;piece 4;"
        assert answer["ContentType"] == "text/x-pieces"
        assert programs.invoke(own_clients, endpoint, b"stream")[0] == b"".join(got)
        with pytest.raises(ClientError) as refused:
            parts(own_clients, endpoint, b"teapot")
        assert refused.value.response["OriginalStatusCode"] == 418

    def test_a_built_in_model_answers_in_one_part(self, clients, cancer_endpoint):
        row = data.rows(data.breast_cancer().test_features[:1])
        whole = jobs.invoke(clients, cancer_endpoint, row)
        got, _ = parts(clients, cancer_endpoint, row, ContentType="text/csv", Accept="application/json")
        assert len(got) == 1 and json.loads(got[0]) == json.loads(whole)

    def test_an_endpoint_that_is_not_there_is_refused_as_without_a_stream(self, own_clients):
        with pytest.raises(ClientError) as refused:
            parts(own_clients, "no-such-endpoint", b"x")
        assert refused.value.response["Error"]["Code"] == "ValidationError"


class TestFailures:
    def failed(self, clients, image, files, environment=None):
        """The reason, and the log."""
        name = programs.create_endpoint(clients, image, files, environment)
        described = jobs.await_endpoint(clients, name)
        assert described["EndpointStatus"] == "Failed"
        return described["FailureReason"], programs.log_of(clients, name)

    def test_a_model_fn_that_fails_is_the_reason_and_its_traceback_in_the_log(self, own_clients):
        text = "def model_fn(d):\n    print('I try')\n    raise OSError('no weights')\n"
        reason, log = self.failed(own_clients, programs.PYTHON, {"inference.py": text})
        assert "loading the model failed: OSError: no weights" in reason
        assert "I try" in log and "in model_fn" in log

    def test_a_library_that_is_missing_is_named_with_what_to_do(self, own_clients):
        reason, _ = self.failed(own_clients, programs.PYTHON, {"inference.py": "import no_such_library\n"})
        assert "Python package no_such_library" in reason
        assert sys.executable in reason and "ARGOSY_PYTHON" in reason

    def test_a_script_whose_interpreter_is_missing_says_which(self, own_clients):
        reason, _ = self.failed(own_clients, programs.PROGRAM, {"serve": programs.executable("#!/no/such/python -u\npass\n")})
        assert "names the interpreter '/no/such/python', which is not on this machine" in reason

    def test_a_program_that_ends_at_once_is_the_reason_with_its_last_words(self, own_clients):
        text = "#!/bin/sh\necho 'I need a GPU' >&2\nexit 3\n"
        reason, log = self.failed(own_clients, programs.PROGRAM, {"serve": programs.executable(text)})
        assert "ended with exit code 3 before it answered GET /ping" in reason and "I need a GPU" in reason
        assert "exit code: 1" not in reason
        assert "I need a GPU" in log

    @pytest.mark.parametrize(
        "image, files, environment, words",
        [
            (programs.PROGRAM, {"other": "x"}, {}, "there is no executable serve"),
            (programs.PROGRAM, {"serve": "#!/bin/sh\n"}, {}, "chmod +x serve"),
            (programs.PYTHON, {"weights.bin": "x"}, {}, "there is no inference.py with model_fn"),
            (programs.PYTHON, {"inference.py": "x"}, {"SAGEMAKER_PROGRAM": "serve_it.py"}, "no file serve_it.py"),
            (programs.PYTHON, {"inference.py": "x"}, {"ARGOSY_PYTHON": "/no/python"}, "'/no/python'"),
            (programs.SKLEARN, {"model.joblib": "x"}, {}, "is no pickle or is cut off"),
            (programs.PYTHON, {"inference.py": "x"}, {"SAGEMAKER_MODEL_SERVER_WORKERS": "many"}, "from 1 to 64"),
            (programs.PYTHON, {"inference.py": "x"}, {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://no-such/x.tar.gz"},
             "s3://no-such/x.tar.gz"),
        ],
    )
    def test_what_cannot_be_served_says_what_it_needs(self, own_clients, image, files, environment, words):
        assert words in self.failed(own_clients, image, files, environment)[0]

    def test_an_image_that_nothing_serves_is_refused_at_once(self, own_clients):
        with pytest.raises(ClientError, match="argosy/program") as refused:
            programs.create_model(own_clients, "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2", {})
        assert refused.value.response["Error"]["Code"] == "ValidationException"

    def test_a_worker_that_dies_is_replaced_and_its_programs_never_outlive_it(self, own_clients, own_server):
        text = ("import os, subprocess\n"
                "def model_fn(d):\n    return subprocess.Popen(['sleep', '4711']).pid\n"
                "def input_fn(b, c): return b\n"
                "def predict_fn(data, model):\n    if data == b'die': os._exit(9)\n    return [os.getpid()]\n")
        name = programs.deploy(own_clients, programs.PYTHON, {"inference.py": text})
        with pytest.raises(ClientError):
            programs.invoke(own_clients, name, b"die", ContentType="x/y")

        def answers():
            try:
                return programs.invoke(own_clients, name, b"x", ContentType="x/y")
            except ClientError:
                return False

        wait_for(answers, 60, "another instance to answer")
        assert "ended with exit code 9" in programs.log_of(own_clients, name)
        # kill -9 of the agents takes all that they had started with them.
        for told in agents(own_server.data_dir).values():
            kill(told["pid"])
        sleepers = lambda: [pid for pid in os.listdir("/proc") if pid.isdigit() and b"4711" in command_of(pid)]
        own_clients.sagemaker.delete_endpoint(EndpointName=name)
        wait_for(lambda: not sleepers(), 60, "what the workers had started to end")


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


class TestSandbox:
    LOOK = """
import json, os

def model_fn(model_dir):
    return model_dir

def input_fn(body, content_type):
    return json.loads(body)

def predict_fn(paths, model):
    told = {"model_dir": model, "env": dict(os.environ), "seen": {}}
    for path in paths:
        try:
            told["seen"][path] = sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()
        except OSError as error:
            told["seen"][path] = "none"
    try:
        open("/etc/argosy-test", "w")
        told["wrote"] = True
    except OSError:
        told["wrote"] = False
    return told

def output_fn(prediction, accept):
    return json.dumps(prediction)
"""

    def test_a_script_sees_its_model_and_nothing_of_the_owners(self, own_clients, own_server):
        name = programs.deploy(own_clients, programs.PYTHON, {"inference.py": self.LOOK, "weights": "w"})
        if "without a sandbox" in programs.log_of(own_clients, name):
            pytest.skip("the kernel makes no namespaces here")
        data_dir = str(own_server.data_dir)
        asked = ["/opt/ml/model/weights", data_dir, data_dir + "/credentials"]
        told = json.loads(programs.invoke(own_clients, name, json.dumps(asked))[0])
        assert told["model_dir"] == "/opt/ml/model"
        assert told["seen"]["/opt/ml/model/weights"] == "w"
        assert told["seen"][data_dir] in ("none", [])
        assert told["seen"][data_dir + "/credentials"] == "none"
        assert told["wrote"] is False
        secret = own_clients.exports["AWS_SECRET_ACCESS_KEY"]
        assert [n for n, value in told["env"].items() if secret in value or n.startswith("ARGOSY_")] == []
        assert told["env"]["AWS_ACCESS_KEY_ID"].startswith("ASIA")  # its own session's


FAILS = """
def model_fn(model_dir):
    raise OSError('no weights')

def predict_fn(data, model):
    return data * model
"""


class TestDeployVerb:
    def deploy(self, server, *words):
        done = server.argosy("deploy", *words)
        assert done.code == 0, done
        return done

    def test_a_pickled_estimator_is_served_by_one_command(self, own_server, own_clients, tmp_path):
        pickled, rows, expected = programs.estimator()
        file = tmp_path / "tumours.joblib"
        file.write_bytes(pickled)
        done = self.deploy(own_server, file)
        assert "a pickled model, served by Python" in done.err and "tumours is InService" in done.out
        got, _ = programs.invoke(own_clients, "tumours", data.rows(rows), ContentType="text/csv", Accept="text/csv")
        assert np.array_equal(np.loadtxt(io.BytesIO(got)), expected)
        asked = own_server.argosy("predict", "tumours", ",".join(map(str, rows[0])))
        assert asked.code == 0 and asked.out.split()[-1] == str(int(expected[0])), asked

    @pytest.mark.parametrize("file", ["model.json", "model.ubj", "xgboost-model"])
    def test_a_booster_is_served_natively(self, own_server, own_clients, tmp_path, file):
        import xgboost

        cancer = data.breast_cancer()
        table = np.loadtxt(io.StringIO(cancer.train_csv), delimiter=",", dtype=np.float32)
        booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3},
                                xgboost.DMatrix(table[:, 1:], table[:, 0]), 20)
        (tmp_path / file).write_bytes(booster.save_raw("json" if file == "model.json" else "ubj"))
        name = jobs.unique("boost")
        assert "a model of xgboost" in self.deploy(own_server, tmp_path / file, "--name", name).err
        rows = np.asarray(cancer.test_features, dtype=np.float32)
        got, _ = programs.invoke(own_clients, name, data.rows(rows), ContentType="text/csv", Accept="text/csv")
        assert np.allclose(np.loadtxt(io.BytesIO(got), delimiter=","), booster.predict(xgboost.DMatrix(rows)), atol=1e-6)
        assert "Python" not in programs.log_of(own_clients, name)

    @pytest.mark.parametrize("file", ["model.json", "model.ubj"])
    def test_a_booster_of_several_classes_is_served_natively(self, own_server, own_clients, tmp_path, file):
        """Today's XGBoost begins each class at a score of its own."""
        import xgboost

        digits = data.digits()
        rows = np.asarray(digits.test_features, dtype=np.float32)
        matrix = xgboost.DMatrix(np.asarray(digits.features, dtype=np.float32), np.minimum(digits.labels, 2))
        booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "max_depth": 3}, matrix, 5)
        booster.save_model(tmp_path / file)
        name = jobs.unique("classes")
        self.deploy(own_server, tmp_path / file, "--name", name)
        got, _ = programs.invoke(own_clients, name, data.rows(rows), ContentType="text/csv", Accept="text/csv")
        expected = booster.predict(xgboost.DMatrix(rows))
        assert np.allclose(np.loadtxt(io.BytesIO(got), delimiter=","), expected, atol=1e-6)

    def test_a_folder_with_a_script_is_served_with_what_is_beside_it(self, own_server, own_clients, tmp_path):
        folder = tmp_path / "words"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text("secret")
        (folder / "inference.py").write_text(FOUR_FUNCTIONS)
        (folder / "factor.json").write_text('{"factor": 3}')
        self.deploy(own_server, folder, "--env", "GREETING=hello")
        body, _ = programs.invoke(own_clients, "words", b"a bc", ContentType="application/x-words")
        assert json.loads(body)["lengths"] == [3, 6]
        model = own_clients.sagemaker.list_models(NameContains="words")["Models"][0]["ModelName"]
        container = own_clients.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
        assert container["Environment"] == {"GREETING": "hello", "SAGEMAKER_PROGRAM": "inference.py"}
        packed = jobs.artifact_members(own_clients, container["ModelDataUrl"])
        assert sorted(packed) == ["factor.json", "inference.py"]

    def test_an_option_that_says_nothing_is_refused_before_anything_is_sent(self, own_clients, own_server, tmp_path):
        (tmp_path / "inference.py").write_text(FOUR_FUNCTIONS)

        def objects():
            buckets = [bucket["Name"] for bucket in own_clients.s3.list_buckets()["Buckets"]]
            return [own_clients.s3.list_objects_v2(Bucket=name).get("Contents", []) for name in buckets]

        before = objects()
        refused = own_server.argosy("deploy", tmp_path, "--name", "nameless", "--env", "=value")
        assert refused.code != 0 and "--env '=value' is not NAME=VALUE" in refused.err
        assert objects() == before

    def test_a_program_is_served_by_one_command(self, own_server, own_clients, tmp_path):
        (tmp_path / "serve").write_bytes(serve_program()[0])
        (tmp_path / "serve").chmod(0o755)
        name = jobs.unique("prog")
        self.deploy(own_server, tmp_path / "serve", "--name", name)
        assert json.loads(programs.invoke(own_clients, name, b"hello")[0])["body"] == "hello"

    def test_an_endpoint_is_asked_by_the_name_of_the_file_beside_which_one_stands(self, own_server, tmp_path):
        (tmp_path / "serve").write_bytes(serve_program()[0])
        (tmp_path / "serve").chmod(0o755)
        assert own_server.argosy("deploy", "./serve", cwd=tmp_path).code == 0
        asked = own_server.argosy("predict", "serve", "hello", "--json", cwd=tmp_path)
        assert asked.code == 0 and '"hello\\n"' in asked.out, asked

    @pytest.mark.parametrize(
        "name, content, words",
        [
            ("weights.h5", "x", "'weights.h5' is not known as a model"),
            ("model.json", '{"a": 1}', "model.json"),
            ("model.ubj", "{i\x01a", "no model that XGBoost saved"),
            ("serve", "#!/bin/sh", "chmod +x serve"),
        ],
    )
    def test_what_is_no_model_is_refused_before_anything_is_sent(self, own_server, tmp_path, name, content, words):
        (tmp_path / name).write_text(content)
        done = own_server.argosy("deploy", tmp_path / name)
        assert done.code == 1 and words in done.err, done

    def test_a_model_that_fails_says_why(self, own_server, tmp_path):
        (tmp_path / "inference.py").write_text("import no_such_library\n")
        done = own_server.argosy("deploy", tmp_path / "inference.py", "--name", "fails")
        assert done.code == 1 and "no_such_library" in done.err, done

    def test_an_endpoint_that_keeps_its_model_is_no_success(self, own_server, own_clients, tmp_path):
        name = jobs.unique("keeps")
        (tmp_path / "inference.py").write_text(FAILS)
        refused = own_server.argosy("deploy", tmp_path / "inference.py", "--name", name)
        assert refused.code == 1 and "OSError: no weights" in refused.err, refused
        # It never had a model.
        again = own_server.argosy("deploy", tmp_path / "inference.py", "--name", name)
        assert again.code == 1 and f"`argosy delete {name}`" in again.err, again
        assert own_server.argosy("delete", name).code == 0
        (tmp_path / "inference.py").write_text(FAILS.replace("raise OSError('no weights')", "return 2"))
        self.deploy(own_server, tmp_path / "inference.py", "--name", name)
        (tmp_path / "inference.py").write_text(FAILS)
        refused = own_server.argosy("deploy", tmp_path / "inference.py", "--name", name)
        assert refused.code == 1 and "OSError: no weights" in refused.err, refused
        assert programs.invoke(own_clients, name, b"[1]")[0] == b"[[2.0]]"

    def test_an_archive_whose_top_is_a_slash_is_served(self, own_server, own_clients, tmp_path):
        """As the SageMaker SDK packs a model anew with its script."""
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "inference.py").write_text(FAILS.replace("raise OSError('no weights')", "return 2"))
        with tarfile.open(tmp_path / "sdk.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "model", arcname="/")
        name = jobs.unique("slash")
        self.deploy(own_server, tmp_path / "sdk.tar.gz", "--name", name)
        assert programs.invoke(own_clients, name, b"[1]")[0] == b"[[2.0]]"


class TestTorch:
    @pytest.fixture
    def deploy(self, own_server, tmp_path):
        if not programs.torch_python():
            pytest.skip(programs.NO_TORCH)

        def deploy(files, source):
            for name, content in files.items():
                (tmp_path / name).write_bytes(content)
            name, python = jobs.unique("torch"), f"ARGOSY_PYTHON={programs.torch_python()}"
            return name, own_server.argosy("deploy", tmp_path / source, "--name", name, "--env", python)

        return deploy

    @pytest.mark.parametrize("source", ["model.pt", "."])
    def test_torchscript_and_weights_with_a_script_answer_as_torch_does(self, own_clients, deploy, source):
        files, expected = programs.torch_net()
        beside = {"weights.pth": files["weights.pth"], "inference.py": programs.NET.encode()}
        name, done = deploy({"model.pt": files["model.pt"]} if source == "model.pt" else beside, source)
        assert done.code == 0, done
        rows = data.rows(data.breast_cancer().test_features)
        got, _ = programs.invoke(own_clients, name, rows, ContentType="text/csv", Accept="text/csv")
        assert np.allclose(np.loadtxt(io.BytesIO(got), delimiter=","), expected, atol=1e-6)

    def test_weights_alone_say_that_they_are_no_torchscript(self, deploy):
        _, done = deploy({"weights.pth": programs.torch_net()[0]["weights.pth"]}, "weights.pth")
        assert done.code == 1 and "torch.jit.script(model).save(...), or write an inference.py" in done.err, done

    def test_without_torch_it_is_said_what_is_needed(self, own_server, tmp_path):
        if programs.torch_python() == sys.executable:
            pytest.skip("torch is there")
        (tmp_path / "model.pt").write_bytes(b"x")
        done = own_server.argosy("deploy", tmp_path / "model.pt", "--name", jobs.unique("none"))
        assert done.code == 1 and f"{sys.executable} -m pip install torch" in done.err, done
