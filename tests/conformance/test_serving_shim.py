"""The Python shim by itself: what scripts may be, what bodies become, and a worker whose peer sends anything at all."""

import io
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

from harness.server import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "python"))

from argosy.serving import batching, encoding, frames, handlers, worker  # noqa: E402
from argosy.serving.errors import ModelError, RequestError  # noqa: E402


def script(tmp_path, text, name="inference.py", image=""):
    """Handlers of a script of that text; each test's module is its own."""
    (tmp_path / name).write_text(text)
    sys.modules.pop(name.removesuffix(".py"), None)
    sys.path_importer_cache.clear()
    try:
        return handlers.Handlers(str(tmp_path), str(tmp_path), name, environment={}, image=image)
    finally:
        sys.path[:] = [p for p in sys.path if p != str(tmp_path)]
        sys.modules.pop(name.removesuffix(".py"), None)


def request(body, content_type="text/csv", accept="application/json", id=1, in_parts=False):
    return frames.Request(id, in_parts, content_type, accept, "", "", body)


DOUBLE = """
def model_fn(model_dir):
    return 2

def predict_fn(data, model):
    return data * model
"""


class TestScripts:
    def test_what_a_script_leaves_out_is_done_as_the_toolkits_do(self, tmp_path):
        found = script(tmp_path, DOUBLE)
        assert found.answer(request(b"1,2\n3,4")) == (b"[[2.0, 4.0], [6.0, 8.0]]", "application/json")
        assert found.answer(request(b"1,2", accept="text/csv")) == (b"2.0,4.0\n", "text/csv")

    def test_a_predict_fn_of_the_users_is_given_batches_only_when_it_says_so(self, tmp_path):
        assert not script(tmp_path, DOUBLE).batches
        assert script(tmp_path, "ARGOSY_BATCH = True\n" + DOUBLE).batches
        assert not script(tmp_path, "ARGOSY_BATCH = 0\n" + DOUBLE).batches

    def test_transform_fn_takes_the_place_of_three(self, tmp_path):
        found = script(
            tmp_path,
            "def model_fn(d): return 'm'\n"
            "def transform_fn(model, body, content_type, accept):\n"
            "    return f'{model}|{body}|{content_type}|{accept}', 'text/x-t'\n",
        )
        assert found.answer(request(b"b", "text/x-any", "text/x-out")) == (b"m|b|text/x-any|text/x-out", "text/x-t")
        assert not found.batches

    def test_transform_fn_beside_one_of_the_three_is_refused(self, tmp_path):
        with pytest.raises(ModelError, match="transform_fn"):
            script(tmp_path, DOUBLE + "def transform_fn(model, body, content_type, accept): return body\n")

    def test_functions_that_ask_for_the_context_get_it(self, tmp_path):
        found = script(
            tmp_path,
            "def model_fn(model_dir, context): return context.system_properties['model_dir'] == model_dir\n"
            "def input_fn(body, content_type, context): return type(context).__name__\n"
            "def predict_fn(data, model): return [data, model]\n",
        )
        assert json.loads(found.answer(request(b"x"))[0]) == ["Context", True]

    def test_text_comes_as_text_and_bytes_as_bytes(self, tmp_path):
        found = script(
            tmp_path,
            "def model_fn(d): return None\n"
            "def input_fn(body, content_type): return type(body).__name__\n"
            "def predict_fn(data, model): return data\n"
            "def output_fn(prediction, accept): return prediction\n",
        )
        assert found.answer(request(b"1", "text/csv"))[0] == b"str"
        assert found.answer(request(b"1", "application/json; charset=utf-8"))[0] == b"str"
        assert found.answer(request(b"1", "application/x-npy"))[0] == b"bytes"

    def test_a_script_that_is_not_there_is_said_with_what_is(self, tmp_path):
        (tmp_path / "other.py").write_text("")
        with pytest.raises(ModelError, match="no file inference.py .* holds other.py"):
            handlers.Handlers(str(tmp_path), str(tmp_path), "inference.py")

    def test_an_artifact_without_script_or_known_file_says_what_it_needs(self, tmp_path):
        (tmp_path / "weights.bin").write_text("")
        with pytest.raises(ModelError, match="no inference.py .* holds weights.bin"):
            handlers.Handlers(str(tmp_path), str(tmp_path))

    def test_a_script_without_model_fn_is_named(self, tmp_path):
        with pytest.raises(ModelError, match="^inference.py has no model_fn, and there is no model.joblib"):
            script(tmp_path, "def predict_fn(data, model): return data\n")

    def test_a_script_that_deploy_renamed_is_called_what_its_author_calls_it(self, tmp_path, monkeypatch):
        (tmp_path / "inference.py").write_text("")
        monkeypatch.delitem(sys.modules, "inference", raising=False)
        with pytest.raises(ModelError, match="^foo.py has no model_fn"):
            handlers.Handlers(str(tmp_path), str(tmp_path), environment={"ARGOSY_SCRIPT_NAME": "foo.py"})

    def test_a_pickle_of_what_its_program_defined_says_what_to_do(self, tmp_path):
        made = "import joblib, sys\nclass Mine: pass\njoblib.dump(Mine(), sys.argv[1])\n"
        subprocess.run([sys.executable, "-c", made, tmp_path / "model.joblib"], check=True)
        with pytest.raises(ModelError, match="model.joblib needs Mine, .* define it in a module"):
            handlers.Handlers(str(tmp_path), str(tmp_path))

    @pytest.mark.parametrize("name", ["model.joblib", "model.pkl"])
    def test_a_file_that_is_no_pickle_or_half_of_one_is_said(self, tmp_path, name):
        import joblib

        joblib.dump({"weights": np.arange(1000.0)}, tmp_path / "whole", compress=name == "model.joblib")
        whole = (tmp_path / "whole").read_bytes()
        for content in (b"", b"Only text", b"version https://git-lfs.github.com/spec/v1\n", whole[: len(whole) // 2]):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ModelError, match=f"^{name} is no pickle or is cut off .*: save the model again"):
                handlers.Handlers(str(tmp_path), str(tmp_path))

    def test_an_error_of_a_pickled_class_is_not_called_a_broken_file(self, tmp_path):
        made = (
            "import pickle, sys\nsys.path.insert(0, sys.argv[1])\nfrom picky_class import Picky\n"
            "pickle.dump(Picky(), open(sys.argv[1] + '/model.pkl', 'wb'))\n"
        )
        (tmp_path / "picky_class.py").write_text(
            "class Picky:\n    def __setstate__(self, state): raise KeyError('mine')\n"
            "    def __getstate__(self): return {'a': 1}\n"
        )
        subprocess.run([sys.executable, "-c", made, tmp_path], check=True)
        sys.path.insert(0, str(tmp_path))
        try:
            with pytest.raises(KeyError, match="mine"):
                handlers.Handlers(str(tmp_path), str(tmp_path))
        finally:
            sys.path.remove(str(tmp_path))

    def test_what_has_no_predict_is_refused_when_it_is_loaded(self, tmp_path):
        import joblib

        joblib.dump({"weights": 1}, tmp_path / "model.joblib")
        with pytest.raises(ModelError, match="the model is a dict, which has no predict"):
            handlers.Handlers(str(tmp_path), str(tmp_path))
        assert script(tmp_path, "def predict_fn(data, model): return model['weights']\n").answer(request(b"1"))[0] == b"1"

    def test_an_answer_that_is_none_is_the_scripts_fault(self, tmp_path):
        found = script(tmp_path, DOUBLE + "def output_fn(prediction, accept): return 5\n")
        with pytest.raises(TypeError, match="output_fn gave a int"):
            found.answer(request(b"1"))


def boosted():
    """Trees for two columns, and what they say of [1, 2] and [3, 4]."""
    import xgboost

    table = np.random.default_rng(1).random((50, 2), dtype=np.float32) * 4
    model = xgboost.train({"max_depth": 2}, xgboost.DMatrix(table, table[:, 0]), 5)
    return model, model.predict(xgboost.DMatrix(np.array([[1, 2], [3, 4]], dtype=np.float32))).tolist()


class TestFrameworks:
    """What predict_fn is given is what the container of the image would give it."""

    KIND = "def model_fn(d): return {}\ndef predict_fn(data, model): return [type(data).__name__, len(model)]\n"

    @pytest.mark.parametrize(
        "image, kind",
        [("sagemaker-scikit-learn", "ndarray"), ("argosy/python", "ndarray"), ("sagemaker-xgboost", "DMatrix")],
    )
    def test_the_image_says_what_kind_of_data_comes(self, tmp_path, image, kind):
        assert json.loads(script(tmp_path, self.KIND, image=image).answer(request(b"1,2\n3,4"))[0]) == [kind, 0]

    def test_pytorch_gives_tensors_or_says_what_is_missing(self, tmp_path):
        try:
            import torch  # noqa: F401
        except ModuleNotFoundError:
            with pytest.raises(ModuleNotFoundError, match="torch"):
                script(tmp_path, self.KIND, image="pytorch-inference")
            own = self.KIND + "def input_fn(body, content_type): return body\n"
            assert script(tmp_path, own, image="pytorch-inference").answer(request(b"1"))[0] == b'["str", 0]'
        else:
            found = script(tmp_path, self.KIND, image="pytorch-inference").answer(request(b"1,2\n3,4"))
            assert json.loads(found[0]) == ["Tensor", 0]

    @pytest.mark.parametrize(
        "body, content_type",
        [
            (b"1,2\n3,4", "text/csv"),
            (b"[[1,2],[3,4]]", "application/json"),
            (b"0 0:1 1:2\n1 0:3 1:4 # a remark\n", "text/libsvm"),
            (b"0:1 1:2\n0:3 1:4", "text/x-libsvm"),
        ],
    )
    def test_a_booster_answers_whatever_its_rows_are_written_in(self, tmp_path, body, content_type):
        model, expected = boosted()
        model.save_model(tmp_path / "model.ubj")
        text = ("import xgboost\n"
                "def model_fn(d):\n    return xgboost.Booster(model_file=d + '/model.ubj')\n")
        found = script(tmp_path, text, image="sagemaker-xgboost")
        assert json.loads(found.answer(request(body, content_type))[0]) == pytest.approx(expected)
        together = batching.Batcher(found, print).answer([request(body, content_type, id=i) for i in range(3)])
        assert [json.loads(answer[0]) for answer in together] == [pytest.approx(expected)] * 3

    def test_an_estimator_of_xgboosts_is_given_an_array(self, tmp_path):
        text = ("import numpy, xgboost\n"
                "def model_fn(d):\n"
                "    return xgboost.XGBRegressor(n_estimators=2).fit(numpy.eye(4), numpy.arange(4))\n")
        found = script(tmp_path, text, image="sagemaker-xgboost")
        assert len(json.loads(found.answer(request(b"1,0,0,0\n0,0,0,1"))[0])) == 2

    @pytest.mark.parametrize("body, words", [(b"1 2", "'2' in line 1"), (b"1 -3:2", "'-3:2'"), (b"\n", "empty")])
    def test_what_is_no_libsvm_is_said(self, tmp_path, body, words):
        with pytest.raises(RequestError, match=words):
            script(tmp_path, self.KIND, image="xgboost").answer(request(body, "text/libsvm"))


class TestBodies:
    def test_a_single_row_is_a_table_of_one(self):
        assert encoding.decode(b"1,2,3\n", "text/csv").shape == (1, 3)
        assert encoding.decode(b"[1,2,3]", "application/json").shape == (1, 3)
        assert encoding.decode(b"1\r\n2\r\n", "text/csv; charset=utf-8").shape == (2, 1)
        assert encoding.decode(b"a,b\n1,2\n", "text/csv; header=present").tolist() == [[1, 2]]
        assert encoding.decode(b"[1,2]\n[3,4]\n", "application/jsonlines").tolist() == [[1, 2], [3, 4]]

    def test_an_empty_field_is_not_a_number(self):
        assert np.isnan(encoding.decode(b"1,,3", "text/csv")[0, 1])

    @pytest.mark.parametrize(
        "body, content_type, words",
        [
            (b"1,red", "text/csv", "'red' in line 1"),
            (b"1,2\n3", "text/csv", "different numbers of columns: 2 in the first, 1 in row 2"),
            (b"", "text/csv", "empty"),
            (b"\xff", "text/csv", "not UTF-8"),
            (b"{", "application/json", "not JSON"),
            (b'{"a": 1}', "application/json", "not a list"),
            (b"[[1], [1, 2]]", "application/json", "not a list"),
            (b"npy?", "application/x-npy", "no NPY array"),
        ],
    )
    def test_a_body_that_is_wrong_is_the_callers_fault(self, body, content_type, words):
        with pytest.raises(RequestError, match=words) as refused:
            encoding.decode(body, content_type)
        assert refused.value.status == 400

    def test_an_array_of_objects_is_not_unpickled(self):
        out = io.BytesIO()
        np.save(out, np.array([{}], dtype=object), allow_pickle=True)
        with pytest.raises(RequestError):
            encoding.decode(out.getvalue(), "application/x-npy")

    def test_the_first_type_that_can_be_given_is(self):
        assert encoding.accepted_type("image/png, text/csv;q=0.5") == "text/csv"
        assert encoding.accepted_type("") == "application/json"
        with pytest.raises(RequestError) as refused:
            encoding.accepted_type("image/png")
        assert refused.value.status == 406

    def test_rows_together_are_the_rows_apart(self):
        rng = random.Random(5)
        for _ in range(200):
            width = rng.randint(1, 4)
            bodies = []
            for _ in range(rng.randint(2, 5)):
                widths = [width if rng.random() < 0.95 else rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
                fields = lambda: rng.choice(["1", "-2.5", "3e2", " 4", "", "x"] if rng.random() < 0.1 else ["1", "2"])
                bodies.append("\n".join(",".join(fields() for _ in range(w)) for w in widths).encode())
            requests = [request(body) for body in bodies]
            together = batching.decode_csv_together(requests)
            if together is None:
                continue
            table, counts = together
            apart = [encoding.decode_csv(body) for body in bodies]
            assert counts == [len(a) for a in apart]
            assert np.array_equal(table, np.concatenate(apart), equal_nan=True)


class Talk:
    """A worker of a script, at the other end of a socket."""

    def __init__(self, found):
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(60)
        self.worker = worker.Worker(theirs, found)
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(theirs,))
        self.thread.start()
        self._buffer = b""

    def _run(self, theirs):
        with theirs:
            try:
                self.worker.run()
            except Exception as error:
                self.error = error

    def invoke(self, id, body, content_type="text/csv", accept="application/json", in_parts=False):
        texts = [content_type.encode(), accept.encode(), b"", b""]
        payload = struct.pack("<I4H", 0, *map(len, texts)) + b"".join(texts) + body
        self.ours.sendall(frames.frame(frames.INVOKE_IN_PARTS if in_parts else frames.INVOKE, id, payload))

    def take(self):
        """The next answer or part: (kind, id, status, content type, body)."""
        while True:
            if len(self._buffer) >= 16:
                _, _, kind, length, id = struct.unpack_from("<HBBIQ", self._buffer)
                if len(self._buffer) >= 16 + length:
                    payload, self._buffer = self._buffer[16 : 16 + length], self._buffer[16 + length :]
                    status, type_size, attributes = struct.unpack_from("<HHH", payload)
                    rest = payload[6:]
                    return kind, id, status, rest[:type_size].decode(), rest[type_size + attributes :]
            data = self.ours.recv(1 << 16)
            assert data, "the worker closed"
            self._buffer += data

    def end(self):
        self.ours.close()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def talk():
    talks = []

    def begin(found):
        talks.append(Talk(found))
        return talks[-1]

    yield begin
    for one in talks:
        one.end()


COUNTING = """
ARGOSY_BATCH = True
calls = []

def model_fn(model_dir):
    return calls

def predict_fn(data, model):
    model.append(len(data))
    if (data == 13).any():
        raise ValueError("unlucky")
    return data[:, 0] * 10
"""


class TestWorker:
    def test_each_request_gets_its_own_answer(self, tmp_path, talk):
        peer = talk(script(tmp_path, DOUBLE))
        for id in range(5):
            peer.invoke(id, b"%d" % id)
        assert [peer.take()[1::3] for _ in range(5)] == [(id, b"[[%.1f]]" % (2 * id)) for id in range(5)]

    def test_requests_that_wait_are_one_batch_and_one_that_fails_fails_alone(self, tmp_path, talk):
        found = script(tmp_path, COUNTING)
        batcher = batching.Batcher(found, lambda line: None)
        bodies = [b"1", b"2\n3", b"13", b"red", b"4"]
        got = batcher.answer([request(body) for body in bodies])
        assert [answer[0] if isinstance(answer, tuple) else type(answer) for answer in got] == [
            b"[10.0]", b"[20.0, 30.0]", ValueError, RequestError, b"[40.0]",
        ]
        assert found.model[0] == 5  # all rows that are numbers, at once

    def test_a_predict_fn_whose_answer_cannot_be_split_is_asked_one_by_one(self, tmp_path):
        told = []
        found = script(tmp_path, "ARGOSY_BATCH = 1\ndef model_fn(d): return 0\n"
                                 "def predict_fn(data, model): return [float(data.sum())]\n")
        got = batching.Batcher(found, told.append).answer([request(b"1,2"), request(b"3,4\n5,6")])
        assert got == [(b"[3.0]", "application/json"), (b"[18.0]", "application/json")]
        assert len(told) == 1 and "one by one" in told[0]

    def test_inputs_of_different_shapes_are_not_stacked(self, tmp_path):
        found = script(tmp_path, "ARGOSY_BATCH = 1\n" + DOUBLE)
        got = batching.Batcher(found, lambda line: None).answer([request(b"1,2"), request(b"3")])
        assert [json.loads(body) for body, _ in got] == [[[2, 4]], [[6]]]

    def test_pieces_come_as_they_are_made_and_no_faster_than_they_are_taken(self, tmp_path, talk):
        made = tmp_path / "made"
        peer = talk(script(tmp_path, f"""
def model_fn(d): return None
def input_fn(body, content_type): return int(body)
def predict_fn(data, model):
    def pieces():
        for i in range(data):
            with open({str(made)!r}, "a") as file: file.write("x")
            yield b"y" * (64 << 10)
    return pieces()
def output_fn(prediction, accept): return prediction, "text/x-y"
"""))
        peer.invoke(7, b"100", in_parts=True)
        window = frames.PART_CREDIT_BYTES // (64 << 10)
        for _ in range(window):
            kind, id, status, content_type, body = peer.take()
            assert (kind, id, status, content_type, len(body)) == (frames.PART, 7, 200, "text/x-y", 64 << 10)
        # Another request shows that the worker still reads; it is answered when the stream has ended.
        peer.ours.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.take()
        peer.ours.settimeout(60)
        assert len(made.read_text()) <= window + 1
        peer.ours.sendall(frames.frame(frames.GRANT, 7, struct.pack("<I", 64 << 10)))
        assert peer.take()[0] == frames.PART
        peer.ours.sendall(frames.frame(frames.CANCEL, 7, b""))
        assert peer.take()[:3] == (frames.ANSWER, 7, 200)
        assert len(made.read_text()) < 100

    def test_a_stream_that_breaks_ends_in_an_error(self, tmp_path, talk):
        peer = talk(script(tmp_path, "def model_fn(d): return None\ndef input_fn(b, c): return b\n"
                                     "def predict_fn(data, model):\n    yield 'one'\n    raise KeyError('two')\n"
                                     "def output_fn(p, a): return p\n"))
        peer.invoke(1, b"x", in_parts=True)
        assert peer.take()[0::4] == (frames.PART, b"one")
        assert peer.take()[::2] == (frames.ANSWER, 500, b"KeyError: 'two'")

    @pytest.mark.parametrize("batch", [0, 1])
    def test_an_error_of_any_kind_is_the_answer_of_its_request_alone(self, tmp_path, talk, batch):
        peer = talk(script(tmp_path, f"ARGOSY_BATCH = {batch}" + """
class Speechless(Exception):
    def __str__(self): raise RuntimeError

def model_fn(d):
    import sys
    return {1: lambda: sys.exit(3), 2: lambda: 1 / 0}

def predict_fn(data, model):
    for value in data[:, 0]:
        if value == 3: raise ValueError("lone \\udcff surrogate")
        if value == 4: raise Speechless
        if value in model: model[value]()
    return data
"""))
        for id in range(1, 6):
            peer.invoke(id, b"%d" % id)
        answers = [peer.take()[1::1] for _ in range(5)]
        assert [(id, status, body) for id, status, _, body in answers] == [
            (1, 500, b"SystemExit: 3"), (2, 500, b"ZeroDivisionError: division by zero"),
            (3, 500, b"ValueError: lone ? surrogate"), (4, 500, b"Speechless: (its text cannot be had)"),
            (5, 200, b"[[5.0]]"),
        ]

    def test_whatever_bytes_come_the_worker_answers_or_ends(self, tmp_path):
        found = script(tmp_path, "ARGOSY_BATCH = True\n" + DOUBLE)
        rng = random.Random(int(os.environ.get("ARGOSY_SEED", "1")))
        whole = Whole(rng)
        for _ in range(300):
            peer = Talk(found)
            try:
                peer.ours.sendall(whole.spoiled())
                peer.ours.shutdown(socket.SHUT_WR)
                while peer.ours.recv(1 << 16):
                    pass
            except ConnectionError:
                pass  # it had seen enough
            peer.end()
            assert peer.error is None or isinstance(peer.error, frames.BrokenFrame), repr(peer.error)

    def test_whatever_is_asked_each_request_gets_one_answer_and_the_next_is_right(self, tmp_path, talk):
        rng = random.Random(int(os.environ.get("ARGOSY_SEED", "1")))
        peer = talk(script(tmp_path, "ARGOSY_BATCH = True\n" + DOUBLE))
        npy = io.BytesIO()
        np.save(npy, np.ones((2, 2)))
        bodies = [b"1,2\n3,4", b'{"instances": [[1, 2]]}', b'{"features": [1]}\n{"features": [2]}', npy.getvalue(), b""]
        types = ["text/csv", "application/json", "application/jsonlines", "application/x-npy", "text/csv; a=\xe9", "x", ""]
        for first in range(0, 600, 20):
            ids = list(range(first, first + 20))
            for id in ids:
                body = bytearray(rng.choice(bodies))
                for _ in range(rng.choice([0, 1, 1, 4])):
                    body.insert(rng.randint(0, len(body)), rng.choice(b'0,.-e\n[]{}":\xff\x00'))
                peer.invoke(id, bytes(body), rng.choice(types), rng.choice(["application/json", "text/csv", "x/y", ""]))
            assert sorted(peer.take()[1] for _ in ids) == ids
        peer.invoke(600, b"21")
        assert peer.take()[1:] == (600, 200, "application/json", b"[[42.0]]")

    def test_a_reader_gives_the_same_frames_however_the_bytes_come(self):
        rng = random.Random(3)
        for _ in range(200):
            data = Whole(rng).spoiled()
            assert read_all(data, len(data) or 1) == read_all(data, rng.randint(1, 9))


def read_all(data, piece):
    reader, out = frames.Reader(), []
    try:
        for at in range(0, len(data), piece):
            reader.feed(data[at : at + piece])
            while (taken := reader.take()) is not None:
                out.append(taken)
    except frames.BrokenFrame as error:
        out.append(str(error))
    return out


class Whole:
    """Conversations that are right but for a few bytes."""

    def __init__(self, rng):
        self.rng = rng

    def one(self):
        rng = self.rng
        kind = rng.choice([frames.INVOKE, frames.INVOKE, frames.INVOKE_IN_PARTS, frames.GRANT, frames.CANCEL])
        if kind == frames.GRANT:
            return frames.frame(kind, rng.randint(0, 9), struct.pack("<I", rng.getrandbits(32)))
        if kind == frames.CANCEL:
            return frames.frame(kind, rng.randint(0, 9), b"")
        texts = [rng.choice([b"text/csv", b"application/json", b"", b"x/y"]), rng.choice([b"", b"*/*", b"\xff"]), b"", b""]
        body = bytes(rng.choice(b"0123456789,.\n[]-e") for _ in range(rng.randint(0, 40)))
        payload = struct.pack("<I4H", 5, *map(len, texts)) + b"".join(texts) + body
        return frames.frame(kind, rng.randint(0, 9), payload)

    def spoiled(self):
        rng = self.rng
        data = bytearray(b"".join(self.one() for _ in range(rng.randint(1, 8))))
        for _ in range(rng.choice([0, 0, 1, 1, 3])):
            data[rng.randrange(len(data))] = rng.getrandbits(8)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        return bytes(data)
