"""The overview in docs/guides/api.md: every operation of every service as botocore's models list them, and how far
Argosy goes with each. Made of the chapters of that page, which are made of the declarations, and of docs/guides/s3.md."""

import functools
import re

import botocore.session

from harness import declared
from harness.server import REPOSITORY

BEGIN, END = "<!-- overview: begin -->\n", declared.CHAPTERS
# Chapters of the page, and what botocore calls the service.
SERVICES = {
    "SageMaker": "sagemaker",
    "SageMaker Runtime": "sagemaker-runtime",
    "S3": "s3",
    "CloudWatch": "cloudwatch",
    "CloudWatch Logs": "logs",
    "Application Auto Scaling": "application-autoscaling",
    "STS": "sts",
    "IAM": "iam",
}
RUNTIME = ("InvokeEndpoint", "InvokeEndpointWithResponseStream")  # by path, not by declaration
ROOM = 120


@functools.cache
def model(service):
    return botocore.session.get_session().get_service_model(SERVICES[service])


def operations(service):
    """{operation: {member: how far}} of those that Argosy has; none of members where requests are no JSON."""
    if service == "SageMaker Runtime":
        return dict.fromkeys(RUNTIME, {})
    if service == "S3":
        text = (REPOSITORY / "docs" / "guides" / "s3.md").read_text()
        table = text[text.index("| operation |") : text.index("Kept with an object")]
        cells = re.findall(r"^\| ([A-Z][^|]*)\|", table, re.M)
        return dict.fromkeys(re.findall(r"\w+", " ".join(cells)), {})
    return declared.operations()[service]


def model_members(shape, prefix="", within=()):
    """The dotted names of all members of a shape, as the page writes them: [] for lists, {} for maps."""
    for name, member in shape.members.items():
        yield prefix + name
        inner, marks = member, ""
        while inner.type_name in ("list", "map"):
            marks += "[]" if inner.type_name == "list" else "{}"
            inner = inner.member if inner.type_name == "list" else inner.value
        if inner.type_name == "structure" and inner.name not in within:
            yield from model_members(inner, f"{prefix}{name}{marks}.", (*within, inner.name))


def not_acted_on(service, operation, members):
    """What of a request has no effect, grouped by what becomes of it."""
    groups = {"refused": [], "some values refused": [], "given back only": []}
    for name, here in members.items():
        if here == "used" or here == "refused with it":
            continue
        if here.startswith("refused"):
            groups["refused"].append(name)
        elif here.startswith(("only", "at most")):
            groups["some values refused"].append(name)
        elif not any(name.startswith((f"{other}.", f"{other}[", f"{other}{{")) for other in groups["given back only"]):
            groups["given back only"].append(name)
    if service not in ("S3", "SageMaker Runtime", "STS"):
        shape = model(service).operation_model(operation).input_shape
        groups["given back only"] += [n for n in (shape.members if shape is not None else ()) if n not in members]
    return {group: names for group, names in groups.items() if names}


def wrapped(words):
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > ROOM:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def render():
    """What stands between the marks."""
    out = "\n"
    for service in SERVICES:
        known = list(model(service).operation_names)
        here = operations(service)
        out += f"## Overview: {service}, {len(here)} of {len(known)} operations\n\n"
        out += "| operation | here | not acted on |\n|---|---|---|\n"
        for operation, members in here.items():
            groups = not_acted_on(service, operation, members)
            told = "; ".join(f"{group}: " + ", ".join(f"`{n}`" for n in names) for group, names in groups.items())
            out += f"| `{operation}` | {'partly' if groups else 'yes'} | {told} |\n"
        others = [f"`{n}`," for n in known if n not in here]
        if others:
            others[-1] = others[-1][:-1] + "."
            out += f"\nRefused, {len(others)}:\n" + wrapped(others) + "\n"
        out += "\n"
    return out
