#!/usr/bin/env python3
"""infra/template.yaml for partitions without Cognito, on the standard output.

CloudFormation refuses a template with a type that the region does not have, whatever its conditions say. What is left
out: the user pool with what belongs to it, and every choice between it and a provider of yours, which falls on yours.
The comments of the original are not in it: change that one.

Usage: python infra/without_cognito.py > TEMPLATE
"""

import sys

import yaml

from check_policies import INFRA, Loader

# Conditions that hold only where there is a user pool.
NEVER = {"UseCognito", "DefaultSignInDomain", "WithMachineClient"}
# Parameters that nothing asks about any more.
UNUSED = {"SignInDomainPrefix", "WebCallbackUrls", "MachineClientRole"}


def chosen(value):
    """The value with every choice between a pool and a provider made."""
    if isinstance(value, list):
        return [chosen(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"} and value["Fn::If"][0] in NEVER:
        return chosen(value["Fn::If"][2])
    return {key: chosen(item) for key, item in value.items()}


def without(template):
    resources = {
        key: item
        for key, item in template["Resources"].items()
        if item.get("Condition") not in NEVER and not item["Type"].startswith("AWS::Cognito::")
    }
    outputs = {key: item for key, item in template["Outputs"].items() if item.get("Condition") not in NEVER}
    parameters = {key: item for key, item in template["Parameters"].items() if key not in UNUSED}
    conditions = {key: item for key, item in template["Conditions"].items() if key not in NEVER}
    # There is no pool that could stand in for them.
    for name in ("JwtIssuer", "JwtAudience"):
        parameters[name] = {key: item for key, item in parameters[name].items() if key != "Default"}
        parameters[name]["AllowedPattern"] = parameters[name]["AllowedPattern"].removeprefix("^$|")
    kept = {key: item for key, item in template.items() if key != "Rules"}
    changed = {"Parameters": parameters, "Conditions": conditions, "Resources": resources, "Outputs": outputs}
    return chosen({**kept, **changed})


def main():
    template = yaml.load((INFRA / "template.yaml").read_text(encoding="utf-8"), Loader)
    yaml.safe_dump(without(template), sys.stdout, sort_keys=False, width=120)


if __name__ == "__main__":
    main()
