"""The SageMaker Python SDK v2, unchanged. Its flows mostly sleep in the client (5, 30 and 45 seconds at a time), so all of
them run side by side in threads from the first test on, and each test looks at what its flow brought."""

import concurrent.futures
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import data, jobs

pytestmark = pytest.mark.xdist_group("sdk")

FLOW_SECONDS = 420  # the longest flow sleeps 150 s by itself
IMAGE = jobs.LINEAR_LEARNER


class Flow:
    """What one flow works with: an SDK session of its own and a bucket that all share."""

    def __init__(self, clients, bucket):
        import sagemaker

        self.clients = clients
        self.bucket = bucket
        self.boto = clients.session()
        self.session = sagemaker.Session(boto_session=self.boto, default_bucket=bucket)

    def estimator(self, **hyperparameters):
        from sagemaker.estimator import Estimator

        found = {"predictor_type": "binary_classifier", "epochs": 5, "mini_batch_size": 50, **hyperparameters}
        return Estimator(
            image_uri=IMAGE,
            role=self.clients.role,
            instance_count=1,
            instance_type="ml.m5.large",
            output_path=f"s3://{self.bucket}/sdk-models",
            sagemaker_session=self.session,
            base_job_name=jobs.unique("sdk"),
            hyperparameters=found,
        )

    def channel(self, text, name):
        from sagemaker.inputs import TrainingInput

        uri = self.session.upload_string_as_file_body(text, self.bucket, f"{jobs.unique('up')}/{name}", kms_key=None)
        return TrainingInput(uri, content_type="text/csv")


def csv_in_json_out():
    from sagemaker.deserializers import JSONDeserializer
    from sagemaker.serializers import CSVSerializer

    return {"serializer": CSVSerializer(), "deserializer": JSONDeserializer()}


def fit_without_logs(flow, folder):
    cancer = data.breast_cancer()
    estimator = flow.estimator()
    channels = {
        "train": flow.channel(cancer.train_csv, "train.csv"),
        "validation": flow.channel(cancer.test_csv, "validation.csv"),
    }
    estimator.fit(channels, logs=False)
    described = estimator.latest_training_job.describe()
    return estimator.model_data, described, flow.session.describe_training_job(described["TrainingJobName"])


def attach(flow, folder):
    from sagemaker.estimator import Estimator

    first = flow.estimator(epochs=2)
    first.fit({"train": flow.channel(data.breast_cancer().train_csv, "t.csv")}, logs=False)
    name = first.latest_training_job.name
    attached = Estimator.attach(name, sagemaker_session=flow.session)
    return first, attached


def deploy_update_delete(flow, folder):
    cancer = data.breast_cancer()
    estimator = flow.estimator()
    estimator.fit({"train": flow.channel(cancer.train_csv, "t.csv")}, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", **csv_in_json_out())
    before = predictor.predict(cancer.test_features[:3])
    told = {"before": before, "endpoint": predictor.endpoint_name}
    first_config = flow.session.describe_endpoint(predictor.endpoint_name)["EndpointConfigName"]
    predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.xlarge")
    described = flow.session.describe_endpoint(predictor.endpoint_name)
    told["configs"] = first_config, described["EndpointConfigName"]
    told["updated"] = described
    told["after"] = predictor.predict(cancer.test_features[:3])
    predictor.delete_model()
    predictor.delete_endpoint()
    told["left"] = [
        e["EndpointName"]
        for e in flow.session.sagemaker_client.list_endpoints(NameContains=predictor.endpoint_name)["Endpoints"]
        if e["EndpointStatus"] != "Deleting"
    ]
    return told


def redeploy(flow, folder):
    """deploy() of one estimator twice: the model is there already, and the SDK goes on with it."""
    cancer = data.breast_cancer()
    estimator = flow.estimator(epochs=2)
    estimator.fit({"train": flow.channel(cancer.train_csv, "t.csv")}, logs=False)
    name = jobs.unique("sdk-model")
    first = estimator.deploy(1, "ml.m5.large", model_name=name, endpoint_name=name + "-1", **csv_in_json_out())
    second = estimator.deploy(1, "ml.m5.large", model_name=name, endpoint_name=name + "-2", **csv_in_json_out())
    answers = [p.predict(cancer.test_features[:2]) for p in (first, second)]
    for predictor in (first, second):
        predictor.delete_endpoint()
    return answers


def two_variants(flow, folder):
    from sagemaker.predictor import Predictor
    from sagemaker.session import production_variant

    cancer = data.breast_cancer()
    estimator = flow.estimator(epochs=2)
    estimator.fit({"train": flow.channel(cancer.train_csv, "t.csv")}, logs=False)
    model = estimator.create_model()
    model._create_sagemaker_model("ml.m5.large")
    name = jobs.unique("ab")
    flow.session.endpoint_from_production_variants(
        name=name,
        production_variants=[
            production_variant(model.name, "ml.m5.large", 1, variant_name=v, initial_weight=w)
            for v, w in (("A", 1), ("B", 0))
        ],
    )
    predictor = Predictor(name, sagemaker_session=flow.session, **csv_in_json_out())
    runtime = flow.session.sagemaker_runtime_client
    body = data.rows(cancer.test_features[:1])

    def served_by(**target):
        reply = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv", **target)
        reply["Body"].read()
        return reply["InvokedProductionVariant"]

    told = {
        "untargeted": {served_by() for _ in range(20)},
        "targeted": [served_by(TargetVariant=v) for v in ("A", "B")],
        "answer": predictor.predict(cancer.test_features[:1], target_variant="B"),
    }
    flow.session.sagemaker_client.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0},
            {"VariantName": "B", "DesiredWeight": 1},
        ],
    )
    flow.session.wait_for_endpoint(name, poll=1)
    told["weights"] = {served_by() for _ in range(20)}
    predictor.delete_endpoint()
    return told


def failing_fit(flow, folder):
    from sagemaker.exceptions import UnexpectedStatusException

    try:
        flow.estimator(epochs="many").fit({"train": flow.channel(data.breast_cancer().train_csv, "t.csv")}, logs=False)
    except UnexpectedStatusException as failure:
        return str(failure), failure.actual_status
    return None


def first_party_linear_learner(flow, folder, hosts=1):
    """The SDK's class uploads RecordIO-protobuf behind a manifest, and speaks it with the endpoint too."""
    from sagemaker import LinearLearner

    cancer = data.breast_cancer()
    learner = LinearLearner(
        role=flow.clients.role,
        instance_count=hosts,
        instance_type="ml.m5.large",
        predictor_type="binary_classifier",
        epochs=5,
        sagemaker_session=flow.session,
        data_location=f"s3://{flow.bucket}/first-party",
    )
    records = learner.record_set(cancer.features.astype("float32"), labels=cancer.labels.astype("float32"))
    learner.fit(records, mini_batch_size=50, logs=False)
    predictor = learner.deploy(1, "ml.m5.large")
    answers = predictor.predict(cancer.test_features.astype("float32"))
    predictor.delete_endpoint()
    return [(a.label["score"].float32_tensor.values[0], a.label["predicted_label"].float32_tensor.values[0]) for a in answers]


def first_party_kmeans(flow, folder, hosts=1):
    from sagemaker import KMeans

    digits = data.digits()
    learner = KMeans(
        role=flow.clients.role,
        instance_count=hosts,
        instance_type="ml.m5.large",
        k=10,
        sagemaker_session=flow.session,
        data_location=f"s3://{flow.bucket}/first-party",
    )
    learner.fit(learner.record_set(digits.features.astype("float32")), mini_batch_size=500, logs=False)
    predictor = learner.deploy(1, "ml.m5.large")
    answers = predictor.predict(digits.test_features.astype("float32"))
    predictor.delete_endpoint()
    return [
        (a.label["closest_cluster"].float32_tensor.values[0], a.label["distance_to_cluster"].float32_tensor.values[0])
        for a in answers
    ]


def first_party_pca(flow, folder, hosts=1):
    from sagemaker import PCA

    digits = data.digits()
    learner = PCA(
        role=flow.clients.role,
        instance_count=hosts,
        instance_type="ml.m5.large",
        num_components=5,
        sagemaker_session=flow.session,
        data_location=f"s3://{flow.bucket}/first-party",
    )
    learner.fit(learner.record_set(digits.features.astype("float32")), mini_batch_size=500, logs=False)
    predictor = learner.deploy(1, "ml.m5.large")
    answers = predictor.predict(digits.test_features[:50].astype("float32"))
    predictor.delete_endpoint()
    return [list(a.label["projection"].float32_tensor.values) for a in answers]


def boosted_trees(flow, folder, hosts=1):
    """SageMaker's XGBoost container: an Estimator with the image's name that the SDK builds."""
    from sagemaker import image_uris
    from sagemaker.deserializers import CSVDeserializer
    from sagemaker.estimator import Estimator
    from sagemaker.inputs import TrainingInput
    from sagemaker.serializers import CSVSerializer

    cancer = data.breast_cancer()
    booster = Estimator(
        image_uris.retrieve("xgboost", "us-east-1", version="1.7-1"),
        flow.clients.role,
        hosts,
        "ml.m5.large",
        output_path=f"s3://{flow.bucket}/boosted",
        sagemaker_session=flow.session,
        hyperparameters={"objective": "binary:logistic", "num_round": 30, "eval_metric": "error", "early_stopping_rounds": 20},
    )
    held_out = data.csv(cancer.test_labels, cancer.test_features)
    channels = {
        "train": TrainingInput(flow.channel(cancer.train_csv, "boosted.csv").config["DataSource"]["S3DataSource"]["S3Uri"], content_type="csv"),
        "validation": TrainingInput(flow.channel(held_out, "held-out.csv").config["DataSource"]["S3DataSource"]["S3Uri"], content_type="text/csv"),
    }
    booster.fit(channels, logs=False)
    described = flow.session.describe_training_job(booster.latest_training_job.name)
    predictor = booster.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    answers = predictor.predict(cancer.test_features)
    predictor.delete_endpoint()
    curve = booster.training_job_analytics.dataframe()  # of the metrics that the description names
    return described, answers, curve


def ten_lines(flow, folder):
    script = Path(__file__).with_name("sdk_ten_lines.py")
    csv_file = folder / "ten-lines.csv"
    csv_file.write_text(data.breast_cancer().train_csv)
    env = flow.clients.environment(**flow.clients.sdk_environment())
    return subprocess.run(
        [sys.executable, str(script), flow.bucket, str(csv_file), IMAGE],
        env=env,
        capture_output=True,
        text=True,
        timeout=FLOW_SECONDS,
    )


# With two instances the SDK cuts records into two objects, one for each.
ON_TWO_HOSTS = tuple(
    functools.partial(flow, hosts=2)
    for flow in (first_party_linear_learner, first_party_kmeans, first_party_pca, boosted_trees)
)
FLOWS = (
    *ON_TWO_HOSTS,
    ten_lines,
    boosted_trees,
    fit_without_logs,
    attach,
    deploy_update_delete,
    redeploy,
    two_variants,
    failing_fit,
    first_party_linear_learner,
    first_party_kmeans,
    first_party_pca,
)


@pytest.fixture(scope="module")
def flows(server, shared_clients, tmp_path_factory):
    """Starts all flows; flows(f) waits for that flow and gives what it brought."""
    folder = tmp_path_factory.mktemp("sdk")
    before = dict(os.environ)
    # The SDK makes its clients itself: only the environment tells them where to go. Its telemetry goes to a bucket of
    # AWS's by https whatever the endpoint; a proxy that is not there ends that at once. (The ten lines opt out by the
    # SDK's defaults file instead, as users do. The SDK validates that file anew for every value that it looks up, half a
    # second at a time: too much for all flows in one process.)
    os.environ.update(shared_clients.exports)
    os.environ.update(HTTPS_PROXY="http://127.0.0.1:9", SAGEMAKER_SUPPRESS_V2_WARNING="1")
    bucket = jobs.unique("sdk")
    shared_clients.s3.create_bucket(Bucket=bucket)
    pool = concurrent.futures.ThreadPoolExecutor(len(FLOWS))
    # The sessions are made one after another: botocore's loader is not meant for several threads.
    prepared = {f: Flow(shared_clients, bucket) for f in FLOWS}
    running = {f: pool.submit(f, prepared[f], folder) for f in FLOWS}
    yield lambda f: running[f].result(FLOW_SECONDS)
    concurrent.futures.wait(running.values(), FLOW_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    os.environ.clear()
    os.environ.update(before)


def test_a_failing_fit_raises_with_the_reason(flows):
    text, status = flows(failing_fit)
    assert status == "Failed"
    assert "epochs" in text and "many" in text


def test_fit_without_logs(flows):
    model_data, described, again = flows(fit_without_logs)
    assert model_data == described["ModelArtifacts"]["S3ModelArtifacts"]
    assert described["TrainingJobStatus"] == "Completed"
    metrics = {m["MetricName"]: m["Value"] for m in described["FinalMetricDataList"]}
    assert metrics["validation:binary_classification_accuracy"] > 0.9
    # What the SDK sends in every job comes back.
    assert described["ProfilerConfig"] and described["DebugHookConfig"]
    assert described["HyperParameters"]["epochs"] == "5"
    again.pop("ResponseMetadata", None), described.pop("ResponseMetadata", None)
    assert again == described


def test_attach_finds_the_job_again(flows):
    first, attached = flows(attach)
    assert attached.latest_training_job.name == first.latest_training_job.name
    assert attached.model_data == first.model_data
    assert attached.hyperparameters()["epochs"] == "2"
    assert attached.instance_type == "ml.m5.large"


def test_the_linear_learner_class_speaks_records(flows):
    answers = flows(first_party_linear_learner)
    labels = data.breast_cancer().test_labels
    assert len(answers) == len(labels)
    assert all(0 <= score <= 1 for score, _ in answers)
    assert sum(predicted == label for (_, predicted), label in zip(answers, labels)) / len(labels) > 0.9


def test_the_kmeans_class_clusters_digits(flows):
    answers = flows(first_party_kmeans)
    digits = data.digits()
    assert len(answers) == len(digits.test_labels)
    # Most of a cluster's digits are one and the same.
    clusters = {}
    for (cluster, distance), label in zip(answers, digits.test_labels):
        assert distance > 0
        clusters.setdefault(cluster, []).append(int(label))
    most = sum(max(map(members.count, members)) for members in clusters.values())
    assert len(clusters) == 10 and most / len(answers) > 0.6


def test_the_pca_class_projects_digits(flows):
    from sklearn.decomposition import PCA

    digits = data.digits()
    expected = PCA(5).fit(digits.features).transform(digits.test_features[:50])[:, ::-1]  # the most important is last
    found = np.array(flows(first_party_pca))
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=0.01)


def test_an_xgboost_estimator_boosts(flows):
    described, answers, curve = flows(boosted_trees)
    labels = data.breast_cancer().test_labels
    metrics = {m["MetricName"]: m["Value"] for m in described["FinalMetricDataList"]}
    assert metrics["validation:error"] < 0.1 and metrics["train:error"] < 0.05
    assert set(curve["metric_name"]) == set(metrics), "the curves of a training are there for plotting"
    scores = np.array([float(row[0]) for row in answers])
    assert ((scores > 0.5) == (np.array(labels) == 1)).mean() > 0.9


def test_two_instances_answer_as_one(flows):
    linear, kmeans, pca, (described, boosted, _) = map(flows, ON_TWO_HOSTS)
    labels = data.breast_cancer().test_labels
    assert sum(predicted == label for (_, predicted), label in zip(linear, labels)) / len(labels) > 0.9
    assert len({cluster for cluster, _ in kmeans}) == 10
    np.testing.assert_allclose(np.abs(pca), np.abs(flows(first_party_pca)), atol=0.01)
    assert described["ResourceConfig"]["InstanceCount"] == 2
    assert ((np.array([float(row[0]) for row in boosted]) > 0.5) == (np.array(labels) == 1)).mean() > 0.9


def test_the_ten_lines_run_with_only_the_endpoint_url_changed(flows):
    done = flows(ten_lines)
    assert done.returncode == 0, done.stdout + done.stderr
    # fit() shows the job's own log and what it costs.
    assert "#quality_metric: host=algo-1" in done.stdout
    assert re.search(r"Training seconds: \d+", done.stdout)
    assert re.search(r"Billable seconds: \d+", done.stdout)
    assert "ANSWER {'predictions': [{" in done.stdout


def test_deploy_update_and_delete(flows):
    told = flows(deploy_update_delete)
    assert len(told["before"]["predictions"]) == 3
    assert told["after"] == told["before"]
    old, new = told["configs"]
    assert old != new
    (variant,) = told["updated"]["ProductionVariants"]
    assert told["updated"]["EndpointStatus"] == "InService"
    assert variant["CurrentInstanceCount"] == 2
    assert told["left"] == []


def test_two_variants_share_an_endpoint(flows):
    told = flows(two_variants)
    assert told["untargeted"] == {"A"}
    assert told["targeted"] == ["A", "B"]
    assert told["answer"]["predictions"]
    assert told["weights"] == {"B"}


def test_a_model_deployed_twice(flows):
    one, two = flows(redeploy)
    assert one == two


def test_no_answer_broke_the_service_model(flows, shared_clients):
    for flow in FLOWS:
        flows(flow)
    assert shared_clients.watch.violations == []
