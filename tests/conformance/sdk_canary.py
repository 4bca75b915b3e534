"""A canary that fails: a tenth of the traffic goes to a model that answers badly, an alarm goes off, all is as before.

    eval "$(argosy env)"
    python sdk_canary.py good/model.tar.gz bad/model.tar.gz      # artifacts with an inference.py

The last line that it prints is what it saw, as JSON. test_sdk_serving.py runs it as it stands.
"""

import json
import os
import sys
import threading

import boto3
import sagemaker
from botocore.config import Config
from botocore.exceptions import ClientError
from sagemaker.utils import unique_name_from_base

session = sagemaker.Session()
client, cloudwatch = boto3.client("sagemaker"), boto3.client("cloudwatch")
# Each request counts once, also one that fails.
runtime = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
image = sagemaker.image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")
endpoint = unique_name_from_base("canary")
variant = "AllTraffic"


def config_of(artifact, number):
    uri = session.upload_data(artifact, key_prefix=f"{endpoint}/{number}")
    model = {"Image": image, "ModelDataUrl": uri, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    name = session.create_model(f"{endpoint}-{number}", os.environ["ARGOSY_ROLE"], model)
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"ModelName": name, "VariantName": variant, "InstanceType": "ml.m5.large",
                             "InitialInstanceCount": 1, "InitialVariantWeight": 1}],
    )  # fmt: skip
    return name


def wait():
    client.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 2, "MaxAttempts": 300})
    return client.describe_endpoint(EndpointName=endpoint)


def alarm_on(metric, statistic, threshold):
    cloudwatch.put_metric_alarm(
        AlarmName=f"{endpoint}-{metric}",
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        Statistic=statistic,
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    return {"AlarmName": f"{endpoint}-{metric}"}


seen = {"answers": {}, "model_errors": [], "lost": []}


def ask():
    try:
        reply = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body="1,2")
        answer = reply["Body"].read().decode()
        seen["answers"][answer] = seen["answers"].get(answer, 0) + 1
    except ClientError as error:
        by_model = error.response["Error"]["Code"] == "ModelError"
        seen["model_errors" if by_model else "lost"].append(error.response.get("OriginalMessage", str(error)))
    except Exception as error:
        seen["lost"].append(repr(error))


def ask_until(stopped):
    while not stopped.wait(0.05):
        ask()


seen["first"] = config_of(sys.argv[1], 1)
client.create_endpoint(EndpointName=endpoint, EndpointConfigName=seen["first"])
wait()
alarms = [alarm_on("Invocation5XXErrors", "Sum", 5), alarm_on("ModelLatency", "Average", 10_000_000)]

stopped = threading.Event()
traffic = threading.Thread(target=ask_until, args=[stopped])
traffic.start()
client.update_endpoint(
    EndpointName=endpoint,
    EndpointConfigName=config_of(sys.argv[2], 2),
    DeploymentConfig={
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                "WaitIntervalInSeconds": 300,
            },
            "TerminationWaitInSeconds": 120,
            "MaximumExecutionTimeoutInSeconds": 1800,
        },
        "AutoRollbackConfiguration": {"Alarms": alarms},
    },
)
described = wait()
stopped.set()
traffic.join()

for name in ("EndpointStatus", "EndpointConfigName", "FailureReason"):
    seen[name] = described.get(name)
names = [alarm["AlarmName"] for alarm in alarms]
found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
seen["alarms"] = {alarm["MetricName"]: alarm["StateValue"] for alarm in found}
seen["during"], seen["answers"], failed = seen["answers"], {}, len(seen["model_errors"])
for _ in range(50):
    ask()
seen["failed_after"] = len(seen["model_errors"]) - failed
seen["model_errors"] = {text: seen["model_errors"].count(text) for text in seen["model_errors"]}
cloudwatch.delete_alarms(AlarmNames=names)
client.delete_endpoint(EndpointName=endpoint)
print("\n" + json.dumps(seen))
