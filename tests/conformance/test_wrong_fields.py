"""Every member of every declared operation, given what it must not be: the right error, naming the member, and nothing
else; the server goes on."""

import json

import pytest

from conformance.test_overview import JSON_SERVICES
from harness import raw, wrong_values

CASES = [
    (service, operation, member, what, value, of_type)
    for service, operation, member, kind in wrong_values.members()
    if service in JSON_SERVICES
    for what, value, of_type in wrong_values.wrong(kind)
]


def problem(answer, member, of_type):
    """Why the answer is not the right one; nothing when it is."""
    try:
        error = answer.json()
    except ValueError:
        return f"no JSON: {answer}"
    code = error.get("__type", "").partition("#")[2] or error.get("__type", "")
    message = error.get("message") or error.get("Message") or ""
    if not 400 <= answer.status < 500:
        return f"status {answer.status}: {error}"
    name = member.rpartition(".")[2].removesuffix("[]")
    if code == "SerializationException":
        return None if of_type and message else f"{code} for a value of the right type: {message}"
    if code in ("InternalFailure", "UnknownOperationException"):
        return f"{code}: {message}"
    if name.lower() not in message.lower():
        return f"the error does not name it: {code}: {message[:300]}"
    return None


@pytest.mark.parametrize("service", JSON_SERVICES)
def test_what_a_member_must_not_be_is_refused_by_its_name(clients, service):
    name, prefix = JSON_SERVICES[service]
    wrong, tried = [], 0
    with raw.Connection(raw.address_of(clients)) as connection:
        for of, operation, member, what, value, of_type in CASES:
            if of != service:
                continue
            request = raw.json_call(clients, operation, wrong_values.nested(member, value), name, prefix)
            fault = problem(connection.send(request).read(), member, of_type)
            tried += 1
            if fault:
                wrong.append(f"{operation} {member} ({what}, {json.dumps(value)[:60]}): {fault}")
    assert tried > 50
    assert not wrong, f"{len(wrong)} of {tried}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("service", JSON_SERVICES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":1}{', b"[" * 100_000])
def test_what_is_no_request_is_refused(clients, service, body):
    name, prefix = JSON_SERVICES[service]
    operations = {operation for of, operation, *_ in CASES if of == service}
    with raw.Connection(raw.address_of(clients)) as connection:
        for operation in sorted(operations):
            answer = connection.send(raw.json_call(clients, operation, body, name, prefix)).read()
            # Nothing at all, and null, ask for an operation without members.
            assert answer.status < 500 and (answer.status >= 400 or body in (b"", b"null")), (operation, answer)
