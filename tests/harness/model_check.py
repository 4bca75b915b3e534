"""Checks every answer of the server against botocore's own service model, byte for byte as it came.

botocore itself forgives much: an unknown member is dropped, a missing one is absent, a number as text is parsed. Here all
of that is a violation: an unknown member, a missing required one, a wrong type, a value outside its enumeration, range or
pattern, a wrong Content-Type, no request id. `watch(session)` hooks the check in front of the parser of every client made
from a botocore session.
"""

import base64
import binascii
import datetime
import email.utils
import json
import re
import xml.etree.ElementTree as ElementTree


class ModelViolation(AssertionError):
    """An answer that the service model does not allow."""


# Codes that every service answers with, beside the ones that an operation's model names.
COMMON_ERRORS = {
    "AccessDenied",
    "AccessDeniedException",
    "IncompleteSignature",
    "InternalFailure",
    "InternalServerError",
    "InternalError",
    "InvalidAction",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SerializationException",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "Throttling",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
    "UnsupportedMediaType",
}

# Members of a JSON error beside those of its shape. The runtime tells `Code` and `ErrorCode` although its model has neither.
ERROR_MEMBERS = {"__type", "message", "Message", "code", "Code", "ErrorCode"}

# Root elements of S3's answers; the model names the shapes, the documentation the elements.
S3_ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjects": "ListBucketResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "ListParts": "ListPartsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "GetBucketLocation": "LocationConstraint",
    "CopyObject": "CopyObjectResult",
    "DeleteObjects": "DeleteResult",
}
S3_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"

# Headers of HTTP and of every AWS answer that no operation's model names.
COMMON_HEADERS = {
    "accept-ranges",
    "access-control-allow-origin",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "transfer-encoding",
    "vary",
    "x-amz-bucket-region",
    "x-amz-crc32",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amzn-errortype",
    "x-amzn-requestid",
}

CONTENT_TYPES = {"json1.0": "application/x-amz-json-1.0", "json1.1": "application/x-amz-json-1.1"}


class _Problems:
    def __init__(self, where):
        self.where = where
        self.found = []

    def add(self, path, text):
        self.found.append(f"{self.where}: {path}: {text}")


def _check_bounds(value, size, shape, path, problems):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < float(low):
        problems.add(path, f"{value!r:.80} is below the least of {low}")
    if high is not None and size > float(high):
        problems.add(path, f"{value!r:.80} is above the most of {high}")


def _check_text(value, shape, path, problems):
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        problems.add(path, f"{value!r} is none of {allowed}")
    _check_bounds(value, len(value), shape, path, problems)
    pattern = shape.metadata.get("pattern")
    if pattern:
        try:
            fits = re.fullmatch(
                pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d"), value
            )
        except re.error:
            return  # a pattern in another dialect than Python's
        if fits is None:
            problems.add(path, f"{value!r:.80} does not match {pattern}")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_whole(value) or isinstance(value, float)


def _is_maker(name, value):
    """Who made a resource: on some of SageMaker's resources, on all of Argosy's. Clients drop it where they do not know it."""
    return name == "CreatedBy" and sorted(value) == ["IamIdentity"] and sorted(value["IamIdentity"]) == ["Arn", "PrincipalId"]


def check_json(value, shape, path, problems):
    """A JSON value against a shape; nulls count as wrong, since the services leave a member out instead."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            problems.add(path, f"{value!r:.80} is not an object")
            return
        names = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        required = {shape.members[n].serialization.get("name", n) for n in shape.required_members}
        for missing in sorted(required - value.keys()):
            problems.add(path, f"required member {missing} is missing")
        for name, inner in value.items():
            if name not in names and _is_maker(name, inner):
                continue
            if name not in names:
                problems.add(f"{path}.{name}", f"is no member of {shape.name}")
            else:
                check_json(inner, names[name], f"{path}.{name}", problems)
    elif kind == "list":
        if not isinstance(value, list):
            problems.add(path, f"{value!r:.80} is not a list")
            return
        _check_bounds(value, len(value), shape, path, problems)
        for i, inner in enumerate(value):
            check_json(inner, shape.member, f"{path}[{i}]", problems)
    elif kind == "map":
        if not isinstance(value, dict):
            problems.add(path, f"{value!r:.80} is not an object")
            return
        for name, inner in value.items():
            check_json(name, shape.key, f"{path}.key({name})", problems)
            check_json(inner, shape.value, f"{path}.{name}", problems)
    elif kind in ("string", "char", "character"):
        if not isinstance(value, str):
            problems.add(path, f"{value!r:.80} is not a string")
        else:
            _check_text(value, shape, path, problems)
    elif kind in ("integer", "long", "short", "byte"):
        if not _is_whole(value):
            problems.add(path, f"{value!r:.80} is not a whole number")
        else:
            _check_bounds(value, value, shape, path, problems)
    elif kind in ("float", "double"):
        if not _is_number(value) and value not in ("NaN", "Infinity", "-Infinity"):
            problems.add(path, f"{value!r:.80} is not a number")
    elif kind == "boolean":
        if not isinstance(value, bool):
            problems.add(path, f"{value!r:.80} is not true or false")
    elif kind == "timestamp":
        # Epoch seconds; a time this far from now was written in another unit.
        if not _is_number(value) or not 946684800 <= value <= 7258118400:
            problems.add(path, f"{value!r:.80} is no time in epoch seconds")
    elif kind == "blob":
        try:
            base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            problems.add(path, f"{value!r:.80} is not base64")


def _check_scalar_text(text, shape, path, problems, timestamp_format):
    """A value that XML or a header carries as text."""
    kind = shape.type_name
    if kind in ("string", "character"):
        _check_text(text, shape, path, problems)
    elif kind in ("integer", "long"):
        if not re.fullmatch(r"-?\d+", text):
            problems.add(path, f"{text!r:.80} is not a whole number")
    elif kind in ("float", "double"):
        try:
            float(text)
        except ValueError:
            problems.add(path, f"{text!r:.80} is not a number")
    elif kind == "boolean":
        if text not in ("true", "false"):
            problems.add(path, f"{text!r:.80} is not true or false")
    elif kind == "timestamp":
        form = shape.serialization.get("timestampFormat", timestamp_format)
        if form == "iso8601":
            try:
                datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ")
            except ValueError:
                problems.add(path, f"{text!r:.80} is no ISO 8601 time in UTC")
        elif form == "rfc822":
            try:
                gmt = email.utils.parsedate_to_datetime(text) and text.endswith("GMT")
            except (TypeError, ValueError):
                gmt = False
            if not gmt:
                problems.add(path, f"{text!r:.80} is no HTTP date")


def _local(tag, namespace, path, problems):
    if namespace and not tag.startswith(namespace):
        problems.add(path, f"element {tag} is not in the namespace {namespace}")
    return tag.rsplit("}", 1)[-1]


def check_xml(node, shape, path, problems, namespace):
    """An XML element against a shape."""
    kind = shape.type_name
    if kind == "structure":
        elements = {}
        for name, member in shape.members.items():
            if member.serialization.get("location") or member.serialization.get("xmlAttribute"):
                continue
            label = member.serialization.get("name")
            if member.type_name == "list" and member.serialization.get("flattened"):
                label = member.serialization.get("name") or member.member.serialization.get("name")
            elements[label or name] = (name, member)
        seen = {}
        for child in node:
            label = _local(child.tag, namespace, path, problems)
            if label not in elements:
                problems.add(f"{path}.{label}", f"is no element of {shape.name}")
                continue
            name, member = elements[label]
            seen[name] = seen.get(name, 0) + 1
            if member.type_name == "list" and member.serialization.get("flattened"):
                check_xml(child, member.member, f"{path}.{label}[{seen[name] - 1}]", problems, namespace)
                continue
            if seen[name] > 1:
                problems.add(f"{path}.{label}", "stands twice")
            check_xml(child, member, f"{path}.{label}", problems, namespace)
        for name in shape.required_members:
            if name in {n for n, _ in elements.values()} and name not in seen:
                problems.add(path, f"required element {name} is missing")
    elif kind == "list":
        label = shape.member.serialization.get("name", "member")
        for i, child in enumerate(node):
            if _local(child.tag, namespace, path, problems) != label:
                problems.add(f"{path}[{i}]", f"element {child.tag} should be {label}")
            check_xml(child, shape.member, f"{path}[{i}]", problems, namespace)
    elif kind == "map":
        problems.add(path, "maps in XML are not expected from these services")
    else:
        if len(node):
            problems.add(path, "a plain value has elements in it")
        _check_scalar_text(node.text or "", shape, path, problems, "iso8601")


def _check_headers(headers, shape, path, problems):
    named, prefixes = {}, []
    for name, member in (shape.members if shape is not None else {}).items():
        location = member.serialization.get("location")
        if location == "header":
            named[member.serialization.get("name", name).lower()] = (name, member)
        elif location == "headers":
            prefixes.append(member.serialization.get("name", "").lower())
    for header, text in headers.items():
        header = header.lower()
        if header in named:
            name, member = named[header]
            if member.type_name != "blob":
                _check_scalar_text(text, member, f"{path}.{name} ({header})", problems, "rfc822")
        elif not (header in COMMON_HEADERS or any(p and header.startswith(p) for p in prefixes)):
            problems.add(path, f"header {header}: {text!r:.60} is not in the model")
    if shape is not None:
        for name in shape.required_members:
            member = shape.members[name]
            label = member.serialization.get("name", name).lower()
            if member.serialization.get("location") == "header" and label not in {h.lower() for h in headers}:
                problems.add(path, f"required header {label} is missing")


def _check_request_id(headers, service, path, problems):
    lowered = {h.lower(): v for h, v in headers.items()}
    names = ["x-amz-request-id"] if service == "s3" else ["x-amzn-requestid"]
    if not any(lowered.get(n) for n in names):
        problems.add(path, f"no {' or '.join(names)} header")


def _check_json_error(body, headers, operation, problems, rest):
    try:
        told = json.loads(body)
    except ValueError:
        problems.add("error", f"body {body[:80]!r} is not JSON")
        return
    lowered = {h.lower(): v for h, v in headers.items()}
    code = lowered.get("x-amzn-errortype") if rest else None
    code = code or told.get("__type") or told.get("code") or told.get("Code")
    if not isinstance(code, str) or not code:
        problems.add("error", f"no code in {told!r:.120}")
        return
    code = code.split(":")[0].rsplit("#", 1)[-1]
    shapes = {s.metadata.get("error", {}).get("code", s.name): s for s in operation.error_shapes}
    shapes.update({s.name: s for s in operation.error_shapes})
    if code not in shapes and code not in COMMON_ERRORS:
        problems.add("error", f"code {code} is neither in the model of {operation.name} nor common to all services")
    if not isinstance(told.get("message", told.get("Message")), str):
        problems.add("error", f"no text in {told!r:.120}")
    members = {m.serialization.get("name", n): m for n, m in shapes[code].members.items()} if code in shapes else {}
    for name, inner in told.items():
        if name in members:
            check_json(inner, members[name], f"error.{name}", problems)
        elif name not in ERROR_MEMBERS:
            problems.add(f"error.{name}", f"is no member of {code}")


def check_response(operation, response):
    """All violations in one raw answer: `response` has status_code, headers and body (bytes; a stream is not looked at)."""
    service = operation.service_model
    protocol = service.resolved_protocol
    problems = _Problems(f"{service.service_name}.{operation.name} → {response['status_code']}")
    headers, body, status = response["headers"], response["body"], response["status_code"]
    shape = operation.output_shape
    content_type = {h.lower(): v for h, v in headers.items()}.get("content-type", "")
    _check_request_id(headers, service.service_name, "headers", problems)
    if protocol == "json":
        expected = CONTENT_TYPES["json" + service.metadata.get("jsonVersion", "1.0")]
        if content_type.split(";")[0].strip() != expected:
            problems.add("headers", f"Content-Type {content_type!r} should be {expected}")
        if status >= 300:
            _check_json_error(body, headers, operation, problems, rest=False)
        elif body or shape is not None:
            try:
                value = json.loads(body or b"{}")
            except ValueError:
                problems.add("body", f"{body[:80]!r} is not JSON")
            else:
                if shape is not None:
                    check_json(value, shape, "body", problems)
                elif value not in ({}, None):
                    problems.add("body", f"{value!r:.80} where the model has none")
    elif protocol == "rest-json":
        if status >= 300:
            _check_json_error(body, headers, operation, problems, rest=True)
        else:
            _check_headers(headers, shape, "headers", problems)
    elif protocol == "rest-xml":
        if status >= 300:
            _check_headers(headers, shape if status in (304,) else None, "headers", problems)
            if body:
                _check_s3_error(body, content_type, problems)
            elif operation.http.get("method") != "HEAD" and status != 304:
                problems.add("error", "no body")
        else:
            _check_headers(headers, shape, "headers", problems)
            _check_s3_body(operation, shape, body, content_type, problems)
    elif protocol == "query":
        _check_query(operation, shape, body, content_type, status, problems)
    else:
        problems.add("protocol", f"{protocol} is not known to this check")
    return problems.found


def _check_s3_body(operation, shape, body, content_type, problems):
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is not None and shape.members[payload].type_name in ("blob", "string"):
        return
    target = shape.members[payload] if payload is not None else shape
    in_body = target is not None and any(not m.serialization.get("location") for m in target.members.values())
    if not in_body:
        if isinstance(body, bytes) and body:
            problems.add("body", f"{body[:80]!r} where the model has none")
        return
    if content_type.split(";")[0] not in ("application/xml", "text/xml"):
        problems.add("headers", f"Content-Type {content_type!r} should be application/xml")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as broken:
        problems.add("body", f"not XML ({broken}): {body[:80]!r}")
        return
    expected = S3_ROOTS.get(operation.name)
    if expected and _local(root.tag, S3_NAMESPACE, "body", problems) != expected:
        problems.add("body", f"root element {root.tag} should be {expected}")
    if operation.name == "GetBucketLocation":
        return  # the root element itself is the value
    check_xml(root, target, "body", problems, S3_NAMESPACE)


def _check_s3_error(body, content_type, problems):
    if content_type.split(";")[0] not in ("application/xml", "text/xml"):
        problems.add("headers", f"Content-Type {content_type!r} should be application/xml")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as broken:
        problems.add("error", f"not XML ({broken}): {body[:80]!r}")
        return
    if root.tag != "Error":
        problems.add("error", f"root element {root.tag} should be Error")
    for name in ("Code", "Message", "RequestId"):
        if not (root.findtext(name) or "").strip():
            problems.add("error", f"no {name}")


def _check_query(operation, shape, body, content_type, status, problems):
    if content_type.split(";")[0] not in ("text/xml", "application/xml"):
        problems.add("headers", f"Content-Type {content_type!r} should be text/xml")
    namespace = "{" + operation.service_model.metadata.get("xmlNamespace", "") + "}"
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as broken:
        problems.add("body", f"not XML ({broken}): {body[:80]!r}")
        return
    if status >= 300:
        if _local(root.tag, namespace, "error", problems) != "ErrorResponse":
            problems.add("error", f"root element {root.tag} should be ErrorResponse")
        for name in ("Type", "Code", "Message"):
            if not root.findtext(f"{namespace}Error/{namespace}{name}"):
                problems.add("error", f"no {name}")
        if not root.findtext(f"{namespace}RequestId"):
            problems.add("error", "no RequestId")
        return
    if _local(root.tag, namespace, "body", problems) != f"{operation.name}Response":
        problems.add("body", f"root element {root.tag} should be {operation.name}Response")
    if not root.findtext(f"{namespace}ResponseMetadata/{namespace}RequestId"):
        problems.add("body", "no ResponseMetadata/RequestId")
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    if wrapper:
        result = root.find(f"{namespace}{wrapper}")
        if result is None:
            problems.add("body", f"no {wrapper}")
        else:
            check_xml(result, shape, f"body.{wrapper}", problems, namespace)


class Watch:
    """Collects what the hooked sessions answered: `count` answers, `violations` found."""

    def __init__(self):
        self.count = 0
        self.violations = []
        self.operations = set()

    def __call__(self, operation_model, response_dict, **_):
        self.count += 1
        self.operations.add(f"{operation_model.service_model.service_name}.{operation_model.name}")
        found = check_response(operation_model, response_dict)
        if found:
            self.violations.extend(found)
            raise ModelViolation("\n".join(found))

    def attach(self, botocore_session):
        botocore_session.get_component("event_emitter").register_first("before-parse", self)
        return botocore_session
