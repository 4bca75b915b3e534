"""What Argosy declares, what its guide lists and what botocore's models know agree. After a change of one of them, and
of docs/guides/api.md by the unit test:

    ARGOSY_UPDATE_DOCS=1 .venv/bin/python -m pytest tests/conformance/test_overview.py
"""

import os
import re

import pytest

from harness import declared, declared_headers, overview, raw
from harness.server import REPOSITORY

JSON_SERVICES = {  # where requests are JSON: signing name, prefix of the target
    "SageMaker": ("sagemaker", "SageMaker"),
    "CloudWatch": ("monitoring", "GraniteServiceVersion20100801"),
    "CloudWatch Logs": ("logs", "Logs_20140328"),
    "Application Auto Scaling": ("application-autoscaling", "AnyScaleFrontendService"),
}

# Members of newer models than this environment's (botocore 1.44.5 has them): clients that have those send them.
NEWER = {
    "SageMaker": [
        "CreateTrainingJob.ResourceConfig.InstancePreferences",
        "CreateModel.PrimaryContainer.ContainerMetricsConfig",
        "CreateModel.Containers[].ContainerMetricsConfig",
        "CreateEndpointConfig.ProductionVariants[].AcceleratorPartitionLayouts",
        "CreateEndpointConfig.CrossRegionTrafficConfig",
    ],
    "CloudWatch Logs": ["FilterLogEvents.startFromHead"],
}


def test_the_overview_is_what_the_chapters_and_the_models_say():
    page = declared.GUIDE.read_text()
    begin, end = page.index(overview.BEGIN) + len(overview.BEGIN), page.index(overview.END)
    expected = overview.render()
    if os.environ.get("ARGOSY_UPDATE_DOCS"):
        declared.GUIDE.write_text(page[:begin] + expected + page[end:])
    found = declared.GUIDE.read_text()[begin:].partition(overview.END)[0]
    assert found == expected, "out of date: see the top of this file"


@pytest.mark.parametrize("service", overview.SERVICES)
def test_every_operation_is_one_of_the_services(service):
    assert set(overview.operations(service)) <= set(overview.model(service).operation_names)


def test_the_guide_of_s3_lists_what_the_server_tells_apart():
    source = REPOSITORY / "src" / "api" / "s3"
    names = re.search(r"enum class Operation \{(.*?)\};", (source / "request.h").read_text(), re.S)[1]
    expected = set(re.findall(r"^ *k(\w+)", names, re.M)) - {"GetSetting"}
    # What nobody can set goes by the sub-resource in the request: ?acl, ?policy, …
    text = (source / "settings.cc").read_text()
    for level, table in (("/{Bucket}", "kOfBuckets"), ("/{Bucket}/{Key+}", "kOfObjects")):
        rows = re.search(rf"{table}\[\] = \{{(.*?)\n\}};", text, re.S)[1]
        uris = {f"{level}?{name}" for name in re.findall(r'^ *\{"([^"]+)"', rows, re.M)}
        for name in overview.model("S3").operation_names:
            http = overview.model("S3").operation_model(name).http
            if http["method"] == "GET" and http["requestUri"] in uris:
                expected.add(name)
    assert set(overview.operations("S3")) == expected


def test_every_header_of_s3_has_its_effect_or_is_refused():
    taken, everywhere, missing = declared_headers.taken(), declared_headers.of_every_operation(), []
    for operation in overview.operations("S3"):
        shape = overview.model("S3").operation_model(operation).input_shape
        for member in shape.members.values() if shape is not None else ():
            if member.serialization.get("location") not in ("header", "headers"):
                continue  # of the query what is not declared is refused by its name
            header = member.serialization["name"].lower()
            if not declared_headers.covers(taken.get(operation, []) + everywhere, header):
                missing.append(f"{operation}: {header}")
    assert taken and missing == []


@pytest.mark.parametrize("service", [*JSON_SERVICES, "IAM"])
def test_every_member_is_one_of_the_operations(service):
    unknown, missing = [], []
    for operation, members in declared.operations()[service].items():
        shape = overview.model(service).operation_model(operation).input_shape
        known = set(overview.model_members(shape)) if shape is not None else set()
        unknown += [f"{operation}.{m}" for m in members if m not in known]
        required = shape.required_members if shape is not None else ()
        missing += [f"{operation}.{m}" for m in required if m not in members]
    assert (unknown, missing) == (NEWER.get(service, []), [])


@pytest.mark.parametrize("service", JSON_SERVICES)
def test_all_others_are_refused_by_name(clients, service):
    signing, prefix = JSON_SERVICES[service]
    others = set(overview.model(service).operation_names) - set(overview.operations(service))
    with raw.Connection(raw.address_of(clients)) as connection:
        for operation in sorted(others):
            answer = connection.send(raw.json_call(clients, operation, {}, signing, prefix)).read()
            assert (answer.status, answer.json()["__type"]) == (400, "UnknownOperationException"), operation
            assert f"'{operation}'" in answer.json()["message"]


@pytest.mark.parametrize("service", JSON_SERVICES)
def test_what_is_declared_is_there(clients, service):
    """No operation of the guide is an unknown one; without members most are refused for what is missing."""
    signing, prefix = JSON_SERVICES[service]
    with raw.Connection(raw.address_of(clients)) as connection:
        for operation in overview.operations(service):
            answer = connection.send(raw.json_call(clients, operation, {}, signing, prefix)).read()
            assert answer.status == 200 or answer.json()["__type"] != "UnknownOperationException", operation
