"""One worker: reads what waits on its socket, answers it, and ends when the socket does."""

import json
import socket
import sys
import time
import traceback

from . import frames
from .batching import Batcher
from .errors import ModelError, RequestError, install_hint
from .handlers import Handlers, is_stream

READ_BYTES = 1 << 20
ANSWER_BYTES_MAX = (32 << 20) - 2 * frames.FIELD_BYTES_MAX - 64
HOLD_SECONDS = 0.001  # an answer that is done waits no longer than that for those behind it
TRACEBACKS_PER_SECOND = 5


def log(line):
    print(line, flush=True)


def _text_of(error):
    """What it says; its own __str__ may fail."""
    try:
        return str(error)
    except Exception:
        return "(its text cannot be had)"


class Disconnected(Exception):
    """The agent has gone."""


class Worker:
    def __init__(self, connection, handlers):
        self._connection = connection
        self._handlers = handlers
        self._batcher = Batcher(handlers, log)
        self._reader = frames.Reader()
        self._waiting = []  # requests read, not answered yet
        self._cancelled = set()
        self._granted = {}  # bytes of parts that may be sent yet, by request
        self._out = []
        self._flushed = time.monotonic()
        self._second, self._tracebacks = 0, 0

    def run(self):
        try:
            while True:
                if not self._waiting:
                    self._read()
                requests, self._waiting = self._waiting, []
                self._answer_all(requests)
                self._flush()
                self._cancelled.clear()
        except Disconnected:
            return

    # --- the socket ---

    def _read(self):
        """Waits for bytes and takes in all whole frames."""
        try:
            data = self._connection.recv(READ_BYTES)
        except ConnectionError:
            raise Disconnected from None
        if not data:
            raise Disconnected
        self._reader.feed(data)
        while (taken := self._reader.take()) is not None:
            kind, id, payload = taken
            if kind == frames.GRANT:
                if id in self._granted:
                    self._granted[id] += frames.parse_grant(payload)
            elif kind == frames.CANCEL:
                self._cancelled.add(id)
            else:
                self._waiting.append(frames.parse_invoke(id, kind == frames.INVOKE_IN_PARTS, payload))

    def _send(self, data):
        self._out.append(data)
        if time.monotonic() - self._flushed > HOLD_SECONDS:
            self._flush()

    def _flush(self):
        if self._out:
            try:
                self._connection.sendall(b"".join(self._out))
            except ConnectionError:
                raise Disconnected from None
            self._out.clear()
        self._flushed = time.monotonic()

    # --- requests ---

    def _answer_all(self, requests):
        requests = [request for request in requests if request.id not in self._cancelled]
        if self._handlers.batches and len(requests) > 1:
            for request, answered in zip(requests, self._batcher.answer(requests)):
                self._give(request, answered)
            return
        for request in requests:
            try:
                answered = self._handlers.answer(request)
            except (Exception, SystemExit) as error:  # one that calls sys.exit must not end its neighbours
                answered = error
            self._give(request, answered)

    def _give(self, request, answered):
        if isinstance(answered, BaseException):
            return self._give_error(request, answered)
        body, content_type = answered
        if is_stream(body):
            return self._give_stream(request, body, content_type)
        if len(body) > ANSWER_BYTES_MAX:
            return self._give_error(request, RequestError(
                500, f"the answer has {len(body)} bytes, more than the {ANSWER_BYTES_MAX} allowed: send fewer rows"))
        self._send(frames.answer(request.id, 200, content_type, body))

    def _give_error(self, request, error):
        if isinstance(error, RequestError):
            status, message = error.status, str(error)
        else:
            status, message = 500, f"{type(error).__name__}: {_text_of(error)}"
            self._log_traceback(error)
        self._send(frames.answer(request.id, status, "text/plain", message.encode(errors="replace")[: 64 << 10]))

    def _log_traceback(self, error):
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._tracebacks = second, 0
        self._tracebacks += 1
        if self._tracebacks <= TRACEBACKS_PER_SECOND:
            log("".join(traceback.format_exception(error)).rstrip())

    # --- answers that come in pieces ---

    def _give_stream(self, request, pieces, content_type):
        self._granted[request.id] = frames.PART_CREDIT_BYTES
        try:
            for piece in pieces:
                data = piece.encode() if isinstance(piece, str) else bytes(piece)
                for begin in range(0, len(data), frames.PART_BYTES_MAX):
                    if not self._send_part(request.id, content_type, data[begin : begin + frames.PART_BYTES_MAX]):
                        close = getattr(pieces, "close", None)
                        if close:
                            close()
                        break
                if request.id in self._cancelled:
                    break
        except Disconnected:
            raise
        except (Exception, SystemExit) as error:
            return self._give_error(request, error)
        finally:
            del self._granted[request.id]
        self._send(frames.answer(request.id, 200, content_type, b""))

    def _send_part(self, id, content_type, data):
        """Sends it once it may be sent; false when nobody waits any more."""
        while self._granted[id] < len(data) and id not in self._cancelled:
            self._flush()
            self._read()
        if id in self._cancelled:
            return False
        self._granted[id] -= len(data)
        self._out.append(frames.answer(id, 200, content_type, data, kind=frames.PART))
        self._flush()
        return True


def say_hello(connection, **members):
    # A sentence too long for the frame is cut, not the JSON.
    while len(text := json.dumps(members).encode()) > frames.HELLO_BYTES_MAX:
        members["error"] = members["error"][: len(members["error"]) * 3 // 4]
    connection.sendall(frames.frame(frames.HELLO, 0, text))


def reason_of(error):
    """Why the model cannot be served, in a sentence."""
    if isinstance(error, ModelError):
        return str(error)
    return install_hint(error) or f"loading the model failed: {type(error).__name__}: {_text_of(error)}"


def serve(connection, model_dir, code_dir, program, image):
    """The exit code."""
    try:
        handlers = Handlers(model_dir, code_dir, program, image=image)
    except BaseException as error:  # a script may call sys.exit
        if not isinstance(error, ModelError):
            log("".join(traceback.format_exception(error)).rstrip())
        say_hello(connection, error=reason_of(error))
        return 1
    say_hello(connection, ready=True, batches=handlers.batches)
    Worker(connection, handlers).run()
    return 0


def main(arguments):
    import argparse

    parser = argparse.ArgumentParser(prog="argosy_serving")
    parser.add_argument("--model-dir", required=True)
    parser.add_argument("--code-dir", required=True)
    parser.add_argument("--program")
    parser.add_argument("--image", default="", help="repository of the model's image")
    parser.add_argument("--socket", type=int, default=3, help="descriptor of the agent's socket")
    given = parser.parse_args(arguments)
    with socket.socket(fileno=given.socket) as connection:
        return serve(connection, given.model_dir, given.code_dir, given.program, given.image)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
