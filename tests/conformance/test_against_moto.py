"""What a client sees of every service but S3, case by case: of Argosy always, and of moto where ARGOSY_MOTO names its
server (harness/moto.py). Each difference stands at its case with its reason; who is right is decided by the services'
models and references, which botocore carries. S3: test_s3_against_peers.py."""

import pytest
from peer_cases import (
    alarms,
    logs,
    metrics,
    principals,
    runtime,
    sagemaker,
    sagemaker_endpoints,
    sagemaker_lists,
    scaling,
)

MODULES = (sagemaker, sagemaker_endpoints, sagemaker_lists, runtime, logs, metrics, alarms, scaling, principals)
CASES = [
    pytest.param(module.case, name, id=f"{module.__name__.rsplit('.', 1)[1]}-{name}")
    for module in MODULES
    for name in module.case
]


@pytest.mark.parametrize(("cases", "name"), CASES)
def test_argosy_answers(cases, name, argosy_peer):
    cases.check_argosy(name, argosy_peer)


@pytest.mark.parametrize(("cases", "name"), CASES)
def test_moto_answers_the_same_but_for_what_is_written_down(cases, name, moto_peer):
    cases.check_moto(name, moto_peer)
