"""CloudWatch's alarms through boto3 and the aws CLI."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from harness import jobs
from harness.processes import wait_for

SOON = 60  # seconds: a period of ten, its settling, and a busy machine


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def error_of(call, **members):
    with pytest.raises(ClientError) as refused:
        call(**members)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def request(**changes):
    alarm = {
        "AlarmName": jobs.unique("alarm"),
        "Namespace": jobs.unique("suite"),
        "MetricName": "m",
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    alarm.update(changes)
    return {name: value for name, value in alarm.items() if value is not None}


def put_value(clients, alarm, value, seconds_ago=0):
    """A value of the alarm's metric."""
    clients.cloudwatch.put_metric_data(
        Namespace=alarm["Namespace"],
        MetricData=[
            {
                "MetricName": "m",
                "Value": value,
                "StorageResolution": 1,
                "Timestamp": now() - datetime.timedelta(seconds=seconds_ago),
            }
        ],
    )


def describe(clients, name):
    found = clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found[0] if found else None


@pytest.fixture
def alarms(clients):
    """put(**changes) → the request of an alarm that was made; deleted at the end."""
    made = set()

    def put(**changes):
        alarm = request(**changes)
        clients.cloudwatch.put_metric_alarm(**alarm)
        made.add(alarm["AlarmName"])
        return alarm

    yield put
    there = {a["AlarmName"] for page in clients.cloudwatch.get_paginator("describe_alarms").paginate()
             for a in page["MetricAlarms"]}  # fmt: skip
    left = sorted(made & there)
    for start in range(0, len(left), 100):
        clients.cloudwatch.delete_alarms(AlarmNames=left[start : start + 100])


class TestDeclaration:
    def test_describe_gives_back_what_was_sent(self, clients, alarms):
        sent = alarms(
            AlarmDescription="too much",
            ActionsEnabled=False,
            AlarmActions=["arn:aws:sns:us-east-1:000000000000:topic"],
            Dimensions=[{"Name": "A", "Value": "b"}],
            Unit="Seconds",
            DatapointsToAlarm=1,
            TreatMissingData="notBreaching",
        )
        found = describe(clients, sent["AlarmName"])
        assert {name: found[name] for name in sent} == sent
        assert found["AlarmArn"].endswith(f":alarm:{sent['AlarmName']}")
        assert (found["OKActions"], found["InsufficientDataActions"]) == ([], [])
        assert found["AlarmConfigurationUpdatedTimestamp"] <= now()

    def test_waiter_and_cli_see_it(self, clients, alarms):
        sent = alarms(Period=60)
        clients.cloudwatch.get_waiter("alarm_exists").wait(
            AlarmNames=[sent["AlarmName"]], WaiterConfig={"Delay": 1, "MaxAttempts": 3}
        )
        found = clients.aws("cloudwatch", "describe-alarms", "--alarm-name-prefix", sent["AlarmName"])
        assert [a["AlarmName"] for a in found["MetricAlarms"]] == [sent["AlarmName"]]

    def test_the_cli_makes_and_deletes_one(self, clients):
        name = jobs.unique("alarm")
        clients.aws(
            "cloudwatch", "put-metric-alarm", "--alarm-name", name, "--namespace", "AWS/SageMaker", "--metric-name",
            "ModelLatency", "--extended-statistic", "p99", "--period", 60, "--evaluation-periods", 2, "--threshold",
            100000, "--comparison-operator", "GreaterThanOrEqualToThreshold", "--dimensions",
            "Name=EndpointName,Value=e", "Name=VariantName,Value=v",
        )  # fmt: skip
        found = describe(clients, name)
        assert (found["ExtendedStatistic"], found["Threshold"]) == ("p99", 100000)
        assert "Statistic" not in found
        clients.aws("cloudwatch", "delete-alarms", "--alarm-names", name)
        assert describe(clients, name) is None

    def test_put_again_changes_it_and_keeps_its_state(self, clients, alarms):
        sent = alarms(Period=60, TreatMissingData="ignore")
        clients.cloudwatch.set_alarm_state(AlarmName=sent["AlarmName"], StateValue="ALARM", StateReason="said so")
        alarms(**{**sent, "Threshold": 7.0})
        found = describe(clients, sent["AlarmName"])
        assert (found["Threshold"], found["StateValue"]) == (7.0, "ALARM")

    @pytest.mark.parametrize("statistic, member", [("Maximum", "Statistic"), ("p99", "ExtendedStatistic")])
    def test_one_metric_among_metrics_is_a_simple_alarm(self, clients, alarms, statistic, member):
        metric = {
            "Namespace": jobs.unique("suite"),
            "MetricName": "m",
            "Dimensions": [{"Name": "Of", "Value": "me"}],
        }
        stat = {"Metric": metric, "Period": 60, "Stat": statistic}
        without = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
        sent = alarms(**without, Metrics=[{"Id": "a", "MetricStat": stat, "ReturnData": True}])
        found = describe(clients, sent["AlarmName"])
        assert {name: found[name] for name in metric} == metric
        assert (found["Period"], found[member]) == (60, statistic)

    @pytest.mark.parametrize(
        "changes, text",
        [
            ({"Period": 15}, "10, 20, 30 or a multiple of 60"),
            ({"Period": 60, "EvaluationPeriods": 1441}, "more than a day"),
            ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
            ({"Statistic": None}, "ExtendedStatistic"),
            ({"ExtendedStatistic": "p99"}, "mutually exclusive"),
            ({"Statistic": None, "ExtendedStatistic": "tm99"}, "does not have the statistic"),
            ({"TreatMissingData": "sometimes"}, "TreatMissingData"),
            ({"AlarmActions": ["page-me"]}, "Invalid arn syntax: page-me"),
            ({"Threshold": None}, "Threshold"),
            ({"MetricName": None}, "MetricName"),
            ({"ComparisonOperator": "LessThanLowerThreshold"}, "ComparisonOperator"),
            ({"EvaluateLowSampleCountPercentile": "ignore"}, "EvaluateLowSampleCountPercentile"),
            ({"MetricName": None, "Metrics": [{"Id": "a", "Expression": "m1/2"}]}, "metric math"),
            ({"AlarmActions": ["arn:aws:sns:us-east-1:000000000000:t"] * 6}, "length less than or equal to 5"),
        ],
    )
    def test_wrong_requests_are_refused(self, clients, changes, text):
        alarm = request(**changes)
        code, message = error_of(clients.cloudwatch.put_metric_alarm, **alarm)
        assert (code, text.lower() in message.lower()) == ("ValidationError", True), message
        assert describe(clients, alarm["AlarmName"]) is None


class TestStates:
    def test_what_breaches_alarms_and_what_does_not_ends_it(self, clients, alarms):
        sent = request(AlarmActions=["arn:aws:sns:us-east-1:000000000000:topic"])
        put_value(clients, sent, 10, seconds_ago=15)
        alarms(**sent)
        name = sent["AlarmName"]

        def in_state(value):
            return wait_for(
                lambda: describe(clients, name)["StateValue"] == value and describe(clients, name),
                SOON,
                f"the alarm to be {value}",
                every=0.2,
            )

        found = in_state("ALARM")
        assert found["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [10.0 (")
        reason = json.loads(found["StateReasonData"])
        assert (reason["statistic"], reason["period"], reason["threshold"]) == ("Maximum", 10, 5.0)
        assert reason["recentDatapoints"] == [10.0]
        assert found["StateUpdatedTimestamp"] == found["StateTransitionedTimestamp"]
        put_value(clients, sent, 1)
        assert "was not greater than" in in_state("OK")["StateReason"]
        history = clients.cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
        assert [item["HistorySummary"] for item in history if item["HistoryItemType"] == "StateUpdate"] == [
            "Alarm updated from ALARM to OK",
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
        ]
        actions = [item["HistorySummary"] for item in history if item["HistoryItemType"] == "Action"]
        assert len(actions) == 1 and actions[0].startswith("Not delivered") and "topic" in actions[0]

    def test_without_data_it_has_insufficient_data(self, clients, alarms):
        found = describe(clients, alarms()["AlarmName"])
        assert found["StateValue"] == "INSUFFICIENT_DATA"
        assert found["StateReason"].startswith("Unchecked")

    @pytest.mark.parametrize("missing, state", [("breaching", "ALARM"), ("notBreaching", "OK")])
    def test_missing_data_is_treated_as_asked(self, clients, alarms, missing, state):
        name = alarms(TreatMissingData=missing)["AlarmName"]
        wait_for(lambda: describe(clients, name)["StateValue"] == state, SOON, f"the alarm to be {state}", every=0.1)
        assert "treated as" in describe(clients, name)["StateReason"]

    def test_a_state_that_is_set_lasts_until_the_next_look(self, clients, alarms):
        name = alarms(TreatMissingData="notBreaching")["AlarmName"]
        wait_for(lambda: describe(clients, name)["StateValue"] == "OK", SOON, "the alarm to be OK", every=0.1)
        clients.cloudwatch.set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData='{"drill":true}'
        )
        history = clients.cloudwatch.describe_alarm_history(AlarmName=name, ScanBy="TimestampAscending")
        assert any("from OK to ALARM" in item["HistorySummary"] for item in history["AlarmHistoryItems"])
        wait_for(lambda: describe(clients, name)["StateValue"] == "OK", SOON, "the alarm to be OK again", every=0.1)

    def test_setting_what_is_not_there(self, clients, alarms):
        missing = {"AlarmName": jobs.unique("none"), "StateValue": "OK", "StateReason": "r"}
        assert error_of(clients.cloudwatch.set_alarm_state, **missing)[0] == "ResourceNotFound"
        name = alarms(Period=60)["AlarmName"]
        code, _ = error_of(
            clients.cloudwatch.set_alarm_state, AlarmName=name, StateValue="OK", StateReason="r", StateReasonData="{"
        )
        assert code == "InvalidFormat"

    def test_an_endpoints_metric_alarms(self, clients, alarms, cancer_endpoint):
        of = [{"Name": "EndpointName", "Value": cancer_endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
        alarm = alarms(
            Namespace="AWS/SageMaker", MetricName="Invocation4XXErrors", Statistic="Sum", Threshold=0, Dimensions=of,
            TreatMissingData="notBreaching",
        )  # fmt: skip

        def refused_and_alarmed():
            with pytest.raises(ClientError):
                jobs.invoke(clients, cancer_endpoint, "not,numbers\n")
            return describe(clients, alarm["AlarmName"])["StateValue"] == "ALARM"

        wait_for(refused_and_alarmed, SOON, "errors to be alarmed of", every=0.5)
        found = clients.cloudwatch.describe_alarms_for_metric(
            Namespace="AWS/SageMaker", MetricName="Invocation4XXErrors", Dimensions=of
        )["MetricAlarms"]
        assert alarm["AlarmName"] in [a["AlarmName"] for a in found]


class TestLists:
    def test_pages_by_prefix_state_and_action(self, clients, alarms):
        mark = jobs.unique("many")
        action = "arn:aws:sns:us-east-1:000000000000:" + mark
        for i in range(7):
            more = {"AlarmActions": [action]} if i < 3 else {}
            alarms(AlarmName=f"{mark}-{i}", Period=60, TreatMissingData="ignore", **more)
        clients.cloudwatch.set_alarm_state(AlarmName=f"{mark}-1", StateValue="ALARM", StateReason="r")

        def listed(**how):
            pages = clients.cloudwatch.get_paginator("describe_alarms").paginate(
                PaginationConfig={"PageSize": 2}, **how
            )
            return [a["AlarmName"] for page in pages for a in page["MetricAlarms"]]

        assert listed(AlarmNamePrefix=mark) == [f"{mark}-{i}" for i in range(7)]
        assert listed(AlarmNamePrefix=mark, StateValue="ALARM") == [f"{mark}-1"]
        assert listed(ActionPrefix=action) == [f"{mark}-{i}" for i in range(3)]
        assert listed(AlarmNames=[f"{mark}-5", f"{mark}-9"]) == [f"{mark}-5"]
        assert listed(AlarmNamePrefix=mark, AlarmTypes=["CompositeAlarm"]) == []
        assert error_of(clients.cloudwatch.describe_alarms, NextToken="nonsense")[0] == "InvalidNextToken"

    def test_actions_are_switched_off_and_on(self, clients, alarms):
        name = alarms(Period=60)["AlarmName"]
        clients.cloudwatch.disable_alarm_actions(AlarmNames=[name, "not-there"])
        assert describe(clients, name)["ActionsEnabled"] is False
        clients.cloudwatch.enable_alarm_actions(AlarmNames=[name])
        assert describe(clients, name)["ActionsEnabled"] is True

    def test_what_is_not_there_is_told_and_the_others_are_deleted(self, clients, alarms):
        name = alarms(Period=60)["AlarmName"]
        assert error_of(clients.cloudwatch.delete_alarms, AlarmNames=["not-there", name])[0] == "ResourceNotFound"
        assert describe(clients, name) is None
        assert error_of(clients.cloudwatch.delete_alarms, AlarmNames=[name])[0] == "ResourceNotFound"

    def test_history_comes_in_pages(self, clients, alarms):
        name = alarms(Period=60, TreatMissingData="ignore")["AlarmName"]
        for i in range(6):
            clients.cloudwatch.set_alarm_state(
                AlarmName=name, StateValue=("OK", "ALARM")[i % 2], StateReason=f"change {i}"
            )
        pages = clients.cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName=name, HistoryItemType="StateUpdate", PaginationConfig={"PageSize": 4}
        )
        items = [item for page in pages for item in page["AlarmHistoryItems"]]
        assert len(items) == 6
        assert [i["Timestamp"] for i in items] == sorted((i["Timestamp"] for i in items), reverse=True)


def test_alarms_outlive_the_server(start_server, tmp_path):
    from harness.clients import Clients

    server = start_server()
    clients = Clients(server.exports(), tmp_path)
    alarm = request(Period=60, TreatMissingData="ignore")
    clients.cloudwatch.put_metric_alarm(**alarm)
    clients.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="r")
    put_value(clients, alarm, 3, seconds_ago=1)
    server.kill()
    server.start()
    again = Clients(server.exports(), tmp_path)
    found = describe(again, alarm["AlarmName"])
    assert (found["StateValue"], found["Threshold"]) == ("ALARM", 5.0)
