"""Values that a declared member of a request must not have, made of its declaration in docs/guides/api.md."""

import re

from harness import declared

ROW = re.compile(r"\| `([^`]+)`(?: \(required\))? \| (.*) \| ([^|]+) \|$")
MANY = 10**6  # a bound beyond this is tried by no test: the request itself would be too large


def members():
    """(service, operation, member, type as it is written) of every member that is looked at."""
    service = operation = None
    for line in declared.GUIDE.read_text().partition(declared.CHAPTERS)[2].splitlines():
        if line.startswith("## "):
            service, operation = line[3:], None
        elif line.startswith("### "):
            operation = line[4:]
        elif operation and (found := ROW.match(line)):
            yield service, operation, found[1], found[2]


def bounds(kind, unit):
    """Least and greatest of "1–63 characters", "at least 1", "at most 40 entries"; None where there is none."""
    number = r"([\d,.]+)"
    unit = f" {unit}" if unit else r"(?= |,|$)"
    for pattern, which in ((f"{number}–{number}{unit}", 2), (f"at least {number}{unit}", 0), (f"at most {number}{unit}", 1)):
        if found := re.search(pattern, kind):
            values = [int(float(value.replace(",", ""))) for value in found.groups()]
            return (values[0], values[1]) if which == 2 else (values[0], None) if which == 0 else (None, values[0])
    return None, None


def wrong(kind):
    """(what is wrong, value, whether the error can only be of its type)."""
    if kind.startswith("list of "):
        yield "no list", "x", True
        yield "a structure for a list", {"a": 1}, True
        _, most = bounds(kind, "entries")
        inner = kind.removeprefix("list of ")
        sample = {} if inner.startswith("structure") else 1.0 if inner.startswith("number") else "x"
        if most and most < MANY:
            yield "too many", [sample] * (most + 1), False
        for what, value, of_type in wrong(inner.partition(", at most")[0] if "entries" in inner else inner):
            if of_type:
                yield f"in the list {what}", [value], True
    elif kind.startswith("map"):
        yield "no map", "x", True
        yield "a list for a map", ["x"], True
        _, most = bounds(kind, "entries")
        if most and most < MANY:
            yield "too many", {f"key{i}": "v" for i in range(most + 1)}, False
    elif kind.startswith("structure"):
        yield "no structure", "x", True
        yield "a list for a structure", ["x"], True
    elif kind.startswith("string"):
        yield "a structure for a text", {"a": 1}, True
        yield "a list for a text", ["x"], True
        least, most = bounds(kind, "characters")
        if most and most < MANY:
            yield "too long", "x" * (most + 1), False
        if least and least > 1:
            yield "too short", "x" * (least - 1), False
        if kind.startswith("string:") or "one of" in kind:
            yield "no value of the list", "no-such-value", False
    elif kind.startswith(("integer", "long")):
        yield "a text for a number", "many", True
        yield "a structure for a number", {}, True
        least, most = bounds(kind, "")
        if least is not None:
            yield "too small", least - 1, False
        if most is not None and most < 2**31 - 1:
            yield "too large", most + 1, False
    elif kind.startswith("number"):
        yield "a text for a number", "many", True
    elif kind.startswith("boolean"):
        yield "a text for a truth", "yes", True
    elif kind.startswith("timestamp"):
        yield "no time", {"a": 1}, True


def nested(member, value):
    """A request that holds the value at the member, and nothing else."""
    for part in reversed(member.split(".")):
        name, lists, _ = part.partition("[]")
        value = {name: [value] if lists else value}
    return value
