"""CloudWatch: what is put, and read again as statistics and data."""

import datetime

from harness.peers import Cases, error

MINUTE = datetime.timedelta(minutes=1)
ALL_STATISTICS = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
UNCHECKED = "the service holds a request against its model and reference; moto takes it"
BROKEN = "moto fails inside, with a 500"
INVALID_QUERY = ("ValidationError", 400)
INVALID_VALUE = ("InvalidParameterValue", 400)
INVALID_COMBINATION = ("InvalidParameterCombination", 400)
case = Cases()


def some_minutes_ago(minutes):
    return datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - minutes * MINUTE


def put(peer, namespace, *metrics):
    peer.cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(metrics))


@case(
    {
        "by the minute": [
            {
                "Timestamp": 0,
                "SampleCount": 3.0,
                "Average": 3.0,
                "Sum": 9.0,
                "Minimum": 1.0,
                "Maximum": 6.0,
                "Unit": "Count",
            },
            {
                "Timestamp": 1,
                "SampleCount": 4.0,
                "Average": 1.75,
                "Sum": 7.0,
                "Minimum": 1.0,
                "Maximum": 4.0,
                "Unit": "Count",
            },
        ],
        "label": "m",
        "of a set": [{"Timestamp": 0, "Average": 2.5, "Maximum": 5.0, "Unit": "None"}],
        "of five minutes": True,
        "without the dimensions": [],
        "of another unit": [],
        "of no metric": [],
        "the end is left out": [{"Timestamp": 0, "Sum": 9.0, "Unit": "Count"}],
        "a percentile": ["ExtendedStatistics", "Timestamp", "Unit"],
        "no statistics": INVALID_COMBINATION,
        "both kinds": INVALID_COMBINATION,
        "a statistic that is none": INVALID_QUERY,
        "a percentile that is none": INVALID_VALUE,
        "a period of 7": INVALID_VALUE,
        "a period of 90": INVALID_VALUE,
        "a period of 0": INVALID_QUERY,
        "an end before the start": INVALID_VALUE,
        "1503 points": INVALID_COMBINATION,
    },
    moto={
        "a unit is always told": ["of a set"],
        "each set of dimensions is a metric of its own": ["without the dimensions"],
        "moto leaves percentiles out": ["a percentile"],
        UNCHECKED: [
            "both kinds", "a statistic that is none", "a percentile that is none", "a period of 7", "a period of 90",
            "1503 points",
        ],
        BROKEN: ["a period of 0"],
    },
)
def statistics(peer, name):
    at = some_minutes_ago(5)
    one = {"MetricName": "m", "Dimensions": [{"Name": "d", "Value": "1"}], "Unit": "Count"}
    put(peer, name, *({**one, "Timestamp": at, "Value": value} for value in (1.0, 2.0, 6.0)))
    put(peer, name, {**one, "Timestamp": at + MINUTE, "Values": [1.0, 4.0], "Counts": [3.0, 1.0]})
    statistic_set = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 5}
    put(peer, name, {"MetricName": "set", "Timestamp": at, "StatisticValues": statistic_set})

    def ask(**changes):
        request = {
            "Namespace": name, "MetricName": "m", "Dimensions": one["Dimensions"], "Period": 60,
            "StartTime": at - MINUTE, "EndTime": at + 3 * MINUTE, "Statistics": ALL_STATISTICS, **changes,
        }
        return peer.cloudwatch.get_metric_statistics(**{k: v for k, v in request.items() if v is not None})

    def points(**changes):
        found = sorted(ask(**changes)["Datapoints"], key=lambda point: point["Timestamp"])
        return [{**point, "Timestamp": (point["Timestamp"] - at) // MINUTE} for point in found]

    return {
        "by the minute": points(),
        "label": ask()["Label"],
        "of a set": points(MetricName="set", Dimensions=[], Statistics=["Average", "Maximum"]),
        "of five minutes": len(points(Period=300)) in (1, 2),
        "without the dimensions": points(Dimensions=[]),
        "of another unit": points(Unit="Seconds"),
        "of no metric": points(MetricName="none"),
        "the end is left out": points(EndTime=at + MINUTE, Statistics=["Sum"]),
        "a percentile": sorted(points(Statistics=None, ExtendedStatistics=["p50"])[0]),
        "no statistics": error(ask, Statistics=None),
        "both kinds": error(ask, ExtendedStatistics=["p50"]),
        "a statistic that is none": error(ask, Statistics=["Median"]),
        "a percentile that is none": error(ask, Statistics=None, ExtendedStatistics=["p101"]),
        "a period of 7": error(ask, Period=7),
        "a period of 90": error(ask, Period=90),
        "a period of 0": error(ask, Period=0),
        "an end before the start": error(ask, EndTime=at - 2 * MINUTE),
        "1503 points": error(ask, StartTime=at - 1500 * MINUTE),
    }


@case(
    {
        "newest first": ([("a", [3.0, 2.0, 1.0, 0.0])], False),
        "oldest first": ([("a", [0.0, 1.0, 2.0, 3.0])], False),
        "label": "m",
        "label of one's own": "L",
        "hidden": ([("b", [3.0, 2.0, 1.0, 0.0])], False),
        "of no metric": ([("a", [3.0, 2.0, 1.0, 0.0]), ("b", [])], False),
        "the mean": ([("a", [3.0, 2.0, 1.0, 0.0])], False),
        "two a page": ([("a", [0.0, 1.0])], True),
        "an id twice": INVALID_QUERY,
        "an odd id": INVALID_QUERY,
        "neither metric nor expression": INVALID_QUERY,
        "no queries": INVALID_QUERY,
        "an end before the start": INVALID_QUERY,
        "an order that is none": INVALID_QUERY,
        "a statistic that is none": INVALID_QUERY,
        "a period of 7": INVALID_QUERY,
        "a token that is none": ("InvalidNextToken", 400),
    },
    moto={
        "without a Label it is the metric's name; moto adds the statistic": ["label"],
        "moto leaves MaxDatapoints out": ["two a page"],
        UNCHECKED: [
            "an id twice", "an odd id", "no queries", "an order that is none", "a period of 7",
            "a token that is none",
        ],
        BROKEN: ["a statistic that is none"],
    },
)
def metric_data(peer, name):
    at = some_minutes_ago(10)
    put(peer, name, *({"MetricName": "m", "Timestamp": at + i * MINUTE, "Value": float(i)} for i in range(4)))

    def query(identity="a", metric="m", period=60, stat="Sum", **more):
        named = {"Namespace": name, "MetricName": metric}
        return {"Id": identity, "MetricStat": {"Metric": named, "Period": period, "Stat": stat}, **more}

    def get(*queries, **more):
        times = {"StartTime": at - MINUTE, "EndTime": at + 9 * MINUTE}
        return peer.cloudwatch.get_metric_data(**{"MetricDataQueries": list(queries), **times, **more})

    def ask(*queries, **more):
        told = get(*queries, **more)
        return [(one["Id"], one["Values"]) for one in told["MetricDataResults"]], "NextToken" in told

    def refused(*queries, **more):
        return error(lambda **_: get(*queries, **more))

    return {
        "newest first": ask(query()),
        "oldest first": ask(query(), ScanBy="TimestampAscending"),
        "label": get(query())["MetricDataResults"][0]["Label"],
        "label of one's own": get(query(Label="L"))["MetricDataResults"][0]["Label"],
        "hidden": ask(query(ReturnData=False), query("b")),
        "of no metric": ask(query(), query("b", "none")),
        "the mean": ask(query(stat="Average")),
        "two a page": ask(query(), ScanBy="TimestampAscending", MaxDatapoints=2),
        "an id twice": refused(query(), query()),
        "an odd id": refused(query("A")),
        "neither metric nor expression": refused({"Id": "a"}),
        "no queries": refused(),
        "an end before the start": refused(query(), EndTime=at - 5 * MINUTE),
        "an order that is none": refused(query(), ScanBy="Sideways"),
        "a statistic that is none": refused(query(stat="Median")),
        "a period of 7": refused(query(period=7)),
        "a token that is none": refused(query(), NextToken="none"),
    }


@case(
    {
        "no value": INVALID_COMBINATION,
        "value and values": INVALID_COMBINATION,
        "value and set": INVALID_COMBINATION,
        "a minimum above the maximum": INVALID_COMBINATION,
        "beyond 2^360": INVALID_VALUE,
        "more values than counts": INVALID_VALUE,
        "151 values": INVALID_VALUE,
        "31 dimensions": INVALID_QUERY,
        "an empty dimension": INVALID_QUERY,
        "a unit that is none": INVALID_QUERY,
        "of three weeks ago": INVALID_VALUE,
        "of tomorrow": INVALID_VALUE,
        "every 5 seconds": INVALID_VALUE,
        "a name of 256": INVALID_QUERY,
        "a namespace of AWS": INVALID_VALUE,
        "1001 at once": INVALID_VALUE,
        "none at all": ("MissingParameter", 400),
    },
    moto={
        UNCHECKED: [
            "no value", "a minimum above the maximum", "beyond 2^360", "151 values", "31 dimensions",
            "an empty dimension", "a unit that is none", "of three weeks ago", "of tomorrow", "every 5 seconds",
            "a name of 256", "a namespace of AWS", "1001 at once", "none at all",
        ],
        "two that exclude each other are a combination: the service's own code": ["value and values"],
    },
)
def metrics_that_cannot_be_put(peer, name):
    def one(namespace=name, **metric):
        data = [{"MetricName": "m", **metric}]
        return error(peer.cloudwatch.put_metric_data, Namespace=namespace, MetricData=data)

    half_set = {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}
    many = [{"MetricName": "m", "Value": 1}] * 1001
    return {
        "no value": one(),
        "value and values": one(Value=1, Values=[1.0]),
        "value and set": one(Value=1, StatisticValues={**half_set, "Minimum": 1}),
        "a minimum above the maximum": one(StatisticValues=half_set),
        "beyond 2^360": one(Value=1e120),
        "more values than counts": one(Values=[1.0, 2.0], Counts=[1.0]),
        "151 values": one(Values=[float(i) for i in range(151)]),
        "31 dimensions": one(Value=1, Dimensions=[{"Name": f"d{i}", "Value": "v"} for i in range(31)]),
        "an empty dimension": one(Value=1, Dimensions=[{"Name": "d", "Value": ""}]),
        "a unit that is none": one(Value=1, Unit="Miles"),
        "of three weeks ago": one(Value=1, Timestamp=some_minutes_ago(21 * 24 * 60)),
        "of tomorrow": one(Value=1, Timestamp=some_minutes_ago(-24 * 60)),
        "every 5 seconds": one(Value=1, StorageResolution=5),
        "a name of 256": one(Value=1, MetricName="m" * 256),
        "a namespace of AWS": one("AWS/Mine", Value=1),
        "1001 at once": error(peer.cloudwatch.put_metric_data, Namespace=name, MetricData=many),
        "none at all": error(peer.cloudwatch.put_metric_data, Namespace=name, MetricData=[]),
    }


@case(
    {
        "all": [("a", ""), ("a", "x"), ("b", "xy")],
        "of a name": [("b", "xy")],
        "with a dimension": [("b", "xy")],
        "with a dimension's value": [("a", "x"), ("b", "xy")],
        "with another value": [],
        "of the last three hours": 3,
        "of the last hour": INVALID_QUERY,
        "of no such namespace": [],
        "11 dimensions": INVALID_QUERY,
        "a token that is none": INVALID_VALUE,
    },
    moto={
        UNCHECKED: ["of the last hour", "11 dimensions"],
    },
)
def lists_of_metrics(peer, name):
    one, two = {"Name": "x", "Value": "1"}, {"Name": "y", "Value": "2"}
    for metric, dimensions in (("a", []), ("a", [one]), ("b", [one, two])):
        put(peer, name, {"MetricName": metric, "Dimensions": dimensions, "Value": 1.0})

    def ask(**query):
        found = peer.cloudwatch.list_metrics(**{"Namespace": name, **query})["Metrics"]
        return sorted((m["MetricName"], "".join(d["Name"] for d in m["Dimensions"])) for m in found)

    return {
        "all": ask(),
        "of a name": ask(MetricName="b"),
        "with a dimension": ask(Dimensions=[{"Name": "y"}]),
        "with a dimension's value": ask(Dimensions=[one]),
        "with another value": ask(Dimensions=[{"Name": "x", "Value": "2"}]),
        "of the last three hours": len(ask(RecentlyActive="PT3H")),
        "of the last hour": error(peer.cloudwatch.list_metrics, RecentlyActive="PT1H"),
        "of no such namespace": ask(Namespace=name + "x"),
        "11 dimensions": error(peer.cloudwatch.list_metrics, Dimensions=[{"Name": f"d{i}"} for i in range(11)]),
        "a token that is none": error(peer.cloudwatch.list_metrics, NextToken="none"),
    }


@case(
    {"of each unit": [("Count", 5.0), ("Seconds", 3.0)], "of one unit": [5.0], "six statistics": INVALID_QUERY},
    moto={"moto puts units together": ["of each unit"], UNCHECKED: ["six statistics"]},
)
def units(peer, name):
    at = some_minutes_ago(2)
    for unit, value in (("Seconds", 3.0), ("Count", 5.0)):
        put(peer, name, {"MetricName": "m", "Value": value, "Unit": unit, "Timestamp": at})

    def ask(statistics=("Sum",), **more):
        return peer.cloudwatch.get_metric_statistics(
            Namespace=name, MetricName="m", StartTime=at, EndTime=at + MINUTE, Period=60, Statistics=statistics, **more
        )

    return {
        "of each unit": sorted((one["Unit"], one["Sum"]) for one in ask()["Datapoints"]),
        "of one unit": [one["Sum"] for one in ask(Unit="Count")["Datapoints"]],
        "six statistics": error(ask, statistics=["Sum"] * 6),
    }
