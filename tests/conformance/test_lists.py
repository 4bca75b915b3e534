"""Every List operation that Argosy declares: each filter, order and page that botocore's model gives it, held against
what the whole list shows."""

import datetime

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from harness import declared, jobs, raw

MODEL = botocore.session.get_session().get_service_model("sagemaker")
LISTS = sorted(name for name in declared.operations()["SageMaker"] if name.startswith("List") and name != "ListTags")
PREFIX = jobs.unique("walk")


class Listed:
    """One List operation and how its summaries call what they are filtered and sorted by."""

    def __init__(self, clients, operation):
        self.clients = clients
        self.model = MODEL.operation_model(operation)
        self.call = getattr(clients.sagemaker, xform_name(operation))
        self.members = self.model.input_shape.members
        (self.key,) = (n for n, s in self.model.output_shape.members.items() if s.type_name == "list")
        summary = self.model.output_shape.members[self.key].member.members
        self.name = next(n for n in summary if n.endswith("Name"))
        self.status = next((n for n in summary if n.endswith("Status") and n != "SecondaryStatus"), None)

    def ask(self, **query):
        """The summaries that a query gives, of those that this module made."""
        return self.call(**{"NameContains": PREFIX, "MaxResults": 100, **query})[self.key]

    def names(self, **query):
        return [s[self.name] for s in self.ask(**query)]

    def names_raw(self, **query):
        """As names(), with times to the millisecond, which botocore would cut to the second."""
        query = {"NameContains": PREFIX, "MaxResults": 100, **query}
        with raw.Connection(raw.address_of(self.clients)) as connection:
            answer = connection.send(raw.json_call(self.clients, self.model.name, query)).read()
        assert answer.status == 200, answer
        return {s[self.name] for s in answer.json()[self.key]}

    def pages(self, **query):
        """One summary a page."""
        found, token = [], {}
        while True:
            page = self.call(**{"NameContains": PREFIX, **query, **token}, MaxResults=1)
            assert len(page[self.key]) <= 1
            found += [s[self.name] for s in page[self.key]]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}


@pytest.fixture(scope="module")
def made(shared_clients, cancer_uri):
    """Some of everything that is listed; the endpoints and jobs in states of several kinds."""
    clients = shared_clients
    for number, epochs in enumerate(("1", "many", "1")):
        request = jobs.training_request(
            clients, cancer_uri, name=f"{PREFIX}-j{2 - number}", hyperparameters={"epochs": epochs}
        )
        clients.sagemaker.create_training_job(**request)
        job = jobs.await_job(clients, request["TrainingJobName"])
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    for number in (2, 0, 1):
        model = jobs.create_model(clients, artifact, f"{PREFIX}-m{number}")
        config = jobs.create_config(clients, model, f"{PREFIX}-c{number}")
        if number:
            clients.sagemaker.create_endpoint(EndpointName=f"{PREFIX}-e{number}", EndpointConfigName=config)
            jobs.await_endpoint(clients, f"{PREFIX}-e{number}")
    yield
    for number in (1, 2):
        jobs.delete_endpoint(clients, f"{PREFIX}-e{number}")


@pytest.fixture(params=LISTS)
def listed(request, clients, made):
    return Listed(clients, request.param)


def test_names_and_states_filter(listed):
    everything = listed.ask()
    assert len(everything) >= 2
    names = {s[listed.name] for s in everything}
    for name in names:
        assert listed.names(NameContains=name) == [name]
    assert listed.names(NameContains="never-was-such-a-name") == []
    if listed.status is None:
        assert "StatusEquals" not in listed.members
        return
    told = set()
    for status in listed.members["StatusEquals"].enum:
        found = listed.ask(StatusEquals=status)
        assert {s[listed.status] for s in found} <= {status}
        told |= {s[listed.name] for s in found}
    assert told == names


def test_every_order_is_the_one_asked_for(listed):
    keys = {"Name": listed.name, "CreationTime": "CreationTime", "Status": listed.status}
    assert set(listed.members["SortBy"].enum) <= set(keys)
    for by in listed.members["SortBy"].enum:
        values = [s[keys[by]] for s in listed.ask(SortBy=by, SortOrder="Ascending")]
        assert values == sorted(values)
        values = [s[keys[by]] for s in listed.ask(SortBy=by, SortOrder="Descending")]
        assert values == sorted(values, reverse=True)
    # When none is asked for: the newest first, jobs the oldest.
    order = "Ascending" if listed.model.name == "ListTrainingJobs" else "Descending"
    assert listed.names() == listed.names(SortBy="CreationTime", SortOrder=order)


def test_pages_of_one_are_the_whole_list_in_every_order(listed):
    for by in listed.members["SortBy"].enum:
        for order in ("Ascending", "Descending"):
            asked = {"SortBy": by, "SortOrder": order}
            assert listed.pages(**asked) == listed.names(**asked)
    with pytest.raises(ClientError) as refused:
        listed.call(NextToken="no-token-of-ours")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_times_filter(listed):
    for member in listed.members:
        if not member.endswith(("TimeAfter", "TimeBefore")):
            continue
        time = member.removesuffix("After").removesuffix("Before")
        everything = listed.ask()
        # The model says of some lists that CreationTimeAfter finds what was created at that very time.
        inclusive = "equal to" in listed.members[member].documentation
        for pivot in {s[time] for s in everything}:
            if member.endswith("Before"):
                expected = {s[listed.name] for s in everything if s[time] < pivot}
            elif inclusive:
                expected = {s[listed.name] for s in everything if s[time] >= pivot}
            else:
                expected = {s[listed.name] for s in everything if s[time] > pivot}
            assert listed.names_raw(**{member: pivot.timestamp()}) == expected, (member, pivot)
        far = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
        assert (listed.names(**{member: far}) == []) == member.endswith("After")


def test_no_member_of_the_model_is_passed_over(listed):
    """Each is tried above, or refused by its name."""
    tried = {"NextToken", "MaxResults", "NameContains", "StatusEquals", "SortBy", "SortOrder"}
    values = {
        "WarmPoolStatusEquals": "InUse",
        "TrainingPlanArnEquals": "arn:aws:sagemaker:us-east-1:000000000000:training-plan/plan",
    }
    for member in listed.members:
        if member in tried or member.endswith(("TimeAfter", "TimeBefore")):
            continue
        with pytest.raises(ClientError) as refused:
            listed.call(**{member: values[member]})
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException" and (member[0].lower() + member[1:]) in error["Message"]
