"""STS and IAM: users, keys, groups, roles and what they may do."""

from botocore.exceptions import ClientError

from harness.peers import Cases, error

UNCHECKED = "the service holds a request against its model and reference; moto takes it"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
INVALID_QUERY = ("ValidationError", 400)
NO_SUCH_ENTITY = ("NoSuchEntity", 404)
case = Cases()


@case(
    {
        "account": "ACCOUNT",
        "a user": True,
        "id": True,
    },
)
def the_caller(peer, name):
    told = peer.sts.get_caller_identity()
    return {"account": told["Account"], "a user": ":user/" in told["Arn"], "id": bool(told["UserId"])}


@case(
    {
        "made": {"Path": "/", "UserName": "@", "Arn": "arn:aws:iam::ACCOUNT:user/@"},
        "id": ("AIDA", 21),
        "again": ("EntityAlreadyExists", 409),
        "got": True,
        "get a missing one": NO_SUCH_ENTITY,
        "a name with a space": INVALID_QUERY,
        "a name of 65": INVALID_QUERY,
        "listed": True,
        "one a page": 1,
        "0 a page": INVALID_QUERY,
        "1001 a page": INVALID_QUERY,
        "a marker that is none": INVALID_QUERY,
        "attach": 200,
        "attached": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "attach what is none": NO_SUCH_ENTITY,
        "attach to nobody": NO_SUCH_ENTITY,
        "attached to nobody": NO_SUCH_ENTITY,
        "delete": 200,
        "delete again": NO_SUCH_ENTITY,
    },
    moto={
        "IAM's ids say of what they are": ["id"],
        "moto leaves MaxItems out": ["one a page"],
        "AWS's own policies are always there": ["attach", "attached"],
        UNCHECKED: ["a name with a space", "a name of 65", "0 a page", "1001 a page", "a marker that is none"],
    },
)
def users(peer, name):
    iam = peer.iam
    made = iam.create_user(UserName=name)["User"]
    everybody = [user for page in iam.get_paginator("list_users").paginate() for user in page["Users"]]
    found = {
        "made": {member: made[member] for member in ("Path", "UserName", "Arn")},
        "id": (made["UserId"][:4], len(made["UserId"])),
        "again": error(iam.create_user, UserName=name),
        "got": iam.get_user(UserName=name)["User"] == made,
        "get a missing one": error(iam.get_user, UserName=name + "x"),
        "a name with a space": error(iam.create_user, UserName="a b"),
        "a name of 65": error(iam.create_user, UserName="a" * 65),
        "listed": name in [user["UserName"] for user in everybody],
        "one a page": len(iam.list_users(MaxItems=1)["Users"]),
        "0 a page": error(iam.list_users, MaxItems=0),
        "1001 a page": error(iam.list_users, MaxItems=1001),
        "a marker that is none": error(iam.list_users, Marker="none"),
        "attach": error(iam.attach_user_policy, UserName=name, PolicyArn=READER),
        "attached": [p["PolicyArn"] for p in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]],
        "attach what is none": error(iam.attach_user_policy, UserName=name, PolicyArn=READER[:-6]),
        "attach to nobody": error(iam.attach_user_policy, UserName=name + "x", PolicyArn=READER),
        "attached to nobody": error(iam.list_attached_user_policies, UserName=name + "x"),
        "delete": error(iam.delete_user, UserName=name),
        "delete again": error(iam.delete_user, UserName=name),
    }
    return found


@case(
    {
        "made": ("@", "Active", "AKIA"),
        "lengths": (20, 40),
        "listed": [("@", "Active")],
        "disable": 200,
        "then": [("@", "Inactive")],
        "a state that is none": INVALID_QUERY,
        "a missing key": NO_SUCH_ENTITY,
        "a key of nobody": NO_SUCH_ENTITY,
        "keys of nobody": NO_SUCH_ENTITY,
        "delete the user first": ("DeleteConflict", 409),
        "delete": 200,
        "delete again": NO_SUCH_ENTITY,
        "delete the user": 200,
    },
    moto={
        UNCHECKED: ["a state that is none", "delete the user first"],
        "moto had deleted the user": ["delete", "delete the user"],
    },
)
def access_keys(peer, name):
    iam = peer.iam
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    mine = {"UserName": name, "AccessKeyId": key["AccessKeyId"]}

    def listed():
        return [(one["UserName"], one["Status"]) for one in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]

    found = {
        "made": (key["UserName"], key["Status"], key["AccessKeyId"][:4]),
        "lengths": (len(key["AccessKeyId"]), len(key["SecretAccessKey"])),
        "listed": listed(),
        "disable": error(iam.update_access_key, **mine, Status="Inactive"),
        "then": listed(),
        "a state that is none": error(iam.update_access_key, **mine, Status="Asleep"),
        "a missing key": error(iam.update_access_key, **{**mine, "AccessKeyId": "AKIA" + "0" * 16}, Status="Active"),
        "a key of nobody": error(iam.create_access_key, UserName=name + "x"),
        "keys of nobody": error(iam.list_access_keys, UserName=name + "x"),
        "delete the user first": error(iam.delete_user, UserName=name),
        "delete": error(iam.delete_access_key, **mine),
        "delete again": error(iam.delete_access_key, **mine),
        "delete the user": error(iam.delete_user, UserName=name),
    }
    return found


@case(
    {
        "made": {"Path": "/", "GroupName": "@", "Arn": "arn:aws:iam::ACCOUNT:group/@"},
        "id": ("AGPA", 21),
        "again": ("EntityAlreadyExists", 409),
        "a name with a space": INVALID_QUERY,
        "a name of 129": INVALID_QUERY,
        "get a missing one": NO_SUCH_ENTITY,
        "listed": True,
        "empty": [],
        "add": 200,
        "add again": 200,
        "add nobody": NO_SUCH_ENTITY,
        "add to none": NO_SUCH_ENTITY,
        "its users": ["@"],
        "of a user": ["@"],
        "of nobody": NO_SUCH_ENTITY,
        "delete the group of a user": ("DeleteConflict", 409),
        "delete a user of the group": ("DeleteConflict", 409),
        "remove": 200,
        "remove again": NO_SUCH_ENTITY,
        "delete the user": 200,
        "delete": 200,
        "delete again": NO_SUCH_ENTITY,
    },
    moto={
        "IAM's ids say of what they are": ["id"],
        "moto had deleted both": ["remove", "delete the user", "delete"],
        UNCHECKED: [
            "a name with a space", "a name of 129", "delete the group of a user", "delete a user of the group"],
    },
)
def groups(peer, name):
    iam = peer.iam
    made = iam.create_group(GroupName=name)["Group"]
    iam.create_user(UserName=name)
    mine = {"GroupName": name, "UserName": name}
    found = {
        "made": {member: made[member] for member in ("Path", "GroupName", "Arn")},
        "id": (made["GroupId"][:4], len(made["GroupId"])),
        "again": error(iam.create_group, GroupName=name),
        "a name with a space": error(iam.create_group, GroupName="a b"),
        "a name of 129": error(iam.create_group, GroupName="a" * 129),
        "get a missing one": error(iam.get_group, GroupName=name + "x"),
        "listed": name in [one["GroupName"] for one in iam.list_groups()["Groups"]],
        "empty": iam.get_group(GroupName=name)["Users"],
        "add": error(iam.add_user_to_group, **mine),
        "add again": error(iam.add_user_to_group, **mine),
        "add nobody": error(iam.add_user_to_group, **{**mine, "UserName": name + "x"}),
        "add to none": error(iam.add_user_to_group, **{**mine, "GroupName": name + "x"}),
        "its users": [user["UserName"] for user in iam.get_group(GroupName=name)["Users"]],
        "of a user": [group["GroupName"] for group in iam.list_groups_for_user(UserName=name)["Groups"]],
        "of nobody": error(iam.list_groups_for_user, UserName=name + "x"),
        "delete the group of a user": error(iam.delete_group, GroupName=name),
        "delete a user of the group": error(iam.delete_user, UserName=name),
        "remove": error(iam.remove_user_from_group, **mine),
        "remove again": error(iam.remove_user_from_group, **mine),
        "delete the user": error(iam.delete_user, UserName=name),
        "delete": error(iam.delete_group, GroupName=name),
        "delete again": error(iam.delete_group, GroupName=name),
    }
    return found


@case(
    {
        "got": {"Path": "/", "RoleName": "@", "Arn": "arn:aws:iam::ACCOUNT:role/@"},
        "id": ("AROA", 21),
        "trusts": {"Service": "sagemaker.amazonaws.com"},
        "a missing one": 200,
        "a name with a space": INVALID_QUERY,
    },
    moto={
        "a role is a name here, and every name is one": ["a missing one"],
        "IAM holds a name against its pattern first": ["a name with a space"],
    },
)
def roles(peer, name):
    peer.role_named(name)
    role = peer.iam.get_role(RoleName=name)["Role"]
    return {
        "got": {member: role[member] for member in ("Path", "RoleName", "Arn")},
        "id": (role["RoleId"][:4], len(role["RoleId"])),
        "trusts": role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"],
        "a missing one": error(peer.iam.get_role, RoleName=name + "x"),
        "a name with a space": error(peer.iam.get_role, RoleName="a b"),
    }


@case(
    {
        "of a user": ["allowed", "implicitDeny"],
        "of a role": ["allowed", "implicitDeny"],
        "of nobody": "NoSuchEntity",
        "of what is no ARN": "ValidationError",
        "no actions": "ValidationError",
        "delete the user": 200,
    },
    moto="moto has no such operation",
)
def simulations(peer, name):
    iam = peer.iam
    iam.create_user(UserName=name)
    peer.role_named(name)
    arn = f"arn:aws:iam::{peer.account}:"

    def simulate(source, *actions, **more):
        try:
            told = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=list(actions), **more)
        except ClientError as refused:
            return refused.response["Error"]["Code"]
        return [one["EvalDecision"] for one in told["EvaluationResults"]]

    return {
        "of a user": simulate(f"{arn}user/{name}", "s3:PutObject", "iam:CreateUser"),
        "of a role": simulate(f"{arn}role/{name}", "s3:PutObject", "sagemaker:CreateModel"),
        "of nobody": simulate(f"{arn}user/{name}x", "s3:PutObject"),
        "of what is no ARN": simulate("somebody-and-no-ARN", "s3:PutObject"),
        "no actions": simulate(f"{arn}user/{name}"),
        "delete the user": error(iam.delete_user, UserName=name),
    }


@case(
    {
        "a third key": 200,
        "no name": INVALID_QUERY,
        "a name in other letters": ("EntityAlreadyExists", 409),
        "a group's in other letters": ("EntityAlreadyExists", 409),
        "a path": INVALID_QUERY,
        "of no such path": [],
        "more of them": True,
    },
    moto={
        "IAM takes two keys of a user; here each machine can have its own, up to eight": ["a third key"],
        UNCHECKED: ["no name", "a name in other letters", "a group's in other letters"],
        "a path is the name of a team, which AddUserToGroup gives": ["a path"],
        "moto leaves MaxItems out": ["more of them"],
    },
)
def limits_of_users(peer, name):
    iam = peer.iam
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    for _ in range(2):
        iam.create_access_key(UserName=name)
    return {
        "a third key": error(iam.create_access_key, UserName=name),
        "no name": error(iam.create_user),
        "a name in other letters": error(iam.create_user, UserName=name.upper()),
        "a group's in other letters": error(iam.create_group, GroupName=name.upper()),
        "a path": error(iam.create_user, UserName=name + "-p", Path="/x/"),
        "of no such path": iam.list_users(PathPrefix="/none/")["Users"],
        "more of them": (iam.create_user(UserName=name + "-2"), iam.list_users(MaxItems=1)["IsTruncated"])[1],
    }
