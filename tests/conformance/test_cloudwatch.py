"""CloudWatch's metrics through boto3, the aws CLI and the query protocol of older clients."""

import datetime
import gzip
import json
import re
import socket
import urllib.parse
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore.exceptions import ClientError

from harness import data, jobs, raw
from harness.processes import wait_for

XML = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
SOON = 60  # seconds that what was counted may take to be seen on a busy machine


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def minute(shift=0):
    """The beginning of the present minute, or of one so many minutes later."""
    return now().replace(second=0, microsecond=0) + datetime.timedelta(minutes=shift)


def address_of(clients):
    host, _, port = clients.endpoint.removeprefix("http://").partition(":")
    return host, int(port)


def error_of(call, **members):
    with pytest.raises(ClientError) as refused:
        call(**members)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def dimensions(**named):
    return [{"Name": name, "Value": value} for name, value in named.items()]


def statistics(clients, name, period=60, namespace="AWS/SageMaker", wanted=("Sum", "SampleCount"), minutes=10, **of):
    """The datapoints of the last minutes, oldest first."""
    answer = clients.cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=dimensions(**of),
        StartTime=minute(-minutes),
        EndTime=minute(1),
        Period=period,
        Statistics=list(wanted),
    )
    assert answer["Label"] == name
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def total(points, statistic="Sum"):
    return sum(point[statistic] for point in points)


class TestInvocations:
    """What the router counted of an endpoint's requests."""

    @pytest.fixture(scope="class")
    def counted(self, shared_clients, cancer_job):
        """An endpoint of two instances that has answered 20 requests well and refused 5."""
        clients = shared_clients
        name = jobs.deploy(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"], count=2)
        row = data.rows(data.breast_cancer().test_features[:1])
        for _ in range(20):
            jobs.invoke(clients, name, row)
        for _ in range(5):
            with pytest.raises(ClientError):
                jobs.invoke(clients, name, "not,numbers\n")
        of = {"EndpointName": name, "VariantName": "AllTraffic"}
        wait_for(lambda: total(statistics(clients, "Invocations", **of)) == 25, SOON, "25 invocations to be counted")
        yield of
        jobs.delete_endpoint(clients, name)

    def test_each_request_counts_once_at_every_period(self, clients, counted):
        for period in (1, 5, 10, 30, 60, 300):
            points = statistics(clients, "Invocations", period=period, **counted)
            assert (total(points), total(points, "SampleCount")) == (25, 25), period
            assert all(point["Timestamp"].timestamp() % period == 0 for point in points)
            assert {point["Unit"] for point in points} == {"None"}

    def test_errors_are_a_share_of_the_requests(self, clients, counted):
        points = statistics(clients, "Invocation4XXErrors", wanted=("Sum", "SampleCount", "Average"), **counted)
        assert (total(points), total(points, "SampleCount")) == (5, 25)
        assert total(statistics(clients, "Invocation5XXErrors", **counted)) == 0
        assert total(statistics(clients, "InvocationModelErrors", **counted)) == 5

    def test_instances_share_the_invocations(self, clients, counted):
        assert total(statistics(clients, "InvocationsPerInstance", **counted)) == pytest.approx(12.5)

    def test_latencies_are_microseconds_with_percentiles(self, clients, counted):
        for name in ("ModelLatency", "OverheadLatency"):
            answer = clients.cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName=name,
                Dimensions=dimensions(**counted),
                StartTime=minute(-10),
                EndTime=minute(1),
                Period=3600,
                Statistics=["Minimum", "Average", "Maximum", "SampleCount"],
            )
            extended = clients.cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName=name,
                Dimensions=dimensions(**counted),
                StartTime=minute(-10),
                EndTime=minute(1),
                Period=3600,
                ExtendedStatistics=["p0", "p50", "p99.9", "p100"],
            )
            assert total(answer["Datapoints"], "SampleCount") == 25
            for plain, percentiles in zip(answer["Datapoints"], extended["Datapoints"]):
                assert plain["Unit"] == "Microseconds"
                assert 0 <= plain["Minimum"] <= plain["Average"] <= plain["Maximum"] < 60_000_000
                ranked = [percentiles["ExtendedStatistics"][p] for p in ("p0", "p50", "p99.9", "p100")]
                assert ranked == sorted(ranked)
                assert (ranked[0], ranked[-1]) == (plain["Minimum"], plain["Maximum"])

    def test_concurrency_is_known(self, clients, counted):
        points = statistics(clients, "ConcurrentRequestsPerModel", wanted=("Maximum",), **counted)
        assert points and all(point["Maximum"] >= 1 for point in points)

    def test_another_variant_has_none(self, clients, counted):
        assert statistics(clients, "Invocations", EndpointName=counted["EndpointName"], VariantName="other") == []
        assert statistics(clients, "Invocations", EndpointName=counted["EndpointName"]) == []

    def test_the_metrics_are_listed(self, clients, counted):
        found = clients.cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=dimensions(**counted))["Metrics"]
        assert {m["MetricName"] for m in found} == {
            "ConcurrentRequestsPerModel",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
            "InvocationModelErrors",
            "Invocations",
            "InvocationsPerInstance",
            "ModelLatency",
            "OverheadLatency",
        }
        assert all(sorted(m["Dimensions"], key=lambda d: d["Name"]) == dimensions(**counted) for m in found)

    def test_what_instances_hold_is_measured(self, clients, counted):
        def measured():
            return [
                statistics(clients, name, namespace="/aws/sagemaker/Endpoints", wanted=("Average",), **counted)
                for name in ("MemoryUtilization", "CPUUtilization")
            ]

        memory, cpu = wait_for(lambda: all(measured()) and measured(), SOON, "CPU and memory to be measured", every=1)
        assert all(0 < point["Average"] <= 100 and point["Unit"] == "Percent" for point in memory)
        assert all(0 <= point["Average"] for point in cpu)

    def test_the_cli_says_the_same(self, clients, counted):
        found = clients.aws(
            "cloudwatch", "get-metric-statistics", "--namespace", "AWS/SageMaker", "--metric-name", "Invocations",
            "--start-time", minute(-10).isoformat(), "--end-time", minute(1).isoformat(), "--period", 3600,
            "--statistics", "Sum", "--dimensions", *(f"Name={k},Value={v}" for k, v in counted.items()),
        )  # fmt: skip
        assert total(found["Datapoints"]) == 25
        listed = clients.aws("cloudwatch", "list-metrics", "--namespace", "AWS/SageMaker", "--metric-name", "Invocations")
        assert counted["EndpointName"] in json.dumps(listed)


class TestTraining:
    def test_reported_metrics_are_there_after_the_job(self, clients, cancer_job):
        final = {m["MetricName"]: m["Value"] for m in cancer_job["FinalMetricDataList"]}
        assert final
        for name, value in final.items():
            points = statistics(
                clients,
                name,
                namespace="/aws/sagemaker/TrainingJobs",
                wanted=("Minimum", "Maximum"),
                minutes=120,
                TrainingJobName=cancer_job["TrainingJobName"],
            )
            assert points, name
            assert points[-1]["Minimum"] <= value <= points[-1]["Maximum"]


class TestPutMetricData:
    def put(self, clients, **datum):
        namespace = jobs.unique("suite")
        clients.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "m", **datum}])
        return namespace

    def read(self, clients, namespace, period=60, **more):
        return statistics(
            clients, "m", period, namespace, wanted=("Sum", "SampleCount", "Minimum", "Maximum", "Average"), **more
        )

    def test_a_value_is_there_at_once(self, clients):
        at = minute(-3)
        namespace = self.put(clients, Value=2.5, Unit="Seconds", Timestamp=at)
        assert self.read(clients, namespace) == [
            {"Timestamp": at, "Unit": "Seconds", "Sum": 2.5, "SampleCount": 1, "Minimum": 2.5, "Maximum": 2.5,
             "Average": 2.5}  # fmt: skip
        ]

    def test_values_with_counts(self, clients):
        namespace = self.put(clients, Values=[1, 10], Counts=[3, 1], Timestamp=minute(-3))
        (point,) = self.read(clients, namespace)
        assert (point["Sum"], point["SampleCount"], point["Minimum"], point["Maximum"]) == (13, 4, 1, 10)

    def test_a_summary(self, clients):
        summary = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 7}
        namespace = self.put(clients, StatisticValues=summary, Timestamp=minute(-3))
        (point,) = self.read(clients, namespace)
        assert {name: point[name] for name in summary} == summary
        assert point["Average"] == 2.5

    def test_standard_resolution_is_a_minute_high_resolution_a_second(self, clients):
        at = minute(-1).replace(second=17)
        namespace = self.put(clients, Value=1, Timestamp=at, StorageResolution=1)
        assert [p["Timestamp"] for p in self.read(clients, namespace, 1)] == [at]
        namespace = self.put(clients, Value=1, Timestamp=at)
        assert [p["Timestamp"] for p in self.read(clients, namespace, 1)] == [at.replace(second=0)]

    def test_many_are_compressed_by_the_client_and_taken(self, clients):
        namespace = jobs.unique("suite")
        at = minute(-3)
        data_of_many = [
            {"MetricName": "m", "Dimensions": dimensions(Number=str(i % 50)), "Value": i, "Timestamp": at}
            for i in range(1000)
        ]
        clients.cloudwatch.put_metric_data(Namespace=namespace, MetricData=data_of_many)
        points = self.read(clients, namespace, Number="7")
        assert (points[0]["SampleCount"], points[0]["Minimum"], points[0]["Maximum"]) == (20, 7, 957)
        assert len(clients.cloudwatch.list_metrics(Namespace=namespace)["Metrics"]) == 50

    def test_broken_compression_is_refused(self, clients):
        headers = [
            ("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData"),
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Content-Encoding", "gzip"),
        ]
        body = gzip.compress(b'{"Namespace":"x"}')
        for broken in (body[:-5], b"{}", body + b"x"):
            with raw.Connection(address_of(clients)) as connection:
                connection.send(
                    raw.request_bytes(clients, "POST", "/", "monitoring", headers=headers, body=broken)
                )
                answer = connection.read()
            assert answer.status == 400
            assert answer.json()["__type"] == "SerializationException"

    @pytest.mark.parametrize(
        "datum, code, text",
        [
            ({}, "InvalidParameterCombination", "At least one of the parameters"),
            ({"Value": 1, "Values": [1]}, "InvalidParameterCombination", "mutually exclusive"),
            ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue", "same number"),
            ({"Values": [1], "Counts": [0]}, "InvalidParameterValue", "greater than 0"),
            ({"Value": 1e200}, "InvalidParameterValue", "2^360"),
            ({"Values": list(range(151))}, "InvalidParameterValue", "at most 150"),
            ({"Value": 1, "StorageResolution": 30}, "InvalidParameterValue", "1 or 60"),
            ({"Value": 1, "Timestamp": datetime.datetime(2020, 1, 1)}, "InvalidParameterValue", "past two weeks"),
            (
                {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
                "InvalidParameterValue",
                "SampleCount",
            ),
            ({"Value": 1, "Dimensions": dimensions(A="1") * 2}, "InvalidParameterValue", "twice"),
            ({"Value": 1, "Unit": "Bananas"}, "ValidationError", "unit"),
        ],
    )
    def test_a_wrong_datum_is_refused_and_nothing_is_taken(self, clients, datum, code, text):
        namespace = jobs.unique("suite")
        found = error_of(
            clients.cloudwatch.put_metric_data,
            Namespace=namespace,
            MetricData=[{"MetricName": "good", "Value": 1}, {"MetricName": "bad", **datum}],
        )
        assert found[0] == code
        assert text.lower() in found[1].lower()
        assert clients.cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []

    def test_our_own_namespaces_are_not_written_to(self, clients):
        code, text = error_of(
            clients.cloudwatch.put_metric_data, Namespace="AWS/SageMaker", MetricData=[{"MetricName": "m", "Value": 1}]
        )
        assert (code, "AWS/" in text) == ("InvalidParameterValue", True)


class TestReads:
    @pytest.mark.parametrize(
        "change, code, text",
        [
            ({"Period": 7}, "InvalidParameterValue", "multiple of 60"),
            ({"EndTime": datetime.datetime(2020, 1, 1)}, "InvalidParameterValue", "must be less than"),
            ({"Period": 1}, "InvalidParameterCombination", "exceeds the limit of 1440"),
            ({"Statistics": None}, "InvalidParameterCombination", "Exactly one of"),
            ({"ExtendedStatistics": ["p50"]}, "InvalidParameterCombination", "Exactly one of"),
            ({"Statistics": ["Median"]}, "ValidationError", "enum value set"),
            ({"Statistics": None, "ExtendedStatistics": ["tm90"]}, "InvalidParameterValue", "does not have the statistic"),
            ({"Statistics": None, "ExtendedStatistics": ["p101"]}, "InvalidParameterValue", "is not a statistic"),
        ],
    )
    def test_wrong_requests_are_refused(self, clients, change, code, text):
        request = {
            "Namespace": "AWS/SageMaker", "MetricName": "m", "StartTime": minute(-60), "EndTime": minute(),
            "Period": 60, "Statistics": ["Sum"], **change,
        }  # fmt: skip
        found = error_of(clients.cloudwatch.get_metric_statistics, **{k: v for k, v in request.items() if v is not None})
        assert (found[0], text in found[1]) == (code, True), found

    def test_operations_that_are_not_there_are_refused_by_name(self, clients):
        code, text = error_of(clients.cloudwatch.list_dashboards)
        assert (code, "ListDashboards" in text) == ("UnknownOperationException", True)

    def query(self, namespace, number, **stat):
        metric = {"Namespace": namespace, "MetricName": "m", "Dimensions": dimensions(Number=str(number))}
        return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", **stat}}

    @pytest.fixture(scope="class")
    def namespace(self, shared_clients):
        """Three metrics of ten minutes each: the value is the minute."""
        namespace = jobs.unique("suite")
        values = [
            {"MetricName": "m", "Dimensions": dimensions(Number=str(n)), "Value": i, "Timestamp": minute(-20 + i)}
            for n in range(3)
            for i in range(10)
        ]
        shared_clients.cloudwatch.put_metric_data(Namespace=namespace, MetricData=values)
        return namespace

    def test_data_of_several_metrics(self, clients, namespace):
        queries = [self.query(namespace, 0), {**self.query(namespace, 1, Stat="p50"), "Label": "mine"}]
        queries.append({**self.query(namespace, 2), "ReturnData": False})
        answer = clients.cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=minute(-30), EndTime=minute(), ScanBy="TimestampAscending"
        )
        first, second = answer["MetricDataResults"]
        assert (first["Id"], first["Label"], first["StatusCode"]) == ("q0", "m", "Complete")
        assert (second["Id"], second["Label"]) == ("q1", "mine")
        assert first["Values"] == list(range(10))
        assert first["Timestamps"] == sorted(first["Timestamps"])

    @pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
    def test_pages_give_everything_once(self, clients, namespace, order):
        pages = clients.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[self.query(namespace, n) for n in range(3)],
            StartTime=minute(-30),
            EndTime=minute(),
            ScanBy=order,
            PaginationConfig={"PageSize": 7},
        )
        found, count = {}, 0
        for page in pages:
            count += 1
            assert sum(len(r["Values"]) for r in page["MetricDataResults"]) <= 7
            for result in page["MetricDataResults"]:
                found.setdefault(result["Id"], []).extend(result["Values"])
        expected = list(range(10)) if order == "TimestampAscending" else list(range(9, -1, -1))
        assert found == {f"q{n}": expected for n in range(3)}
        assert count == 5

    def test_metric_math_is_refused_by_name(self, clients):
        code, text = error_of(
            clients.cloudwatch.get_metric_data,
            MetricDataQueries=[{"Id": "e1", "Expression": "m1/2"}],
            StartTime=minute(-30),
            EndTime=minute(),
        )
        assert (code, "metric math" in text) == ("ValidationError", True)

    def test_a_broken_token_is_refused(self, clients, namespace):
        code, _ = error_of(
            clients.cloudwatch.get_metric_data,
            MetricDataQueries=[self.query(namespace, 0)],
            StartTime=minute(-30),
            EndTime=minute(),
            NextToken="nonsense",
        )
        assert code == "InvalidNextToken"
        assert error_of(clients.cloudwatch.list_metrics, NextToken="nonsense")[0] == "InvalidParameterValue"

    def test_lists_come_in_pages_of_500(self, clients):
        namespace = jobs.unique("suite")
        for part in range(2):
            clients.cloudwatch.put_metric_data(
                Namespace=namespace,
                MetricData=[{"MetricName": f"m{part * 400 + i}", "Value": 1} for i in range(400)],
            )
        pages = list(clients.cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
        assert [len(page["Metrics"]) for page in pages] == [500, 300]
        assert len({m["MetricName"] for page in pages for m in page["Metrics"]}) == 800

    def test_lists_filter(self, clients, namespace):
        def listed(**how):
            return len(clients.cloudwatch.list_metrics(Namespace=namespace, **how)["Metrics"])

        assert listed() == 3
        assert listed(Dimensions=[{"Name": "Number"}]) == 3
        assert listed(Dimensions=dimensions(Number="1")) == 1
        assert listed(Dimensions=[{"Name": "Other"}]) == 0
        assert listed(MetricName="other") == 0
        assert listed(RecentlyActive="PT3H") == 3


class TestQueryProtocol:
    """Forms in, XML out: what SDKs sent before they spoke JSON."""

    def call(self, clients, **fields):
        body = urllib.parse.urlencode({"Version": "2010-08-01", **fields}).encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        with raw.Connection(address_of(clients)) as connection:
            connection.send(raw.request_bytes(clients, "POST", "/", "monitoring", headers=headers, body=body))
            answer = connection.read()
        assert answer.headers["content-type"].startswith("text/xml")
        return answer.status, ElementTree.fromstring(answer.body)

    def test_values_go_in_and_statistics_come_out(self, clients):
        namespace = jobs.unique("suite <&>")
        at = minute(-3).strftime("%Y-%m-%dT%H:%M:%SZ")
        status, root = self.call(
            clients,
            **{
                "Action": "PutMetricData",
                "Namespace": namespace,
                "MetricData.member.1.MetricName": "m",
                "MetricData.member.1.Value": "3.5",
                "MetricData.member.1.Timestamp": at,
                "MetricData.member.1.Dimensions.member.1.Name": "A",
                "MetricData.member.1.Dimensions.member.1.Value": "b",
                "MetricData.member.2.MetricName": "m",
                "MetricData.member.2.Values.member.1": "1",
                "MetricData.member.2.Values.member.2": "2",
                "MetricData.member.2.Timestamp": at,
            },
        )
        assert (status, root.tag) == (200, f"{XML}PutMetricDataResponse")
        status, root = self.call(
            clients,
            **{
                "Action": "GetMetricStatistics",
                "Namespace": namespace,
                "MetricName": "m",
                "StartTime": minute(-10).isoformat(),
                "EndTime": minute(1).isoformat(),
                "Period": "60",
                "Statistics.member.1": "Sum",
                "Dimensions.member.1.Name": "A",
                "Dimensions.member.1.Value": "b",
            },
        )
        assert status == 200
        (point,) = root.findall(f"{XML}GetMetricStatisticsResult/{XML}Datapoints/{XML}member")
        assert float(point.findtext(f"{XML}Sum")) == 3.5
        assert point.findtext(f"{XML}Timestamp").replace(".000", "") == at
        assert root.findtext(f"{XML}ResponseMetadata/{XML}RequestId")
        status, root = self.call(clients, Action="ListMetrics", Namespace=namespace)
        assert len(root.findall(f"{XML}ListMetricsResult/{XML}Metrics/{XML}member")) == 2

    def test_errors(self, clients):
        status, root = self.call(clients, Action="GetMetricStatistics", Namespace="n", MetricName="m", Period="x")
        assert (status, root.findtext(f"{XML}Error/{XML}Code")) == (400, "SerializationException")
        status, root = self.call(clients, Action="PutDashboard")
        assert (status, root.findtext(f"{XML}Error/{XML}Code")) == (400, "InvalidAction")
        status, root = self.call(clients, Action="PutMetricData", Namespace="AWS/x")
        assert (status, root.findtext(f"{XML}Error/{XML}Code")) == (400, "InvalidParameterValue")


class TestPage:
    """/-/metrics, in Prometheus's text format."""

    def read(self, server, method="GET"):
        with raw.Connection(server.address) as connection:
            connection.send(f"{method} /-/metrics HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            return connection.read(method)

    def samples(self, answer):
        """{name and labels: value}, after a look at the form of every line."""
        found, kinds = {}, {}
        for line in answer.body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in kinds, f"{name} begins twice"
                kinds[name] = kind
            elif not line.startswith("# HELP "):
                sample = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)', line)
                assert sample, line
                family = re.sub(r"_(bucket|sum|count)$", "", sample[1])
                assert sample[1] in kinds or kinds.get(family) == "histogram", line
                found[sample[1] + sample[2]] = float(sample[3])
        return found

    def test_counts_what_endpoints_do(self, server, clients, cancer_endpoint):
        of = f'{{endpoint="{cancer_endpoint}",variant="AllTraffic"}}'

        def invocations():
            answer = self.read(server)
            assert answer.status == 200
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            return self.samples(answer)

        before = invocations().get("argosy_invocations_total" + of, 0)
        row = data.rows(data.breast_cancer().test_features[:1])
        for _ in range(5):
            jobs.invoke(clients, cancer_endpoint, row)

        def counted():
            found = invocations()
            return found if found.get("argosy_invocations_total" + of, 0) >= before + 5 else None

        found = wait_for(counted, SOON, "the page to count the invocations", every=0.2)
        assert found["argosy_endpoint_instances" + of] == 1
        buckets = [
            value for name, value in found.items()
            if name.startswith("argosy_model_latency_seconds_bucket" + of[:-1])
        ]  # fmt: skip
        assert len(buckets) == 24
        assert buckets == sorted(buckets)
        assert buckets[-1] == found["argosy_model_latency_seconds_count" + of] >= 5
        assert found["process_resident_memory_bytes"] > 1e6
        assert self.read(server, "HEAD").status == 200

    def test_who_may_read_it_is_an_option(self, start_server):
        assert self.read(start_server("--metrics-access", "none")).status == 404
        assert self.read(start_server("--metrics-access", "any")).status == 200

    def test_other_machines_may_not_by_default(self, start_server):
        """Asked over an address of this machine that is not its loopback interface's."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing: only finds the address that would be used
            except OSError:
                pytest.skip("this machine has no address but loopback")
            own = probe.getsockname()[0]
        if own.startswith("127."):
            pytest.skip("this machine has no address but loopback")
        server = start_server(listen="0.0.0.0:0")
        port = server.port
        for host, status in ((own, 403), ("127.0.0.1", 200)):
            with raw.Connection((host, port)) as connection:
                connection.send(b"GET /-/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.read("GET").status == status


class TestCbor:
    """smithy-rpc-v2-cbor, which SDKs for Go, Java and JavaScript speak; botocore can be made to."""

    @pytest.fixture
    def cbor(self, server, monkeypatch):
        monkeypatch.setattr("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", ("smithy-rpc-v2-cbor",))
        exports = server.exports()
        client = boto3.Session(
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            region_name=exports.get("AWS_REGION") or exports["AWS_DEFAULT_REGION"],
        ).client("cloudwatch", endpoint_url=exports["AWS_ENDPOINT_URL"])
        assert client.meta.service_model.resolved_protocol == "smithy-rpc-v2-cbor"
        return client

    def test_the_same_operations_in_other_bytes(self, cbor):
        namespace = jobs.unique("suite")
        at = minute(-3)
        values = [{"MetricName": "m", "Value": float(i), "Timestamp": at, "Unit": "Count"} for i in range(1000)]
        cbor.put_metric_data(Namespace=namespace, MetricData=values)
        found = cbor.get_metric_statistics(
            Namespace=namespace, MetricName="m", StartTime=minute(-10), EndTime=minute(), Period=60,
            Statistics=["Sum", "SampleCount"],
        )  # fmt: skip
        assert found["Datapoints"] == [{"Timestamp": at, "Sum": 499500.0, "SampleCount": 1000.0, "Unit": "Count"}]
        assert cbor.list_metrics(Namespace=namespace)["Metrics"] == [
            {"Namespace": namespace, "MetricName": "m", "Dimensions": []}
        ]
        name = jobs.unique("alarm")
        cbor.put_metric_alarm(
            AlarmName=name, Namespace=namespace, MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=5.5, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        (alarm,) = cbor.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert (alarm["Threshold"], alarm["Period"], alarm["ActionsEnabled"]) == (5.5, 60, True)
        assert isinstance(alarm["StateUpdatedTimestamp"], datetime.datetime)
        cbor.delete_alarms(AlarmNames=[name])

    def test_errors(self, cbor):
        code, text = error_of(cbor.delete_alarms, AlarmNames=["not-there"])
        assert (code, "not-there" in text) == ("ResourceNotFound", True)
        assert error_of(cbor.list_dashboards)[0] == "UnknownOperationException"
