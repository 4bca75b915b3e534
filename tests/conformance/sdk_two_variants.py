"""An A/B test: two models behind one endpoint, compared by who answered and how well, then traffic moved to the better.

    eval "$(argosy env)"
    python sdk_two_variants.py a/model.tar.gz b/model.tar.gz held_out.csv  # models of XGBoost; the label comes first

The last line that it prints is what it saw, as JSON. test_sdk_serving.py runs it as it stands.
"""

import collections
import datetime
import json
import os
import sys
import time

import boto3
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.session import production_variant
from sagemaker.utils import unique_name_from_base

artifacts, csv_file = dict(zip(("VariantA", "VariantB"), sys.argv[1:3])), sys.argv[3]
rows = [line.strip().partition(",") for line in open(csv_file)]
session = sagemaker.Session()
client, cloudwatch = boto3.client("sagemaker"), boto3.client("cloudwatch")
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
endpoint = unique_name_from_base("two-variants")

variants = []
for name, artifact in artifacts.items():
    uri = session.upload_data(artifact, key_prefix=f"{endpoint}/{name}")
    model = session.create_model(f"{endpoint}-{name}", os.environ["ARGOSY_ROLE"], {"Image": image, "ModelDataUrl": uri})
    variants.append(production_variant(model, "ml.m5.xlarge", 1, variant_name=name, initial_weight=1))
session.endpoint_from_production_variants(endpoint, variants)


def ask(count):
    """Which variant answered how many of so many requests."""
    answered = collections.Counter()
    for i in range(count):
        answered[session.sagemaker_runtime_client.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body=rows[i % len(rows)][2]
        )["InvokedProductionVariant"]] += 1  # fmt: skip
    return answered


def invocations(variant):
    """What CloudWatch has counted of a variant so far."""
    now = datetime.datetime.now(datetime.timezone.utc)
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        StartTime=now - datetime.timedelta(minutes=60),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
    )["Datapoints"]
    return int(sum(point["Sum"] for point in points))


def move_traffic(**weights):
    client.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": v, "DesiredWeight": w} for v, w in weights.items()],
    )
    session.wait_for_endpoint(endpoint, poll=1)
    return ask(200)


seen = {"even": ask(200)}
for _ in range(60):  # metrics come some seconds later
    seen["metrics"] = {variant: invocations(variant) for variant in artifacts}
    if sum(seen["metrics"].values()) == 200:
        break
    time.sleep(1)

predictor = Predictor(endpoint, session, serializer=CSVSerializer(), deserializer=CSVDeserializer())
seen["accuracy"] = {}
for variant in artifacts:
    scores = predictor.predict("\n".join(features for _, _, features in rows), target_variant=variant)
    right = sum((float(score[0]) > 0.5) == (label == "1") for score, (label, _, _) in zip(scores, rows))
    seen["accuracy"][variant] = right / len(rows)

best = max(artifacts, key=seen["accuracy"].get)
(other,) = artifacts.keys() - {best}
seen["best"] = best
seen["mostly"] = move_traffic(**{best: 3, other: 1})
seen["only"] = move_traffic(**{best: 1, other: 0})
described = client.describe_endpoint(EndpointName=endpoint)
seen["weights"] = {v["VariantName"]: v["CurrentWeight"] for v in described["ProductionVariants"]}
predictor.delete_endpoint()
print("\n" + json.dumps(seen))
