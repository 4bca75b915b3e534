"""CloudWatch: alarms, their states, histories and tags."""

from botocore.exceptions import ClientError

from harness.peers import Cases, error

UNCHECKED = "the service holds a request against its model and reference; moto takes it"
BROKEN = "moto fails inside, with a 500"
INVALID_QUERY = ("ValidationError", 400)
INVALID_VALUE = ("InvalidParameterValue", 400)
case = Cases()


def alarm(peer, name, **changes):
    request = {
        "AlarmName": name, "Namespace": "of-alarms", "MetricName": "m", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", **changes,
    }
    return peer.cloudwatch.put_metric_alarm(**{k: v for k, v in request.items() if v is not None})


@case(
    {
        "described": {
            "AlarmName": "@-a",
            "AlarmArn": "arn:aws:cloudwatch:us-east-1:ACCOUNT:alarm:@-a",
            "AlarmDescription": "told",
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "StateValue": "INSUFFICIENT_DATA",
            "MetricName": "m",
            "Namespace": "@",
            "Statistic": "Average",
            "Dimensions": [{"Name": "d", "Value": "a"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        "times": ["AlarmConfigurationUpdatedTimestamp", "StateTransitionedTimestamp", "StateUpdatedTimestamp"],
        "by a prefix": (["@-a", "@-b"], False),
        "one a page": (["@-a"], True),
        "of no such name": ([], False),
        "of a state": ([], False),
        "of composite alarms": ([], False),
        "of a metric": ["@-a"],
        "of a metric without dimensions": [],
        "of another statistic": [],
        "of another period": [],
        "by prefix and names": INVALID_QUERY,
        "101 a page": INVALID_QUERY,
        "0 a page": INVALID_QUERY,
        "a state that is none": INVALID_QUERY,
        "a token that is none": ("InvalidNextToken", 400),
    },
    moto={
        "an alarm knows nothing before it was first evaluated; moto says OK": ["described", "of a state"],
        "the time of the last change of state has a member of its own": ["times"],
        "pages by name are stable": ["by a prefix"],
        "moto leaves MaxRecords and AlarmTypes out": ["one a page", "of composite alarms"],
        "moto leaves out all but the metric's name": [
            "of a metric", "of a metric without dimensions", "of another statistic", "of another period"
        ],
        UNCHECKED: ["by prefix and names", "101 a page", "0 a page", "a state that is none", "a token that is none"],
    },
)
def alarms(peer, name):
    cw = peer.cloudwatch
    for end in "ba":
        alarm(peer, f"{name}-{end}", Namespace=name, Dimensions=[{"Name": "d", "Value": end}], AlarmDescription="told")
    (told,) = cw.describe_alarms(AlarmNames=[f"{name}-a"])["MetricAlarms"]

    def names(**query):
        found = cw.describe_alarms(**query)
        return [one["AlarmName"] for one in found["MetricAlarms"]], "NextToken" in found

    def of_metric(*dimensions, **more):
        query = {"Namespace": name, "MetricName": "m", "Dimensions": list(dimensions), **more}
        return [one["AlarmName"] for one in cw.describe_alarms_for_metric(**query)["MetricAlarms"]]

    dimension = {"Name": "d", "Value": "a"}
    changing = ("StateReason", "StateReasonData", "EvaluationState")
    return {
        "described": {k: v for k, v in told.items() if not k.endswith("Timestamp") and k not in changing},
        "times": sorted(k for k in told if k.endswith("Timestamp")),
        "by a prefix": names(AlarmNamePrefix=name),
        "one a page": names(AlarmNamePrefix=name, MaxRecords=1),
        "of no such name": names(AlarmNames=[name]),
        "of a state": names(AlarmNamePrefix=name, StateValue="ALARM"),
        "of composite alarms": names(AlarmNamePrefix=name, AlarmTypes=["CompositeAlarm"]),
        "of a metric": of_metric(dimension),
        "of a metric without dimensions": of_metric(),
        "of another statistic": of_metric(dimension, Statistic="Sum"),
        "of another period": of_metric(dimension, Period=300),
        "by prefix and names": error(cw.describe_alarms, AlarmNamePrefix=name, AlarmNames=[name]),
        "101 a page": error(cw.describe_alarms, MaxRecords=101),
        "0 a page": error(cw.describe_alarms, MaxRecords=0),
        "a state that is none": error(cw.describe_alarms, StateValue="FINE"),
        "a token that is none": error(cw.describe_alarms, NextToken="none"),
    }


@case(
    {
        "set": 200,
        "then": ("by hand", True),
        "set a missing one": ("ResourceNotFound", 404),
        "set to what is none": INVALID_QUERY,
        "set with what is no JSON": ("InvalidFormat", 400),
        "disable": 200,
        "disabled": False,
        "disable a missing one": 200,
        "enable": 200,
        "enabled": True,
        "delete one and a missing one": ("ResourceNotFound", 404),
        "left": ["@-b"],
        "delete": 200,
    },
    moto={
        "the model has ResourceNotFound for it": ["delete one and a missing one"],
    },
)
def alarms_that_change(peer, name):
    cw = peer.cloudwatch
    mine = {"AlarmName": name, "StateValue": "ALARM", "StateReason": "by hand"}
    for end in ("", "-b"):
        alarm(peer, name + end, TreatMissingData="ignore")  # so that nothing but the case changes it

    def now():
        (told,) = cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return told

    found = {
        "set": error(cw.set_alarm_state, **mine),
        "then": (now()["StateReason"], now()["ActionsEnabled"]),
        "set a missing one": error(cw.set_alarm_state, **{**mine, "AlarmName": name + "-none"}),
        "set to what is none": error(cw.set_alarm_state, **{**mine, "StateValue": "FINE"}),
        "set with what is no JSON": error(cw.set_alarm_state, **mine, StateReasonData="{"),
        "disable": error(cw.disable_alarm_actions, AlarmNames=[name]),
        "disabled": now()["ActionsEnabled"],
        "disable a missing one": error(cw.disable_alarm_actions, AlarmNames=[name + "-none"]),
        "enable": error(cw.enable_alarm_actions, AlarmNames=[name]),
        "enabled": now()["ActionsEnabled"],
        "delete one and a missing one": error(cw.delete_alarms, AlarmNames=[name, name + "-none"]),
    }
    left = cw.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]
    found["left"] = [one["AlarmName"] for one in left]
    found["delete"] = error(cw.delete_alarms, AlarmNames=[name + "-b"])
    return found


@case(
    {
        "at first": {"k": "1"},
        "tag": 200,
        "untag": 200,
        "then": {"n": "2"},
        "a key of aws": INVALID_VALUE,
        "delete": 200,
        "tag when deleted": ("ResourceNotFoundException", 404),
    },
    moto={
        UNCHECKED: ["a key of aws"],
    },
)
def tags_of_alarms(peer, name):
    cw = peer.cloudwatch
    alarm(peer, name, Tags=[{"Key": "k", "Value": "1"}])
    (told,) = cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    arn = told["AlarmArn"]

    def tags():
        return {tag["Key"]: tag["Value"] for tag in cw.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    found = {
        "at first": tags(),
        "tag": error(cw.tag_resource, ResourceARN=arn, Tags=[{"Key": "n", "Value": "2"}]),
        "untag": error(cw.untag_resource, ResourceARN=arn, TagKeys=["k", "none"]),
        "then": tags(),
        "a key of aws": error(cw.tag_resource, ResourceARN=arn, Tags=[{"Key": "aws:n", "Value": "2"}]),
        "delete": error(cw.delete_alarms, AlarmNames=[name]),
        "tag when deleted": error(cw.tag_resource, ResourceARN=arn, Tags=[{"Key": "n", "Value": "1"}]),
    }
    return found


@case(
    {
        "of all kinds": ["ConfigurationUpdate", "StateUpdate"],
        "of states": ["StateUpdate"],
        "of actions": [],
        "of no alarm": [],
        "of a kind that is none": "ValidationError",
        "101 a page": "ValidationError",
    },
    moto={
        BROKEN: Cases.ALL,
    },
)
def alarm_history(peer, name):
    alarm(peer, name)
    peer.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")

    def ask(**query):
        try:
            told = peer.cloudwatch.describe_alarm_history(**{"AlarmName": name, **query})
        except ClientError as refused:
            return refused.response["Error"]["Code"]
        return sorted({one["HistoryItemType"] for one in told["AlarmHistoryItems"]})

    found = {
        "of all kinds": ask(),
        "of states": ask(HistoryItemType="StateUpdate"),
        "of actions": ask(HistoryItemType="Action"),
        "of no alarm": ask(AlarmName=name + "-none"),
        "of a kind that is none": ask(HistoryItemType="Mood"),
        "101 a page": ask(MaxRecords=101),
    }
    peer.cloudwatch.delete_alarms(AlarmNames=[name])
    return found


@case(
    {
        "no metric": INVALID_QUERY,
        "no statistic": INVALID_QUERY,
        "two statistics": INVALID_QUERY,
        "a percentile": 200,
        "a percentile that is none": INVALID_QUERY,
        "no threshold": INVALID_QUERY,
        "no period": INVALID_QUERY,
        "a period of 45": INVALID_QUERY,
        "no evaluations": INVALID_QUERY,
        "more datapoints than evaluations": INVALID_QUERY,
        "over eight days": INVALID_QUERY,
        "an operator that is none": INVALID_QUERY,
        "a treatment that is none": INVALID_QUERY,
        "a statistic that is none": INVALID_QUERY,
        "a unit that is none": INVALID_QUERY,
        "6 actions": INVALID_QUERY,
        "a metric and metrics": INVALID_QUERY,
        "a name of 256": INVALID_QUERY,
        "delete": 200,
    },
    moto={
        UNCHECKED: [
            "no metric", "no statistic", "two statistics", "no threshold", "no period", "a period of 45",
            "no evaluations", "more datapoints than evaluations", "over eight days", "an operator that is none",
            "a treatment that is none", "a statistic that is none", "a unit that is none", "6 actions",
            "a metric and metrics", "a name of 256",
        ],
        "the model has no InvalidParameterValue here": ["a percentile that is none"],
    },
)
def alarms_that_cannot_be(peer, name):
    def make(**changes):
        return error(alarm, peer=peer, **{"name": name, **changes})

    query = {"Id": "a", "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}}
    topics = [f"arn:aws:sns:us-east-1:{peer.account}:t{i}" for i in range(6)]
    return {
        "no metric": make(MetricName=None, Namespace=None),
        "no statistic": make(Statistic=None),
        "two statistics": make(ExtendedStatistic="p90"),
        "a percentile": make(Statistic=None, ExtendedStatistic="p90"),
        "a percentile that is none": make(Statistic=None, ExtendedStatistic="q9"),
        "no threshold": make(Threshold=None),
        "no period": make(Period=None),
        "a period of 45": make(Period=45),
        "no evaluations": make(EvaluationPeriods=0),
        "more datapoints than evaluations": make(DatapointsToAlarm=2),
        "over eight days": make(Period=86400, EvaluationPeriods=8),
        "an operator that is none": make(ComparisonOperator="Above"),
        "a treatment that is none": make(TreatMissingData="whatever"),
        "a statistic that is none": make(Statistic="Median"),
        "a unit that is none": make(Unit="Miles"),
        "6 actions": make(AlarmActions=topics),
        "a metric and metrics": make(Metrics=[query]),
        "a name of 256": make(name="a" * 256),
        "delete": error(peer.cloudwatch.delete_alarms, AlarmNames=[name]),
    }


@case(
    {
        "described": {"Unit": "Count", "TreatMissingData": "ignore", "DatapointsToAlarm": 1},
        "by action": ["@"],
        "state when it is put again": "OK",
        "put again": {"Unit": None, "TreatMissingData": "ignore", "DatapointsToAlarm": None},
        "its actions then": [],
        "a band of a model": INVALID_QUERY,
        "101 at once": INVALID_QUERY,
        "delete": 200,
    },
    moto={UNCHECKED: ["a band of a model", "101 at once"]},
)
def alarms_that_are_put_again(peer, name):
    cw = peer.cloudwatch
    topic = f"arn:aws:sns:us-east-1:{peer.account}:{name}"
    settings = {"Unit": "Count", "TreatMissingData": "ignore", "DatapointsToAlarm": 1}

    def told():
        (found,) = cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return {**dict.fromkeys(settings), **found}

    alarm(peer, name, AlarmActions=[topic], EvaluationPeriods=2, **settings)
    first = told()
    by_action = [one["AlarmName"] for one in cw.describe_alarms(ActionPrefix=topic)["MetricAlarms"]]
    cw.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="by hand")
    alarm(peer, name, EvaluationPeriods=2, TreatMissingData="ignore")  # else it would be evaluated meanwhile
    second = told()
    return {
        "described": {member: first[member] for member in settings},
        "by action": by_action,
        "state when it is put again": second["StateValue"],
        "put again": {member: second[member] for member in settings},
        "its actions then": second["AlarmActions"],
        "a band of a model": error(alarm, peer=peer, name=name, ComparisonOperator="GreaterThanUpperThreshold"),
        "101 at once": error(cw.delete_alarms, AlarmNames=[f"n{i}" for i in range(101)]),
        "delete": error(cw.delete_alarms, AlarmNames=[name]),
    }
