#!/usr/bin/env python3
"""What each function's role in infra/template.yaml may do, asked of the policies themselves.

A small reading of IAM: explicit denial, then permission, else refusal; the condition operators that the template uses,
and no others (it stops at one it does not know). Every permission's condition is also taken away in turn: some case
must notice, else the case that guards it is missing. And what the roles may do is what shared/ calls, no less, no more.

Usage: python infra/check_policies.py [TEMPLATE]. The last line is `N passed, N failed`.
"""

import copy
import fnmatch
import json
import pathlib
import re
import sys

import yaml

INFRA = pathlib.Path(__file__).resolve().parent
SOURCES = INFRA.parent / "shared" / "src"
# What the table's code may call; not CreateTable and the like, which only a person's own credentials are used for.
TABLE_CALLS = [
    "batch_get_item",
    "batch_write_item",
    "delete_item",
    "get_item",
    "put_item",
    "query",
    "scan",
    "update_item",
]
# A transaction needs the rights of its parts.
TRANSACTION_PARTS = {
    "ConditionCheck::builder": "ConditionCheckItem",
    "Delete::builder": "DeleteItem",
    "Put::builder": "PutItem",
    "Update::builder": "UpdateItem",
}

REGION = "eu-central-1"
# One that the parameter Regions names, and one that it does not.
NAMED = "eu-west-1"
ELSEWHERE = "us-east-1"
ACCOUNT = "123456789012"
# What AWS::NoValue is here: nothing that a policy could say.
NO_VALUE = object()
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackName": "snapkeep",
    "AWS::NoValue": NO_VALUE,
}
# The parameter that each condition asks whether it is given.
CONDITIONS = {"SeveralRegions": "Regions", "WithInstanceRoles": "InstanceRoles"}
# Roles that a restored instance may get, and one beside them.
WEB_ROLES = f"arn:aws:iam::{ACCOUNT}:role/web-*"
WEB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/web-1"
# The parameters where everything is given, and where nothing is.
GIVEN = {"Regions": NAMED, "InstanceRoles": WEB_ROLES}
NOTHING = {"Regions": "", "InstanceRoles": ""}
# IAM takes 10,240 characters of inline policies for a role, white space not counted
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). Some are kept for longer names.
POLICY_MAX = 9_500
# An account has so many regions without asking for more (AWS's list of regions that are on from the beginning).
DEFAULT_REGIONS = [
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2",
]
FUNCTIONS = ["Api", "Console", "Scheduler", "Snapshotter", "Tracker", "Sweeper", "Reaper", "Reconciler", "Restorer"]
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
}

INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0a1b2c3d4e5f60718"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0d4e5f60718293a4b"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/snap-0c3d4e5f607182930"
# What has no id yet.
NEW_SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/*"
IMAGE = f"arn:aws:ec2:{REGION}::image/ami-0d4e5f60718293a4b"
TABLE = ARNS["AWS::DynamoDB::Table"] + "Table"
BUS = ARNS["AWS::Events::EventBus"] + "Bus"

# The statement that keeps a role to the regions that are looked after.
REGIONS_DENIAL = "OnlyInOurRegions"

# What every resource of this installation bears; what was made before installations had ids bears the first alone.
BEFORE = {"snapkeep:managed-by": "snapkeep"}
SIGN = {"snapkeep:installation": f"{PSEUDO['AWS::StackName']}.{REGION}"}
SIGNED = {**BEFORE, **SIGN}
OURS = {**SIGNED, "snapkeep:id": "snp_019caef4-ba40-7c0b-a581-e89318b20764"}
# What another installation's tag makes of it.
ANOTHERS = {"snapkeep:installation": f"staging.{REGION}"}
CONDEMNED = {**OURS, "snapkeep:state": "condemned"}
OUR_IMAGE = {**SIGNED, "snapkeep:image": "img_019caef4-ba40-7c0b-a581-e89318b20764"}
MARK = {"snapkeep:state": "condemned"}
ADOPTION = {
    **OURS,
    "snapkeep:instance": "i-0a1b2c3d4e5f60718",
    "snapkeep:origin": "adopted",
    "snapkeep:schedule": "sch_019caef4-ba40-7c0b-a581-e89318b20764",
    "snapkeep:slot": "2026-03-01T02:00:00Z",
}


# ---------------------------------------------------------------- the template

class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as one-key mappings."""


def short_form(loader, suffix, node):
    name = suffix if suffix == "Ref" else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


def arn(resources, name):
    kind = resources[name]["Type"]
    if kind not in ARNS:
        raise SystemExit(f"{name}: no rule here for the ARN of {kind}")
    return ARNS[kind] + name + (":*" if kind == "AWS::Logs::LogGroup" else "")


def resolve(value, resources, given):
    """A policy with its references replaced by what they would be in one account and region, where the parameters
    are as `given`. What AWS::NoValue stands for is left out of lists."""
    if isinstance(value, list):
        known = [resolve(item, resources, given) for item in value]
        return [item for item in known if item != NO_VALUE]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"}:
        return {**PSEUDO, **given}[value["Ref"]]
    if value.keys() == {"Fn::If"}:
        condition, then, otherwise = value["Fn::If"]
        if condition not in CONDITIONS:
            raise SystemExit(f"the condition {condition} is not understood here")
        return resolve(then if given[CONDITIONS[condition]] else otherwise, resources, given)
    if value.keys() == {"Fn::Split"}:
        separator, text = resolve(value["Fn::Split"], resources, given)
        return text.split(separator)
    if value.keys() == {"Fn::GetAtt"}:
        name, attribute = value["Fn::GetAtt"]
        if attribute != "Arn":
            raise SystemExit(f"{name}.{attribute} in a policy: only Arn is understood")
        return arn(resources, name)
    if value.keys() == {"Fn::Sub"}:
        text = value["Fn::Sub"]
        for name, known in {**PSEUDO, **given}.items():
            if known is NO_VALUE:
                continue
            text = text.replace("${" + name + "}", known)
        for name in resources:
            if "${" + name + ".Arn}" in text:
                text = text.replace("${" + name + ".Arn}", arn(resources, name))
        # `${!…}` stands for `${…}`, which in a policy is a character that means itself.
        if "${" in text.replace("${!*}", ""):
            raise SystemExit(f"cannot resolve {text}")
        return text.replace("${!*}", "${*}")
    return {key: resolve(item, resources, given) for key, item in value.items()}


def statements(resources, name, given):
    role = resources[f"{name}Role"]["Properties"]
    if role.keys() - {"AssumeRolePolicyDocument", "Policies"}:
        raise SystemExit(f"{name}Role has more than inline policies")
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    return [item for document in documents for item in resolve(document["Statement"], resources, given)]


# ---------------------------------------------------------------- IAM, as far as it is needed

def listed(value):
    return value if isinstance(value, list) else [value]


def condition_holds(operator, key, wanted, context):
    present = listed(context[key]) if key in context else []
    wanted = [str(item) for item in listed(wanted)]
    if operator == "StringEquals":
        return any(item in wanted for item in present)
    if operator == "StringEqualsIfExists":
        return not present or any(item in wanted for item in present)
    if operator == "StringNotEquals":
        return not any(item in wanted for item in present)
    if operator == "ForAllValues:StringEquals":
        return all(item in wanted for item in present)
    if operator == "ForAllValues:StringLike":
        return all(any(fnmatch.fnmatchcase(item, pattern) for pattern in wanted) for item in present)
    if operator == "Null":
        return (not present) == (wanted == ["true"])
    raise SystemExit(f"condition operator {operator} is not understood here")


def is_like(text, pattern):
    """Whether a text is like a pattern of IAM's: `*`, `?`, and `${*}` for the star itself."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]").replace("${*}", "[*]"))


def applies(statement, action, resource, context):
    return (
        any(is_like(action.lower(), item.lower()) for item in listed(statement["Action"]))
        and any(is_like(resource, item) for item in listed(statement["Resource"]))
        and all(
            condition_holds(operator, key, wanted, context)
            for operator, block in statement.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    )


def allowed(policy, action, resource, context):
    hits = [item["Effect"] for item in policy if applies(item, action, resource, context)]
    return "Deny" not in hits and "Allow" in hits


def context_of(request_tags=None, resource_tags=None, **more):
    context = {"ec2:Region": REGION, **more}
    for key, value in (request_tags or {}).items():
        context[f"aws:RequestTag/{key}"] = value
    for key, value in (resource_tags or {}).items():
        context[f"aws:ResourceTag/{key}"] = value
    if request_tags:
        context["aws:TagKeys"] = sorted(request_tags)
    return context


def create(tags):
    """A create call is checked for everything it touches, and once more for the tags it gives."""
    calls = [("ec2:CreateSnapshots", one, context_of(tags)) for one in [INSTANCE, VOLUME, SNAPSHOT]]
    if tags:
        calls.append(("ec2:CreateTags", SNAPSHOT, context_of(tags, **{"ec2:CreateAction": "CreateSnapshots"})))
    return calls


def tag(resource_tags, new_tags, resource=SNAPSHOT):
    return [("ec2:CreateTags", resource, context_of(new_tags, resource_tags))]


def untag(resource_tags, keys, resource=SNAPSHOT):
    context = context_of(None, resource_tags)
    if keys:
        context["aws:TagKeys"] = keys
    return [("ec2:DeleteTags", resource, context)]


def delete(resource_tags):
    return [("ec2:DeleteSnapshot", SNAPSHOT, context_of(None, resource_tags))]


def in_region(region, calls):
    """The same calls in another region."""
    return [
        (action, resource.replace(f":{REGION}:", f":{region}:"), {**context, "ec2:Region": region})
        for action, resource, context in calls
    ]


def register(tags, snapshot_tags):
    """A registration is checked for the image and for each EBS snapshot, and once more for the tags it gives."""
    calls = [
        ("ec2:RegisterImage", IMAGE, context_of(tags)),
        ("ec2:RegisterImage", SNAPSHOT, context_of(None, snapshot_tags)),
    ]
    if tags:
        calls.append(("ec2:CreateTags", IMAGE, context_of(tags, **{"ec2:CreateAction": "RegisterImage"})))
    return calls


def without_sign(tags):
    """The same of before installations had ids."""
    return {key: value for key, value in tags.items() if key != "snapkeep:installation"}


def plain(action, resource="*", **context):
    return [(action, resource, context_of(**context))]


def publish(bus, detail_types):
    return plain("events:PutEvents", bus, **{"events:detail-type": detail_types})


def remove(partitions):
    keys = {"dynamodb:LeadingKeys": partitions} if partitions else {}
    return plain("dynamodb:DeleteItem", TABLE, **keys)


def add_to(partitions):
    keys = {"dynamodb:LeadingKeys": partitions} if partitions else {}
    return plain("dynamodb:UpdateItem", TABLE, **keys)


# ---------------------------------------------------------------- the matrix

def creator_cases():
    anonymous = SIGNED
    yield "Snapshotter", "create with our tags", create({**OURS, "Name": "web 1"}), True
    yield "Snapshotter", "create without tags", create({}), False
    yield "Snapshotter", "create without our id", create(anonymous), False
    yield "Snapshotter", "create as somebody else's", create({**OURS, "snapkeep:managed-by": "x"}), False
    yield "Snapshotter", "create as another installation's", create({**OURS, **ANOTHERS}), False
    yield "Snapshotter", "create without an installation", create(without_sign(OURS)), False
    for name in FUNCTIONS:
        if name != "Snapshotter":
            yield name, "create with our tags", create(OURS), False
    yield "Snapshotter", "tag a foreign snapshot as ours", tag({}, OURS), False
    yield "Snapshotter", "tag ours later", tag(OURS, {"Name": "other"}), False
    yield "Snapshotter", "condemn ours", tag(OURS, MARK), False
    yield "Snapshotter", "copy", plain("ec2:CopySnapshot", SNAPSHOT), False
    image = {"ec2:CreateAction": "CreateImage"}
    yield "Snapshotter", "tags in another create call", [("ec2:CreateTags", SNAPSHOT, context_of(OURS, **image))], False
    yield "Snapshotter", "tag an instance", tag({}, OURS, INSTANCE), False


def condemner_cases():
    for name in ["Api", "Sweeper", "Restorer"]:
        yield name, "condemn ours", tag(OURS, MARK), True
        yield name, "condemn it again", tag(CONDEMNED, MARK), True
        yield name, "condemn one of before", tag(without_sign(OURS), MARK), True
        yield name, "condemn another installation's", tag({**OURS, **ANOTHERS}, MARK), False
        yield name, "condemn a foreign snapshot", tag({}, MARK), False
        yield name, "take a foreign snapshot over", tag({}, OURS), False
        yield name, "take it over and condemn it", tag({}, CONDEMNED), False
        yield name, "another state", tag(OURS, {"snapkeep:state": "available"}), False
        yield name, "another tag beside it", tag(OURS, {**MARK, "Name": "x"}), False
        yield name, "another tag", tag(OURS, {"Name": "x"}), False
        yield name, "condemn an image of ours", tag(OURS, MARK, IMAGE), False
        yield name, "rescue ours", untag(CONDEMNED, ["snapkeep:state"]), name != "Restorer"
        yield name, "rescue one of before", untag(without_sign(CONDEMNED), ["snapkeep:state"]), name != "Restorer"
        yield name, "rescue another installation's", untag({**CONDEMNED, **ANOTHERS}, ["snapkeep:state"]), False
        yield name, "give it another installation", tag(OURS, ANOTHERS), False
        yield name, "take the installation off", untag(CONDEMNED, ["snapkeep:installation"]), False
        yield name, "rescue a foreign snapshot", untag(MARK, ["snapkeep:state"]), False
        yield name, "remove our mark", untag(CONDEMNED, ["snapkeep:managed-by"]), False
        yield name, "remove both", untag(CONDEMNED, ["snapkeep:managed-by", "snapkeep:state"]), False
        yield name, "remove every tag", untag(CONDEMNED, []), False
    for name in ["Scheduler", "Snapshotter", "Tracker", "Reaper", "Reconciler"]:
        yield name, "condemn ours", tag(OURS, MARK), False
        yield name, "rescue ours", untag(CONDEMNED, ["snapkeep:state"]), False


def adopter_cases():
    yield "Reconciler", "adopt what is nobody's", tag({"Name": "before the upgrade"}, ADOPTION), True
    yield "Reconciler", "adopt what is ours", tag(OURS, ADOPTION), False
    yield "Reconciler", "adopt and condemn in one go", tag({}, {**ADOPTION, **MARK}), False
    yield "Reconciler", "adopt what says condemned already", tag(MARK, ADOPTION), False
    yield "Reconciler", "adopt Data Lifecycle Manager's", tag({"aws:dlm:lifecycle-policy-id": "p"}, ADOPTION), False
    yield "Reconciler", "adopt AWS Backup's", tag({"aws:backup:source-resource": "v"}, ADOPTION), False
    yield "Reconciler", "adopt with another tag beside ours", tag({}, {**ADOPTION, "Name": "x"}), False
    for key in ["snapkeep:managed-by", "snapkeep:installation", "snapkeep:id", "snapkeep:origin"]:
        lacking = {name: value for name, value in ADOPTION.items() if name != key}
        yield "Reconciler", f"adopt without {key}", tag({}, lacking), False
    yield "Reconciler", "adopt as somebody else's", tag({}, {**ADOPTION, "snapkeep:managed-by": "x"}), False
    yield "Reconciler", "adopt as another installation's", tag({}, {**ADOPTION, **ANOTHERS}), False
    yield "Reconciler", "adopt as if we had made it", tag({}, {**ADOPTION, "snapkeep:origin": "schedule"}), False
    yield "Reconciler", "adopt a volume", tag({}, ADOPTION, VOLUME), False
    yield "Reconciler", "adopt an image", tag({}, ADOPTION, f"arn:aws:ec2:{REGION}::image/ami-01234567"), False
    theirs = {**OURS, **ANOTHERS}
    yield "Reconciler", "take over another installation's", tag(theirs, ADOPTION), True
    yield "Reconciler", "take over one of before", tag(without_sign(OURS), ADOPTION), True
    yield "Reconciler", "take over and condemn in one go", tag(theirs, {**ADOPTION, **MARK}), False
    yield "Reconciler", "take over what is condemned", tag({**theirs, **MARK}, ADOPTION), False
    yield "Reconciler", "take over and leave it its owner's", tag(theirs, {**ADOPTION, **ANOTHERS}), False
    yield "Reconciler", "take over with another tag beside", tag(theirs, {**ADOPTION, "Name": "x"}), False
    for service in ["aws:dlm:lifecycle-policy-id", "aws:backup:source-resource"]:
        of_volume = {**theirs, service: "x"}
        yield "Reconciler", f"take over what bears {service}", tag(of_volume, ADOPTION), False
    for key in ["snapkeep:managed-by", "snapkeep:installation", "snapkeep:id", "snapkeep:origin"]:
        lacking = {name: value for name, value in ADOPTION.items() if name != key}
        yield "Reconciler", f"take over without {key}", tag(theirs, lacking), False
    yield "Reconciler", "take over as if we had made it", tag(theirs, {**ADOPTION, "snapkeep:origin": "schedule"}), False
    yield "Reconciler", "adopt what says it is somebody's", tag({"snapkeep:managed-by": "x"}, ADOPTION), False
    yield "Reconciler", "sign one of before", tag(without_sign(OURS), SIGN), True
    yield "Reconciler", "sign one of before as another's", tag(without_sign(OURS), ANOTHERS), False
    yield "Reconciler", "sign and condemn in one go", tag(without_sign(OURS), {**SIGN, **MARK}), False
    yield "Reconciler", "sign another installation's", tag(theirs, SIGN), False
    yield "Reconciler", "sign what is nobody's", tag({}, SIGN), False
    yield "Reconciler", "give up what is ours", untag(OURS, ["snapkeep:managed-by"]), False
    for name in FUNCTIONS:
        if name != "Reconciler":
            yield name, "adopt what is nobody's", tag({}, ADOPTION), False
            yield name, "take over another installation's", tag(theirs, ADOPTION), False
            yield name, "sign one of before", tag(without_sign(OURS), SIGN), False


def deleter_cases():
    yield "Reaper", "delete what is ours and condemned", delete(CONDEMNED), True
    yield "Reaper", "delete one of before that is condemned", delete(without_sign(CONDEMNED)), True
    yield "Reaper", "delete another installation's that is condemned", delete({**CONDEMNED, **ANOTHERS}), False
    yield "Reaper", "delete ours, not condemned", delete(OURS), False
    yield "Reaper", "delete ours in another state", delete({**OURS, "snapkeep:state": "rescued"}), False
    yield "Reaper", "delete a foreign one that says condemned", delete(MARK), False
    yield "Reaper", "delete somebody's that says condemned", delete({**CONDEMNED, "snapkeep:managed-by": "x"}), False
    yield "Reaper", "delete an untagged one", delete({}), False
    yield "Reaper", "delete a volume", plain("ec2:DeleteVolume", VOLUME, resource_tags=CONDEMNED), False
    yield "Reaper", "deregister an image", plain("ec2:DeregisterImage"), False
    for name in FUNCTIONS:
        if name != "Reaper":
            yield name, "delete what is ours and condemned", delete(CONDEMNED), False


def region_cases():
    """What may be done in the stack's region may be in those that are named, and nowhere else."""
    for name, what, calls in [
        ("Snapshotter", "create with our tags", create(OURS)),
        ("Api", "condemn ours", tag(OURS, MARK)),
        ("Api", "rescue ours", untag(CONDEMNED, ["snapkeep:state"])),
        ("Sweeper", "condemn ours", tag(OURS, MARK)),
        ("Sweeper", "rescue ours", untag(CONDEMNED, ["snapkeep:state"])),
        ("Reaper", "delete what is ours and condemned", delete(CONDEMNED)),
        ("Reconciler", "adopt what is nobody's", tag({}, ADOPTION)),
        ("Reconciler", "take over another installation's", tag({**OURS, **ANOTHERS}, ADOPTION)),
        ("Reconciler", "sign one of before", tag(without_sign(OURS), SIGN)),
    ]:
        yield name, f"{what} in a region that is named", in_region(NAMED, calls), True
        # Each call by itself: every statement is to hold without the others.
        for position, call in enumerate(calls):
            yield name, f"{what} elsewhere, call {position + 1}", in_region(ELSEWHERE, [call]), False
    for calls in [delete(OURS), delete({}), tag(OURS, MARK)]:
        yield "Reaper", f"{calls[0][0]} in a region that is named", in_region(NAMED, calls), False
    yield "Snapshotter", "create without tags in a region that is named", in_region(NAMED, create({})), False


def image_cases():
    yield "Restorer", "register an image of our snapshots", register({**OUR_IMAGE, "Name": "web"}, OURS), True
    yield from restorer_in_regions("register an image of our snapshots", register({**OUR_IMAGE, "Name": "web"}, OURS))
    deregistration = plain("ec2:DeregisterImage", IMAGE, resource_tags=OUR_IMAGE)
    yield from restorer_in_regions("deregister our image", deregistration)
    yield from restorer_in_regions("condemn ours", tag(OURS, MARK))
    yield "Restorer", "register one of a foreign snapshot", register(OUR_IMAGE, {}), False
    yield "Restorer", "register one of somebody's snapshot", register(OUR_IMAGE, {"snapkeep:managed-by": "x"}), False
    yield "Restorer", "register one without tags", register({}, OURS), False
    yield "Restorer", "register one without its record's id", register(SIGNED, OURS), False
    yield "Restorer", "register one as somebody else's", register({**OUR_IMAGE, "snapkeep:managed-by": "x"}, OURS), False
    yield "Restorer", "register one of another installation's", register(OUR_IMAGE, {**OURS, **ANOTHERS}), False
    yield "Restorer", "register one of before", register(OUR_IMAGE, without_sign(OURS)), True
    yield "Restorer", "register one as another installation's", register({**OUR_IMAGE, **ANOTHERS}, OURS), False
    theirs = {**OUR_IMAGE, **ANOTHERS}
    yield "Restorer", "deregister another installation's", plain("ec2:DeregisterImage", IMAGE, resource_tags=theirs), False
    yield "Restorer", "tag a foreign image as ours", tag({}, OUR_IMAGE, IMAGE), False
    yield "Restorer", "tag our image later", tag(OUR_IMAGE, {"Name": "other"}, IMAGE), False
    other = context_of(OUR_IMAGE, **{"ec2:CreateAction": "CreateImage"})
    yield "Restorer", "tags in another call that makes an image", [("ec2:CreateTags", IMAGE, other)], False
    yield "Restorer", "deregister our image", plain("ec2:DeregisterImage", IMAGE, resource_tags=OUR_IMAGE), True
    yield "Restorer", "deregister a foreign image", plain("ec2:DeregisterImage", IMAGE), False
    yield "Restorer", "deregister somebody's", plain("ec2:DeregisterImage", IMAGE, resource_tags={"snapkeep:managed-by": "x"}), False
    for name in FUNCTIONS:
        if name != "Restorer":
            yield name, "register an image of our snapshots", register(OUR_IMAGE, OURS), False
            yield name, "deregister our image", plain("ec2:DeregisterImage", IMAGE, resource_tags=OUR_IMAGE), False
        yield name, "make an image of an instance", plain("ec2:CreateImage", IMAGE), False
        yield name, "disable our image", plain("ec2:DisableImage", IMAGE, resource_tags=OUR_IMAGE), False


def copy_cases():
    made = {**OURS, "snapkeep:copy-of": "snp_019caef4-ba40-7c0b-a581-e89318b20764", "Name": "web 1"}
    without = {**SIGNED, "snapkeep:id": "snp_019caef4"}

    def copied(tags, source_tags):
        # Whether the tags of the call are shown with the source as well is not written anywhere: here they are.
        return on("ec2:CopySnapshot", (NEW_SNAPSHOT, tags, None), (SNAPSHOT, tags, source_tags))

    yield "Restorer", "copy ours, with our tags", copied(made, OURS), True
    yield from restorer_in_regions("copy ours, with our tags", copied(made, OURS))
    yield "Restorer", "tags of a new copy", tag_at("CopySnapshot", SNAPSHOT, made), True
    yield from restorer_in_regions("tags of a new copy", tag_at("CopySnapshot", SNAPSHOT, made))
    foreign = {**made, "snapkeep:managed-by": "x"}
    yield "Restorer", "tags of a copy of nothing", tag_at("CopySnapshot", SNAPSHOT, without), False
    yield "Restorer", "tags of somebody else's copy", tag_at("CopySnapshot", SNAPSHOT, foreign), False
    yield "Restorer", "copy without tags", copied({}, OURS), False
    yield "Restorer", "copy without what it is a copy of", copied(without, OURS), False
    yield "Restorer", "copy as somebody else's", copied({**made, "snapkeep:managed-by": "x"}, OURS), False
    yield "Restorer", "copy a foreign snapshot", copied(made, {}), False
    bare = on("ec2:CopySnapshot", (NEW_SNAPSHOT, {}, None), (SNAPSHOT, {}, OURS))
    yield "Restorer", "copy into one without tags, the tags of the source beside it", bare, False
    beside = on("ec2:CopySnapshot", (NEW_SNAPSHOT, {}, OURS), (SNAPSHOT, {}, OURS))
    yield "Restorer", "copy into one whose tags are taken for ours", beside, False
    yield "Restorer", "copy somebody's snapshot", copied(made, {"snapkeep:managed-by": "x"}), False
    yield "Restorer", "copy another installation's", copied(made, {**OURS, **ANOTHERS}), False
    yield "Restorer", "copy one of before", copied(made, without_sign(OURS)), True
    yield "Restorer", "copy as another installation's", copied({**made, **ANOTHERS}, OURS), False
    theirs = tag_at("CopySnapshot", SNAPSHOT, {**made, **ANOTHERS})
    yield "Restorer", "tags of another installation's copy", theirs, False
    yield "Restorer", "tag a foreign snapshot as a copy of ours", tag({}, made), False
    for name in FUNCTIONS:
        if name != "Restorer":
            yield name, "copy ours, with our tags", copied(made, OURS), False
            yield name, "tags of a new copy", tag_at("CopySnapshot", SNAPSHOT, made), False


def on(action, *resources):
    """A call that is checked for each of these: (ARN, tags of the call, tags that are there already)."""
    return [(action, one, context_of(new, old)) for one, new, old in resources]


def tag_at(action, resource, tags):
    return [("ec2:CreateTags", resource, context_of(tags, **{"ec2:CreateAction": action}))]


def restorer_in_regions(what, calls):
    yield "Restorer", f"{what}, in a region that is named", in_region(NAMED, calls), True
    for position, call in enumerate(calls):
        yield "Restorer", f"{what}, elsewhere, call {position + 1}", in_region(ELSEWHERE, [call]), False


def restorer_cases():
    image, task = f"arn:aws:ec2:{REGION}::image/ami-0123", f"arn:aws:ec2:{REGION}:{ACCOUNT}:replace-root-volume-task/r-1"
    network = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/x" for kind in ("subnet", "security-group", "network-interface")]
    key = f"arn:aws:ec2:{REGION}:{ACCOUNT}:key-pair/ops"
    made = {**SIGNED, "snapkeep:restore": "rst_019caef4", "Name": "web"}
    theirs = {**made, **ANOTHERS}
    anonymous = SIGNED
    foreign = {**made, "snapkeep:managed-by": "x"}
    marks = {"snapkeep:replaced-by": "rst_019caef4", "snapkeep:expires-at": "2026-03-16T10:00:00Z"}
    role = f"arn:aws:iam::{ACCOUNT}:role/OrganizationAdmin"

    def changing(attribute, tags):
        return [("ec2:ModifyInstanceAttribute", INSTANCE, context_of(None, tags, **{"ec2:Attribute": attribute}))]

    def volume(tags, snapshot_tags):
        return on("ec2:CreateVolume", (VOLUME, tags, None), (SNAPSHOT, None, snapshot_tags))

    def root(tags, snapshot_tags):
        touched = [(INSTANCE, None, {}), (VOLUME, None, {}), (task, tags, None), (SNAPSHOT, None, snapshot_tags)]
        return on("ec2:CreateReplaceRootVolumeTask", *touched)

    def register(tags, snapshot_tags):
        return on("ec2:RegisterImage", (image, tags, None), (SNAPSHOT, None, snapshot_tags))

    def run(tags, volume_tags, image_tags, snapshot_tags):
        fixed = [(one, None, {}) for one in [*network, key]]
        touched = [(INSTANCE, tags, None), (VOLUME, volume_tags, None), (image, None, image_tags)]
        return on("ec2:RunInstances", *touched, (SNAPSHOT, None, snapshot_tags), *fixed)

    may = [
        ("a volume of ours, with our tags", volume(made, OURS)),
        ("tags of a new volume", tag_at("CreateVolume", VOLUME, made)),
        ("another root volume of ours", root(made, OURS)),
        ("tags of its task", tag_at("CreateReplaceRootVolumeTask", task, made)),
        ("an image of ours", register(made, OURS)),
        ("tags of a new image", tag_at("RegisterImage", image, made)),
        ("an instance of it", run(made, made, made, OURS)),
        ("tags of a new instance", tag_at("RunInstances", INSTANCE, made)),
        ("a role that is named", plain("iam:PassRole", WEB_ROLE, **{"iam:PassedToService": "ec2.amazonaws.com"})),
        ("attach", on("ec2:AttachVolume", (VOLUME, None, {}), (INSTANCE, None, {}))),
        ("detach", on("ec2:DetachVolume", (VOLUME, None, {}), (INSTANCE, None, {}))),
        ("stop", on("ec2:StopInstances", (INSTANCE, None, {}))),
        ("start", on("ec2:StartInstances", (INSTANCE, None, {}))),
        ("have volumes go with an instance", changing("BlockDeviceMapping", {})),
        ("turn a check off of what it launched", changing("SourceDestCheck", made)),
        ("mark an old volume", tag({}, marks, VOLUME)),
        ("a volume of one of before", volume(made, without_sign(OURS))),
        ("delete a volume it made before", on("ec2:DeleteVolume", (VOLUME, None, without_sign(made)))),
        ("delete a volume it made", on("ec2:DeleteVolume", (VOLUME, None, made))),
        ("deregister an image it made", on("ec2:DeregisterImage", (image, None, made))),
    ]
    may_not = [
        ("a volume without tags", volume({}, OURS)),
        ("a volume without the restore's tag", volume(anonymous, OURS)),
        ("a volume as somebody else's", volume(foreign, OURS)),
        ("a volume as another installation's", volume(theirs, OURS)),
        ("a volume of another installation's", volume(made, {**OURS, **ANOTHERS})),
        ("delete another installation's volume", on("ec2:DeleteVolume", (VOLUME, None, theirs))),
        ("a volume of a foreign snapshot", volume(made, {})),
        ("another root volume, of a foreign snapshot", root(made, {})),
        ("another root volume without tags", root({}, OURS)),
        ("an image of a foreign snapshot", register(made, {})),
        ("an image without tags", register({}, OURS)),
        ("an instance without tags", run({}, made, made, OURS)),
        ("an instance with untagged volumes", run(made, {}, made, OURS)),
        ("an instance of a foreign image", run(made, made, {}, OURS)),
        ("an instance of a foreign snapshot", run(made, made, made, {})),
        ("a role that is not named", plain("iam:PassRole", role, **{"iam:PassedToService": "ec2.amazonaws.com"})),
        ("a role for Lambda", plain("iam:PassRole", WEB_ROLE, **{"iam:PassedToService": "lambda.amazonaws.com"})),
        ("a role of another account", plain(
            "iam:PassRole", "arn:aws:iam::111122223333:role/web-1", **{"iam:PassedToService": "ec2.amazonaws.com"})),
        ("make an old volume deletable", tag({}, made, VOLUME)),
        ("make it deletable beside a mark", tag({}, {**marks, "snapkeep:restore": "x"}, VOLUME)),
        ("tag without saying which", [("ec2:CreateTags", VOLUME, context_of(None, {}))]),
        ("mark an instance", tag({}, marks, INSTANCE)),
        ("mark a snapshot", tag(OURS, marks)),
        ("tag a snapshot at creation", tag_at("CreateVolume", SNAPSHOT, made)),
        ("delete an old volume", on("ec2:DeleteVolume", (VOLUME, None, marks))),
        ("delete a foreign volume", on("ec2:DeleteVolume", (VOLUME, None, {}))),
        ("delete another volume of ours", on("ec2:DeleteVolume", (VOLUME, None, anonymous))),
        ("delete somebody's volume that says restored", on("ec2:DeleteVolume", (VOLUME, None, foreign))),
        ("deregister a foreign image", on("ec2:DeregisterImage", (image, None, {}))),
        ("deregister somebody's image that says restored", on("ec2:DeregisterImage", (image, None, foreign))),
        ("terminate what it made", on("ec2:TerminateInstances", (INSTANCE, None, made))),
        ("change an instance", on("ec2:ModifyInstanceAttribute", (INSTANCE, None, {}))),
        ("turn a check off of an instance", changing("SourceDestCheck", {})),
        ("turn a check off of somebody's that says restored", changing("SourceDestCheck", foreign)),
        ("turn a check off of another of ours", changing("SourceDestCheck", anonymous)),
        ("protect what it launched", changing("DisableApiTermination", made)),
        ("give it other commands at its start", changing("UserData", made)),
    ]
    for what, calls in may:
        yield "Restorer", what, calls, True
        if calls[0][0].startswith("ec2:"):
            yield from restorer_in_regions(what, calls)
        for name in FUNCTIONS:
            if name != "Restorer":
                yield name, what, calls, False
    for what, calls in may_not:
        yield "Restorer", what, calls, False


def other_cases():
    looks = {
        "ec2:DescribeInstances": {"Api", "Scheduler", "Snapshotter", "Sweeper", "Reaper", "Restorer"},
        "ec2:DescribeInstanceTypes": {"Api", "Snapshotter"},
        "ec2:DescribeAvailabilityZones": {"Api"},
        "ec2:DescribeSubnets": {"Api"},
        "ec2:DescribeSecurityGroups": {"Api"},
        "ec2:DescribeKeyPairs": {"Api"},
        "ec2:DescribeVolumes": {"Api", "Snapshotter", "Reconciler", "Restorer"},
        "ec2:DescribeSnapshots": set(FUNCTIONS) - {"Console"},
        "ec2:DescribeImages": {"Api", "Sweeper", "Reaper", "Reconciler", "Restorer"},
        "ec2:DescribeReplaceRootVolumeTasks": {"Restorer"},
    }
    for action, names in looks.items():
        for name in FUNCTIONS:
            yield name, action, plain(action), name in names
            yield name, f"{action} in a region that is named", in_region(NAMED, plain(action)), name in names
            yield name, f"{action} elsewhere", in_region(ELSEWHERE, plain(action)), False
    for name in FUNCTIONS:
        for event in ["SnapshotRequested", "SnapshotDeletionDue", "SweepRequested", "JobDue"]:
            asks = name == "Restorer" and event in ("SnapshotDeletionDue", "SnapshotRequested")
            may = asks or name in ("Api", "Scheduler")
            yield name, f"publish {event}", publish(BUS, [event]), may
        for event in ["AdoptionRequested", "ReconciliationRequested"]:
            yield name, f"publish {event}", publish(BUS, [event]), name == "Api"
        behind_queue = name in ("Snapshotter", "Tracker", "Reaper", "Restorer")
        yield name, "publish MessageRejected", publish(BUS, ["MessageRejected"]), behind_queue
        both = publish(BUS, ["MessageRejected", "SnapshotDeletionDue"])
        yield name, "publish one more beside it", both, name == "Restorer"
        yield name, "publish another beside it", publish(BUS, ["MessageRejected", "SweepRequested"]), False
        for event in ["snapkeep.snapshot.available", "snapkeep.sweep.needs_approval"]:
            yield name, f"publish {event}", publish(BUS, [event]), name == "Scheduler"
        yield name, "publish what only begins so", publish(BUS, ["snapkeepx.snapshot.available"]), False
        told = ["snapkeep.snapshot.available", "MessageRejected"]
        yield name, "publish an order beside what is told", publish(BUS, told), False
        default = ARNS["AWS::Events::EventBus"] + "default"
        yield name, "publish on the default bus", publish(default, ["SweepRequested"]), False
        for action in ["GetItem", "BatchGetItem", "PutItem", "ConditionCheckItem"]:
            yield name, action, plain(f"dynamodb:{action}", TABLE), name != "Console"
            yield name, f"{action} of another table", plain(f"dynamodb:{action}", TABLE + "2"), False
        yield name, "Query an index", plain("dynamodb:Query", TABLE + "/index/due"), name != "Console"
        for action in ["Scan", "UpdateItem", "BatchWriteItem", "DeleteTable", "UpdateTimeToLive"]:
            yield name, action, plain(f"dynamodb:{action}", TABLE), False
        for kind in ["DAY", "INSTANCE", "REGION", "SCHEDULE"]:
            yield name, f"add to the numbers of {kind}", add_to([f"STATISTICS#{kind}"]), name != "Console"
        yield name, "add to a snapshot's record", add_to(["SNAPSHOT#snp_019caef4"]), False
        yield name, "add to numbers and a record in one call", add_to(["STATISTICS#DAY", "SCHEDULES"]), False
        yield name, "add to a record of no known key", add_to([]), False
        yield name, "remove a schedule's record", remove(["SCHEDULES"]), name == "Api"
        yield name, "remove it with its drills", remove(["DRILLS", "SCHEDULES"]), name == "Api"
        yield name, "remove the note of a look", remove(["GONE"]), name == "Sweeper"
        yield name, "clear the outbox", remove(["OUTBOX"]), name == "Scheduler"
        yield name, "remove an entry of the audit", remove(["AUDIT#2026-03-01"]), False
        yield name, "remove an entry with an event", remove(["OUTBOX", "AUDIT#2026-03-01"]), False
        yield name, "remove a snapshot's record", remove(["SNAPSHOT#snp_019caef4"]), False
        yield name, "remove both in one call", remove(["SCHEDULES", "SNAPSHOT#snp_019caef4"]), False
        yield name, "remove a look and a snapshot's record in one call", remove(["GONE", "SNAPSHOT#snp_019caef4"]), False
        yield name, "remove a record of no known key", remove([]), False
        for action in ["ec2:ModifySnapshotAttribute", "ec2:RunInstances", "ec2:LockSnapshot", "iam:PassRole"]:
            yield name, action, plain(action, SNAPSHOT), False


def cases():
    yield from creator_cases()
    yield from condemner_cases()
    yield from adopter_cases()
    yield from deleter_cases()
    yield from region_cases()
    yield from image_cases()
    yield from copy_cases()
    yield from restorer_cases()
    yield from other_cases()


def outcome(policies, name, calls):
    return all(allowed(policies[name], *call) for call in calls)


# ---------------------------------------------------------------- what is checked

def check_matrix(policies):
    for name, what, calls, expected in cases():
        verb = "may" if expected else "may not"
        yield f"{name} {verb}: {what}", outcome(policies, name, calls) == expected


def check_alone(policies):
    """Where no further region is named, the stack's own is the only one; where no role is, none can be given."""
    for name, what, calls, expected in cases():
        is_own = all(context["ec2:Region"] == REGION for _, _, context in calls)
        gives_role = any(action == "iam:PassRole" for action, _, _ in calls)
        may = expected and is_own and not gives_role
        yield f"{name}, with nothing named: {what}", outcome(policies, name, calls) == may


def check_denials(policies):
    """The reaper's and restorer's denials hold by themselves, whatever somebody attaches to the role."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    widened = {"Restorer": [*policies["Restorer"], everything]}
    for name, what, calls, expected in restorer_cases():
        is_denied = calls[0][0] in ("ec2:DeleteVolume", "ec2:TerminateInstances") and ", elsewhere" not in what
        if name == "Restorer" and not expected and is_denied:
            yield f"Restorer may not, even with an Allow of everything: {what}", not outcome(widened, name, calls)
    widened = {**policies, "Reaper": [*policies["Reaper"], everything]}
    for name, what, calls, expected in [*deleter_cases(), *condemner_cases()]:
        if name == "Reaper" and not expected and calls[0][0] in ("ec2:DeleteSnapshot", "ec2:CreateTags"):
            yield f"Reaper may not, even with an Allow of everything: {what}", not outcome(widened, name, calls)


def check_conditions(policies):
    """Without any one of its conditions, a permission lets something through that a case forbids; so does a role
    without its denial of other regions, which stands in the place of a condition."""
    permissions = {
        name: [item for item in policy if item["Effect"] == "Allow" or item["Sid"] == REGIONS_DENIAL]
        for name, policy in policies.items()
    }
    known = list(cases())
    kept = all(outcome(permissions, name, calls) == expected for name, _, calls, expected in known)
    yield "the permissions keep to the cases without the other denials", kept
    for name, policy in permissions.items():
        everywhere = [item for item in policy if item["Sid"] != REGIONS_DENIAL]
        noticed = any(outcome({name: everywhere}, who, calls) != may for who, _, calls, may in known if who == name)
        asks_ec2 = any(action.startswith("ec2:") for item in everywhere for action in listed(item["Action"]))
        is_whole = len(everywhere) == len(policy) - 1
        yield f"{name}: a case needs {REGIONS_DENIAL}", (noticed and is_whole) if asks_ec2 else len(everywhere) == len(policy)
        for position, statement in enumerate(policy):
            for operator, block in statement.get("Condition", {}).items():
                for key in block:
                    loosened = copy.deepcopy(policy)
                    del loosened[position]["Condition"][operator][key]
                    noticed = any(
                        outcome({name: loosened}, name, calls) != expected
                        for who, _, calls, expected in known
                        if who == name
                    )
                    yield f"{name} {statement['Sid']}: a case needs {operator} {key}", noticed


def calls_in(folder, names):
    """The SDK's actions that the Rust sources below `folder` call, of those in `names` (snake case)."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob(f"{folder}/**/*.rs")))
    called = {name for name in re.findall(r"\.(\w+)\(\)", text) if name in names}
    return {"".join(part.capitalize() for part in name.split("_")) for name in called}


def check_calls(policies):
    """What the code calls somebody may do, and nobody may do what the code never calls."""
    lines = (INFRA / "slim-sdk" / "ec2.txt").read_text(encoding="utf-8").splitlines()
    ec2 = calls_in("ec2", {line.strip() for line in lines})
    table = calls_in("table", set(TABLE_CALLS))
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("table/**/*.rs")))
    table |= {action for builder, action in TRANSACTION_PARTS.items() if re.search(rf"\b{builder}", text)}
    for service, called in {"ec2": ec2, "dynamodb": table}.items():
        granted = {
            action.partition(":")[2]
            for policy in policies.values()
            for item in policy
            for action in listed(item["Action"])
            if item["Effect"] == "Allow" and action.startswith(f"{service}:")
        }
        for action in sorted(called | granted):
            yield f"{service}:{action} is called", action in called
            yield f"{service}:{action} is allowed to somebody", action in granted


def check_size(resources):
    """No role's policies are longer than IAM takes, were Snapkeep to look after every region of an account."""
    long_names = {key: {**item} for key, item in resources.items()}
    roles = ",".join(f"arn:aws:iam::{ACCOUNT}:role/application-{number}-*" for number in range(8))
    given = {"Regions": ",".join(DEFAULT_REGIONS), "InstanceRoles": roles}
    for name in FUNCTIONS:
        text = json.dumps(statements(long_names, name, given))
        # A stack's name and a suffix come before and after what is named here.
        named = sum(text.count(key) for key in long_names if f":{key}" in text or f"/{key}" in text)
        length = len(re.sub(r"\s", "", text)) + 40 * named
        yield f"{name}Role has {length} characters of at most {POLICY_MAX}", length <= POLICY_MAX


def check_shape(resources, policies):
    for name in FUNCTIONS:
        function = resources[f"{name}Function"]["Properties"]
        yield f"{name}Function has its own role", function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        widest = [
            item["Sid"]
            for item in policies[name]
            if item["Effect"] == "Allow"
            and (any("*" in action for action in listed(item["Action"])) or "*" in listed(item["Resource"]))
            and not all(action.startswith(("ec2:Describe", "ec2:ListSnapshots")) for action in listed(item["Action"]))
        ]
        yield f"{name}Role allows * only for what EC2 lists, and no action by pattern", not widest
    attached = {key: item for key, item in resources.items() if item["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")}
    yield "nothing but KeyPolicy is attached to roles from outside", list(attached) == ["KeyPolicy"]
    key_policy = resources["KeyPolicy"]["Properties"]
    users = sorted(role["Ref"] for role in key_policy["Roles"])
    wanting = sorted(f"{name}Role" for name in FUNCTIONS if name != "Console")
    yield "every function with a table or a queue may use the key", users == wanting
    for item in key_policy["PolicyDocument"]["Statement"]:
        only_keys = all(action.startswith("kms:") for action in listed(item["Action"]))
        through = "kms:ViaService" in item["Condition"]["StringEquals"]
        yield "KeyPolicy is about the one key, through services", only_keys and through and item["Resource"] == {"Ref": "KmsKeyArn"}
    functions = [key for key, item in resources.items() if item["Type"] == "AWS::Serverless::Function"]
    yield "every function is looked at here", sorted(functions) == sorted(f"{name}Function" for name in FUNCTIONS)


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else INFRA / "template.yaml"
    resources = yaml.load(path.read_text(encoding="utf-8"), Loader)["Resources"]
    policies = {name: statements(resources, name, GIVEN) for name in FUNCTIONS}
    alone = {name: statements(resources, name, NOTHING) for name in FUNCTIONS}
    results = [
        *check_matrix(policies),
        *check_alone(alone),
        *check_denials(policies),
        *check_conditions(policies),
        *check_calls(policies),
        *check_size(resources),
        *check_shape(resources, policies),
    ]
    failed = [what for what, passed in results if not passed]
    for what in failed:
        print(f"FAILED {what}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
