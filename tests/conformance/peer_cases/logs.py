"""CloudWatch Logs: groups, streams and events of training jobs."""

from harness.peers import TRAINING_LOGS, Cases, error

UNCHECKED = "the service holds a request against its model and reference; moto takes it"
INVALID_PARAMETER = ("InvalidParameterException", 400)
RESOURCE_NOT_FOUND = ("ResourceNotFoundException", 400)
case = Cases()


def messages(told):
    return [event["message"] for event in told["events"]]


@case(
    {
        "streams of no group": RESOURCE_NOT_FOUND,
        "events of no group": RESOURCE_NOT_FOUND,
        "events of no stream": RESOURCE_NOT_FOUND,
        "filtered of no group": RESOURCE_NOT_FOUND,
        "filtered of no stream": RESOURCE_NOT_FOUND,
        "groups of no name": [],
        "streams of no name": [],
    },
    moto={
        UNCHECKED: ["filtered of no stream"],
    },
)
def logs_that_are_missing(peer, name):
    logs = peer.logs
    stream = peer.logged(name)
    group = "/" + name
    return {
        "streams of no group": error(logs.describe_log_streams, logGroupName=group),
        "events of no group": error(logs.get_log_events, logGroupName=group, logStreamName="s"),
        "events of no stream": error(logs.get_log_events, logGroupName=TRAINING_LOGS, logStreamName=stream + "x"),
        "filtered of no group": error(logs.filter_log_events, logGroupName=group),
        "filtered of no stream": error(
            logs.filter_log_events, logGroupName=TRAINING_LOGS, logStreamNames=[stream + "x"]
        ),
        "groups of no name": logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"],
        "streams of no name": logs.describe_log_streams(
            logGroupName=TRAINING_LOGS, logStreamNamePrefix=name + "x"
        )["logStreams"],
    }


@case(
    {
        "members": True,
        "class": "STANDARD",
        "arn": "arn:aws:logs:us-east-1:ACCOUNT:log-group:/aws/sagemaker/TrainingJobs:*",
        "by a part of the name": ["/aws/sagemaker/TrainingJobs"],
        "by part and prefix": INVALID_PARAMETER,
        "limit 51": INVALID_PARAMETER,
        "limit 0": INVALID_PARAMETER,
        "a token that is none": INVALID_PARAMETER,
    },
    moto={
        "groups have a class since 2023": ["class"],
        UNCHECKED: ["by part and prefix", "limit 0", "a token that is none"],
    },
)
def log_groups(peer, name):
    peer.logged(name)

    def ask(**query):
        return error(peer.logs.describe_log_groups, **query)

    (group,) = peer.logs.describe_log_groups(logGroupNamePrefix=TRAINING_LOGS)["logGroups"]
    found = peer.logs.describe_log_groups(logGroupNamePattern="maker/TrainingJ")["logGroups"]
    return {
        "members": {"arn", "logGroupArn", "creationTime", "storedBytes", "metricFilterCount"} <= group.keys(),
        "class": group.get("logGroupClass"),
        "arn": group["arn"],
        "by a part of the name": [one["logGroupName"] for one in found],
        "by part and prefix": ask(logGroupNamePattern="Training", logGroupNamePrefix="/aws"),
        "limit 51": ask(limit=51),
        "limit 0": ask(limit=0),
        "a token that is none": ask(nextToken="none"),
    }


@case(
    {
        "members": True,
        "arn": "arn:aws:logs:us-east-1:ACCOUNT:log-group:/aws/sagemaker/TrainingJobs:log-stream:STREAM",
        "more": False,
        "by time": 200,
        "by time with a prefix": INVALID_PARAMETER,
        "an order that is none": INVALID_PARAMETER,
        "limit 51": INVALID_PARAMETER,
        "limit 0": INVALID_PARAMETER,
        "a token that is none": INVALID_PARAMETER,
        "of no group": INVALID_PARAMETER,
        "of a name and an identifier": INVALID_PARAMETER,
    },
    moto={
        UNCHECKED: ["limit 0", "a token that is none", "of a name and an identifier"],
    },
)
def log_streams(peer, name):
    stream = peer.logged(name)

    def ask(**query):
        return error(peer.logs.describe_log_streams, **{"logGroupName": TRAINING_LOGS, **query})

    told = peer.logs.describe_log_streams(logGroupIdentifier=TRAINING_LOGS, logStreamNamePrefix=name)
    (one,) = told["logStreams"]
    return {
        "members": {
            "arn", "creationTime", "firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime", "storedBytes"
        } <= one.keys(),
        "arn": one["arn"].replace(stream, "STREAM"),
        "more": "nextToken" in told,
        "by time": ask(orderBy="LastEventTime", descending=True),
        "by time with a prefix": ask(orderBy="LastEventTime", logStreamNamePrefix=name),
        "an order that is none": ask(orderBy="Size"),
        "limit 51": ask(limit=51),
        "limit 0": ask(limit=0),
        "a token that is none": ask(nextToken="none"),
        "of no group": error(peer.logs.describe_log_streams),
        "of a name and an identifier": ask(logGroupIdentifier=TRAINING_LOGS),
    }


@case(
    {
        "members": ["ingestionTime", "message", "timestamp"],
        "enough of them": True,
        "first 3": True,
        "next 3": True,
        "back again": True,
        "last 3": True,
        "3 before": True,
        "behind the end": ([], True),
        "before the beginning": ([], True),
        "tokens": ("f/", "b/"),
        "from the last time on": True,
        "until the last time": True,
        "later": [],
        "limit 0": INVALID_PARAMETER,
        "limit 10001": INVALID_PARAMETER,
        "a token that is none": INVALID_PARAMETER,
        "of a name and an identifier": INVALID_PARAMETER,
    },
    moto={
        "an event of the very endTime is left out": ["until the last time"],
        UNCHECKED: ["limit 0", "of a name and an identifier"],
    },
)
def log_events(peer, name):
    where = {"logGroupName": TRAINING_LOGS, "logStreamName": peer.logged(name)}

    def get(**query):
        return peer.logs.get_log_events(**where, **query)

    whole = get(startFromHead=True)
    lines, times = messages(whole), [event["timestamp"] for event in whole["events"]]
    first = get(startFromHead=True, limit=3)
    second = get(startFromHead=True, limit=3, nextToken=first["nextForwardToken"])
    last = get(limit=3)
    end = get(startFromHead=True, nextToken=whole["nextForwardToken"])
    begin = get(limit=5, nextToken=first["nextBackwardToken"])
    return {
        "members": sorted(whole["events"][0]),
        "enough of them": len(lines) > 6,
        "first 3": messages(first) == lines[:3],
        "next 3": messages(second) == lines[3:6],
        "back again": messages(get(limit=3, nextToken=second["nextBackwardToken"])) == lines[:3],
        "last 3": messages(last) == lines[-3:],
        "3 before": messages(get(limit=3, nextToken=last["nextBackwardToken"])) == lines[-6:-3],
        "behind the end": (end["events"], end["nextForwardToken"] == whole["nextForwardToken"]),
        "before the beginning": (begin["events"], begin["nextBackwardToken"] == first["nextBackwardToken"]),
        "tokens": (first["nextForwardToken"][:2], first["nextBackwardToken"][:2]),
        "from the last time on": messages(get(startTime=times[-1])) == lines[times.index(times[-1]) :],
        "until the last time": messages(get(endTime=times[-1])) == lines[: times.index(times[-1])],
        "later": messages(get(startTime=times[-1] + 1)),
        "limit 0": error(get, limit=0),
        "limit 10001": error(get, limit=10001),
        "a token that is none": error(get, nextToken="none"),
        "of a name and an identifier": error(get, logGroupIdentifier=TRAINING_LOGS),
    }


@case(
    {
        "members": ["eventId", "ingestionTime", "logStreamName", "message", "timestamp"],
        "in pages": True,
        "a word": True,
        "two words": True,
        "a phrase": True,
        "without a word": True,
        "either": True,
        "a word that is nowhere": [],
        "of JSON": INVALID_PARAMETER,
        "by a prefix": True,
        "by prefix and names": INVALID_PARAMETER,
        "until the last time": True,
        "until before it": True,
        "limit 0": INVALID_PARAMETER,
        "limit 10001": INVALID_PARAMETER,
        "a token that is none": INVALID_PARAMETER,
        "of a name and an identifier": INVALID_PARAMETER,
    },
    moto={
        "moto knows words and phrases only": ["without a word", "either"],
        "moto leaves out logStreamNamePrefix": ["by a prefix"],
        UNCHECKED: [
            "of JSON", "by prefix and names", "limit 0", "a token that is none", "of a name and an identifier",
        ],
    },
)
def filtered_events(peer, name):
    where = {"logGroupName": TRAINING_LOGS, "logStreamNames": [peer.logged(name)]}

    def ask(**query):
        return peer.logs.filter_log_events(**where, **query)

    events = ask()["events"]
    lines, last = [event["message"] for event in events], events[-1]["timestamp"]

    def finds(pattern, keep):
        return messages(ask(filterPattern=pattern)) == [line for line in lines if keep(line)]

    pages, token = [], {}
    while True:
        told = ask(limit=4, **token)
        pages += messages(told)
        if "nextToken" not in told:
            break
        token = {"nextToken": told["nextToken"]}
    by_prefix = peer.logs.filter_log_events(logGroupName=TRAINING_LOGS, logStreamNamePrefix=name)
    return {
        "members": sorted(events[0]),
        "in pages": pages == lines,
        "a word": finds("quality_metric", lambda line: "quality_metric" in line),
        "two words": finds("train loss", lambda line: "train" in line and "loss" in line),
        "a phrase": finds('"host=algo-1, epoch=2"', lambda line: "host=algo-1, epoch=2" in line),
        "without a word": finds("-train", lambda line: "train" not in line),
        "either": finds('?"epoch=1," ?"epoch=2,"', lambda line: "epoch=1," in line or "epoch=2," in line),
        "a word that is nowhere": messages(ask(filterPattern="neverwassuchaword")),
        "of JSON": error(ask, filterPattern="{ $.x = 1 }"),
        "by a prefix": messages(by_prefix) == lines,
        "by prefix and names": error(ask, logStreamNamePrefix=name),
        "until the last time": len(ask(endTime=last)["events"]) == len(events),
        "until before it": len(ask(endTime=last - 1)["events"]) < len(events),
        "limit 0": error(ask, limit=0),
        "limit 10001": error(ask, limit=10001),
        "a token that is none": error(ask, nextToken="none"),
        "of a name and an identifier": error(ask, logGroupIdentifier=TRAINING_LOGS),
    }


@case(
    {
        "by name": (["@-a", "@-b"], False),
        "backwards": (["@-b", "@-a"], False),
        "first page": (["@-a"], True),
        "second page": (["@-b"], False),
        "merged by time": True,
        "of both": 2,
        "ids of their own": True,
        "after the last": 0,
        "101 streams": INVALID_PARAMETER,
        "no streams": INVALID_PARAMETER,
    },
    moto={UNCHECKED: ["101 streams", "no streams"], "moto gives one stream after the other": ["merged by time"]},
)
def several_streams(peer, name):
    streams = [peer.logged(f"{name}-{end}") for end in "ba"]

    def listed(**query):
        told = peer.logs.describe_log_streams(logGroupName=TRAINING_LOGS, logStreamNamePrefix=name, **query)
        return told, ([one["logStreamName"].split("/")[0] for one in told["logStreams"]], "nextToken" in told)

    def ask(names, **query):
        return peer.logs.filter_log_events(logGroupName=TRAINING_LOGS, logStreamNames=names, **query)

    first, names_of_first = listed(limit=1)
    events = ask(streams)["events"]
    times = [event["timestamp"] for event in events]
    return {
        "by name": listed()[1],
        "backwards": listed(descending=True)[1],
        "first page": names_of_first,
        "second page": listed(limit=1, nextToken=first.get("nextToken", "none"))[1],
        "merged by time": times == sorted(times),
        "of both": len({event["logStreamName"] for event in events}),
        "ids of their own": len({event["eventId"] for event in events}) == len(events),
        "after the last": len(ask(streams, startTime=times[-1] + 1)["events"]),
        "101 streams": error(ask, names=[f"s{i}" for i in range(101)]),
        "no streams": error(ask, names=[]),
    }
