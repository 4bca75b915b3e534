"""Frames as docs/formats/protocol.md has them: a header of 16 bytes and a payload, little-endian."""

import struct

MAGIC = 0x4741
VERSION = 1

HELLO, INVOKE, ANSWER, INVOKE_IN_PARTS, PART, GRANT, CANCEL = 1, 18, 19, 20, 21, 22, 23

FIELD_BYTES_MAX = 8192
PART_BYTES_MAX = 64 << 10
PART_CREDIT_BYTES = 256 << 10
HELLO_BYTES_MAX = 4096
PAYLOAD_BYTES_MAX = {
    INVOKE: 6_291_456 + 5 * FIELD_BYTES_MAX,
    INVOKE_IN_PARTS: 6_291_456 + 5 * FIELD_BYTES_MAX,
    GRANT: 4,
    CANCEL: 0,
}

_header = struct.Struct("<HBBIQ")
_invoke = struct.Struct("<I4H")
_answer = struct.Struct("<HHH")
_grant = struct.Struct("<I")


class BrokenFrame(Exception):
    """The peer broke the protocol: nothing that follows can be understood."""


class Request:
    """One invocation."""

    __slots__ = ("id", "in_parts", "content_type", "accept", "custom_attributes", "inference_id", "body")

    def __init__(self, id, in_parts, content_type, accept, custom_attributes, inference_id, body):
        self.id = id
        self.in_parts = in_parts
        self.content_type = content_type
        self.accept = accept
        self.custom_attributes = custom_attributes
        self.inference_id = inference_id
        self.body = body


def parse_invoke(id, in_parts, payload):
    if len(payload) < _invoke.size:
        raise BrokenFrame("an invocation shorter than its fixed part")
    _, *lengths = _invoke.unpack_from(payload)
    at = _invoke.size
    if max(lengths) > FIELD_BYTES_MAX or at + sum(lengths) > len(payload):
        raise BrokenFrame("an invocation whose fields are longer than it")
    texts = []
    for length in lengths:
        # As HTTP has headers: any byte is a character.
        texts.append(str(payload[at : at + length], "latin-1"))
        at += length
    return Request(id, in_parts, *texts, bytes(payload[at:]))


class Reader:
    """Cuts bytes into frames as they come: feed(), then take() until it gives nothing."""

    def __init__(self):
        self._buffer = bytearray()
        self._at = 0

    def feed(self, data):
        if self._at == len(self._buffer):
            self._buffer.clear()
            self._at = 0
        self._buffer += data

    def take(self):
        """The next whole frame as (kind, id, payload), or None."""
        left = len(self._buffer) - self._at
        if left < _header.size:
            return None
        magic, version, kind, length, id = _header.unpack_from(self._buffer, self._at)
        if magic != MAGIC or version != VERSION:
            raise BrokenFrame("no frame begins here")
        most = PAYLOAD_BYTES_MAX.get(kind)
        if most is None:
            raise BrokenFrame(f"a frame of kind {kind}, which nobody sends to a worker")
        if length > most:
            raise BrokenFrame(f"a frame of kind {kind} with {length} bytes, at most {most} are allowed")
        if left < _header.size + length:
            return None
        begin = self._at + _header.size
        self._at = begin + length
        with memoryview(self._buffer) as view:
            payload = bytes(view[begin : self._at])
        if self._at > 1 << 20:
            del self._buffer[: self._at]
            self._at = 0
        return kind, id, payload


def parse_grant(payload):
    if len(payload) != _grant.size:
        raise BrokenFrame("a grant that is no number")
    return _grant.unpack(payload)[0]


def frame(kind, id, payload):
    return _header.pack(MAGIC, VERSION, kind, len(payload), id) + payload


def answer(id, status, content_type, body, custom_attributes="", kind=ANSWER):
    """The bytes of an answer's frame, or of a part's; `body` is bytes."""
    kind_of_body = content_type.encode("latin-1", "replace")[:FIELD_BYTES_MAX]
    attributes = custom_attributes.encode("latin-1", "replace")[:FIELD_BYTES_MAX]
    size = _answer.size + len(kind_of_body) + len(attributes) + len(body)
    return b"".join(
        (
            _header.pack(MAGIC, VERSION, kind, size, id),
            _answer.pack(status, len(kind_of_body), len(attributes)),
            kind_of_body,
            attributes,
            body,
        )
    )
