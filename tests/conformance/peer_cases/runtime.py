"""The runtime: answers of an endpoint."""

from harness import data, jobs
from harness.peers import Cases, error

UNCHECKED = "the service holds a request against its model and reference; moto takes it"
INVALID_QUERY = ("ValidationError", 400)
case = Cases()


@case(
    {
        "invoke": 200,
        "content type": "application/json",
        "variant": "AllTraffic",
        "of a variant": 200,
        "of a missing variant": INVALID_QUERY,
        "a missing endpoint": INVALID_QUERY,
        "a content type that it has not": ("ModelError", 424),
        "an answer that it has not": ("ModelError", 424),
        "an empty body": ("ModelError", 424),
        "end": 200,
    },
    moto={
        "moto has no models to ask, and answers what it was told": ["content type", "variant"],
        UNCHECKED: [
            "of a missing variant", "a missing endpoint", "a content type that it has not",
            "an answer that it has not", "an empty body",
        ],
    },
)
def invocations(peer, name):
    jobs.create_model(peer, peer.artifact, name)
    jobs.create_config(peer, name, name)
    peer.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    jobs.await_endpoint(peer, name)
    body = data.rows(data.breast_cancer().test_features[:1])

    def invoke(**changes):
        return error(peer.runtime.invoke_endpoint, **{**request, **changes})

    request = {"EndpointName": name, "Body": body, "ContentType": "text/csv", "Accept": "application/json"}
    told = peer.runtime.invoke_endpoint(**request)
    return {
        "invoke": invoke(),
        "content type": told["ContentType"],
        "variant": told["InvokedProductionVariant"],
        "of a variant": invoke(TargetVariant="AllTraffic"),
        "of a missing variant": invoke(TargetVariant="none"),
        "a missing endpoint": invoke(EndpointName=name + "x"),
        "a content type that it has not": invoke(ContentType="image/png"),
        "an answer that it has not": invoke(Accept="image/png"),
        "an empty body": invoke(Body=b""),
        "end": error(peer.sagemaker.delete_endpoint, EndpointName=name),
    }

