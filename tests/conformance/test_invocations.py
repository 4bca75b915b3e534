"""The runtime: what goes in, what comes out, and the errors of the real service."""

import json

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs

BODY_BYTES_MAX = 6 * 1024 * 1024


def predictions(clients, endpoint, body, **how):
    return json.loads(jobs.invoke(clients, endpoint, body, **how))["predictions"]


def error_of(clients, endpoint, body, **how):
    with pytest.raises(ClientError) as refused:
        jobs.invoke(clients, endpoint, body, **how)
    return refused.value.response


class TestForms:
    """Every content type in and out gives the same answers for the same rows."""

    @pytest.fixture(scope="class")
    def rows(self):
        return data.breast_cancer().test_features[:5]

    @pytest.fixture(scope="class")
    def expected(self, shared_clients, cancer_endpoint, rows):
        found = predictions(shared_clients, cancer_endpoint, data.rows(rows))
        assert len(found) == 5
        assert all(set(p) == {"score", "predicted_label"} for p in found)
        assert all(0 <= p["score"] <= 1 and p["predicted_label"] in (0, 1) for p in found)
        return found

    def test_json_instances_of_features(self, clients, cancer_endpoint, rows, expected):
        body = json.dumps({"instances": [{"features": r.tolist()} for r in rows]})
        assert predictions(clients, cancer_endpoint, body, content_type="application/json") == expected

    def test_json_instances_of_dense_values(self, clients, cancer_endpoint, rows, expected):
        body = json.dumps({"instances": [{"data": {"features": {"values": r.tolist()}}} for r in rows]})
        assert predictions(clients, cancer_endpoint, body, content_type="application/json") == expected

    def test_json_instances_of_sparse_values(self, clients, cancer_endpoint, rows, expected):
        instances = [
            {"data": {"features": {"keys": list(range(len(r))), "shape": [len(r)], "values": r.tolist()}}} for r in rows
        ]
        body = json.dumps({"instances": instances})
        assert predictions(clients, cancer_endpoint, body, content_type="application/json") == expected

    def test_jsonlines_in(self, clients, cancer_endpoint, rows, expected):
        body = "".join(json.dumps({"features": r.tolist()}) + "\n" for r in rows)
        assert predictions(clients, cancer_endpoint, body, content_type="application/jsonlines") == expected

    def test_jsonlines_out(self, clients, cancer_endpoint, rows, expected):
        reply = jobs.invoke(clients, cancer_endpoint, data.rows(rows), accept="application/jsonlines").decode()
        assert [json.loads(line) for line in reply.splitlines()] == expected

    def test_csv_out(self, clients, cancer_endpoint, rows, expected):
        reply = jobs.invoke(clients, cancer_endpoint, data.rows(rows), accept="text/csv").decode()
        lines = [line.split(",") for line in reply.splitlines()]
        assert len(lines) == 5
        for (label, score), told in zip(lines, expected):
            assert float(label) == told["predicted_label"]
            assert float(score) == pytest.approx(told["score"], rel=1e-5)

    def test_a_last_row_without_line_end_counts(self, clients, cancer_endpoint, rows, expected):
        assert predictions(clients, cancer_endpoint, data.rows(rows).rstrip("\n")) == expected

    def test_carriage_returns_do_not_matter(self, clients, cancer_endpoint, rows, expected):
        assert predictions(clients, cancer_endpoint, data.rows(rows).replace("\n", "\r\n")) == expected

    @pytest.mark.parametrize(
        ("accept", "said"),
        [
            ("application/json", "application/json"),
            ("application/jsonlines", "application/jsonlines"),
            ("text/csv", "text/csv"),
            (None, "application/json"),
            ("*/*", "application/json"),
        ],
    )
    def test_the_answer_says_what_it_is(self, clients, cancer_endpoint, rows, accept, said):
        how = {"Accept": accept} if accept else {}
        reply = clients.runtime.invoke_endpoint(
            EndpointName=cancer_endpoint, Body=data.rows(rows), ContentType="text/csv", **how
        )
        assert reply["ContentType"].split(";")[0] == said
        assert reply["InvokedProductionVariant"] == "AllTraffic"
        assert reply["Body"].read()


def test_the_model_is_right_about_most_held_out_rows(clients, cancer_endpoint):
    cancer = data.breast_cancer()
    found = predictions(clients, cancer_endpoint, data.rows(cancer.test_features))
    labels = [p["predicted_label"] for p in found]
    assert (labels == cancer.test_labels).mean() > 0.93


def test_a_thousand_rows_in_one_request(clients, cancer_endpoint):
    cancer = data.breast_cancer()
    one = predictions(clients, cancer_endpoint, data.rows(cancer.test_features))
    body = data.rows(cancer.test_features) * 8
    assert len(body) < BODY_BYTES_MAX
    assert predictions(clients, cancer_endpoint, body) == one * 8


def test_custom_attributes_come_back(clients, cancer_endpoint):
    reply = clients.runtime.invoke_endpoint(
        EndpointName=cancer_endpoint,
        Body=data.rows(data.breast_cancer().test_features[:1]),
        ContentType="text/csv",
        CustomAttributes="trace-me=17",
        InferenceId="id-1",
    )
    reply["Body"].read()
    assert reply.get("CustomAttributes", "trace-me=17") == "trace-me=17"


class TestErrors:
    def test_a_wrong_width_is_a_model_error(self, clients, cancer_endpoint):
        told = error_of(clients, cancer_endpoint, "1,2,3\n")
        assert told["Error"]["Code"] == "ModelError"
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert told["OriginalStatusCode"] == 400
        assert "30" in told["OriginalMessage"] and "3" in told["OriginalMessage"]
        assert "logs" in told["LogStreamArn"] and cancer_endpoint in told["LogStreamArn"]
        assert told["OriginalMessage"] in told["Error"]["Message"]

    def test_text_where_numbers_belong_is_a_model_error(self, clients, cancer_endpoint):
        told = error_of(clients, cancer_endpoint, ",".join(["x"] * 30) + "\n")
        assert told["Error"]["Code"] == "ModelError"
        assert told["OriginalStatusCode"] == 400

    def test_broken_json_is_a_model_error(self, clients, cancer_endpoint):
        told = error_of(clients, cancer_endpoint, '{"instances": [', content_type="application/json")
        assert told["Error"]["Code"] == "ModelError"
        assert told["OriginalStatusCode"] == 400

    def test_a_content_type_that_the_model_cannot_read(self, clients, cancer_endpoint):
        told = error_of(clients, cancer_endpoint, b"\x89PNG", content_type="image/png")
        assert told["Error"]["Code"] == "ModelError"
        assert told["OriginalStatusCode"] == 415
        assert "image/png" in told["OriginalMessage"]

    def test_an_accept_that_the_model_cannot_write(self, clients, cancer_endpoint):
        told = error_of(clients, cancer_endpoint, data.rows(data.breast_cancer().test_features[:1]), accept="image/png")
        assert told["Error"]["Code"] == "ModelError"
        assert told["OriginalStatusCode"] == 406

    def test_an_endpoint_that_is_not_there(self, clients):
        told = error_of(clients, "never-was", "1\n")
        assert told["Error"]["Code"] == "ValidationError"
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert told["Error"]["Message"] == f"Endpoint never-was of account {clients.account} not found."

    def test_the_largest_body_is_taken_and_one_byte_more_is_not(self, clients, cancer_endpoint):
        one = data.rows(data.breast_cancer().test_features[:1])
        body = (one * (BODY_BYTES_MAX // len(one) + 1))[:BODY_BYTES_MAX]
        body = body[: body.rindex("\n") + 1]
        # Blank lines fill up to the limit exactly; readers of CSV skip them.
        body += "\n" * (BODY_BYTES_MAX - len(body))
        assert len(predictions(clients, cancer_endpoint, body)) == BODY_BYTES_MAX // len(one)
        told = error_of(clients, cancer_endpoint, body + "\n")
        assert told["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
        assert told["Error"]["Code"] in ("ValidationError", "ValidationException", "413")
        assert predictions(clients, cancer_endpoint, one)

    def test_an_error_does_not_disturb_the_next_request(self, clients, cancer_endpoint):
        for _ in range(3):
            error_of(clients, cancer_endpoint, "1,2,3\n")
            assert predictions(clients, cancer_endpoint, data.rows(data.breast_cancer().test_features[:2]))


def test_the_cli_invokes(aws, cancer_endpoint, tmp_path):
    body, out = tmp_path / "rows.csv", tmp_path / "out.json"
    body.write_text(data.rows(data.breast_cancer().test_features[:2]))
    told = aws(
        "sagemaker-runtime",
        "invoke-endpoint",
        "--endpoint-name",
        cancer_endpoint,
        "--content-type",
        "text/csv",
        "--body",
        f"fileb://{body}",
        out,
    )
    assert told["InvokedProductionVariant"] == "AllTraffic"
    assert len(json.loads(out.read_text())["predictions"]) == 2
