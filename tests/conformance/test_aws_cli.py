"""A whole life of a model by the aws CLI alone: bucket, upload, training, endpoint, invocation, removal."""

import json

from harness import data, jobs


def test_train_deploy_predict_and_clean_up(aws, clients, tmp_path):
    cancer = data.breast_cancer()
    bucket, job, endpoint = (jobs.unique(k) for k in ("cli-bucket", "cli-job", "cli-endpoint"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text(cancer.train_csv)
    aws("s3", "mb", f"s3://{bucket}")
    aws("s3", "sync", tmp_path / "data", f"s3://{bucket}/train/")
    assert "train.csv" in aws("s3", "ls", f"s3://{bucket}/train/")
    told = aws(
        "sagemaker",
        "create-training-job",
        "--training-job-name",
        job,
        "--role-arn",
        clients.role,
        "--algorithm-specification",
        f"TrainingImage={jobs.LINEAR_LEARNER},TrainingInputMode=File",
        "--input-data-config",
        json.dumps([jobs.csv_channel(f"s3://{bucket}/train/")]),
        "--output-data-config",
        f"S3OutputPath=s3://{bucket}/models",
        "--resource-config",
        "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5",
        "--stopping-condition",
        "MaxRuntimeInSeconds=600",
        "--hyper-parameters",
        "predictor_type=binary_classifier,epochs=10,mini_batch_size=50",
    )
    assert told["TrainingJobArn"].endswith(job)
    jobs.await_job(clients, job)
    described = aws("sagemaker", "describe-training-job", "--training-job-name", job)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    listed = aws(
        "sagemaker",
        "list-training-jobs",
        "--name-contains",
        job,
        "--status-equals",
        "Completed",
        "--creation-time-after",
        "2020-01-01",
        "--sort-by",
        "Name",
        "--max-items",
        "5",
    )
    assert [s["TrainingJobName"] for s in listed["TrainingJobSummaries"]] == [job]
    artifact = described["ModelArtifacts"]["S3ModelArtifacts"]
    aws("s3", "cp", artifact, tmp_path / "model.tar.gz")
    assert (tmp_path / "model.tar.gz").read_bytes() == clients.get(artifact)
    aws(
        "sagemaker",
        "create-model",
        "--model-name",
        endpoint,
        "--execution-role-arn",
        clients.role,
        "--primary-container",
        f"Image={jobs.LINEAR_LEARNER},ModelDataUrl={artifact}",
    )
    aws(
        "sagemaker",
        "create-endpoint-config",
        "--endpoint-config-name",
        endpoint,
        "--production-variants",
        f"VariantName=v,ModelName={endpoint},InitialInstanceCount=1,InstanceType=ml.t2.medium",
    )
    aws("sagemaker", "create-endpoint", "--endpoint-name", endpoint, "--endpoint-config-name", endpoint)
    jobs.await_endpoint(clients, endpoint)
    assert aws("sagemaker", "describe-endpoint", "--endpoint-name", endpoint)["EndpointStatus"] == "InService"
    (tmp_path / "rows.csv").write_text(data.rows(cancer.test_features[:3]))
    aws(
        "sagemaker-runtime",
        "invoke-endpoint",
        "--endpoint-name",
        endpoint,
        "--content-type",
        "text/csv",
        "--body",
        f"fileb://{tmp_path / 'rows.csv'}",
        tmp_path / "answer.json",
    )
    assert len(json.loads((tmp_path / "answer.json").read_text())["predictions"]) == 3
    aws("sagemaker", "delete-endpoint", "--endpoint-name", endpoint)
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", endpoint)
    aws("sagemaker", "delete-model", "--model-name", endpoint)
    aws("s3", "rb", f"s3://{bucket}", "--force")
    assert bucket not in (aws("s3", "ls") or "")


def test_an_error_is_shown_to_the_user(clients):
    done = clients.aws("sagemaker", "describe-endpoint", "--endpoint-name", "never-was", check=False)
    assert done.returncode != 0
    assert "ValidationException" in done.stderr and "Could not find" in done.stderr
