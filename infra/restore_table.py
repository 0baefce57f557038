#!/usr/bin/env python3
"""Brings records of a table that was restored to a point in time back into the stack's own table.

What it brings back, by kind:

* a schedule, as it was then, where it differs or is gone;
* a snapshot, restore, image, run or sweep that is gone or cannot be read any more;
* a hold that was there then and is not now. What else a snapshot's record says stays as it is now: EC2 has gone on since.

Nothing that came later goes, nothing is condemned by it, and the audit, the outbox, the numbers and the findings are left
alone: the reconciler counts anew. Stop the functions first, or a record may change under it: then it says so, and does
not write that one.

Usage: python infra/restore_table.py THEN NOW [--write]. Without --write it only says what it would do.
"""

import copy
import sys

# By the first part of the partition's key.
AS_IT_WAS = {"SCHEDULES"}
IF_GONE = {"EBS", "IMAGES", "RESTORES", "RUNS", "SNAPSHOT", "SWEEPS"}
# The attribute by which what has a hold is listed (shared/src/table/keys.rs).
HELD = {"held_pk": {"S": "HELD"}}


def kind(item):
    return item["pk"]["S"].split("#")[0]


def is_readable(item):
    """Whether an item has what every record has."""
    body = item.get("body", {}).get("M")
    return item.get("schema", {}).get("N") == "1" and "version" in item and bool(body)


def hold(item):
    value = item["body"]["M"].get("hold", {"NULL": True})
    return value.get("M")


def version(item):
    return int(item["version"]["N"])


def written_at(item, number):
    """The item as the write of this number; the body says it as well."""
    item = copy.deepcopy(item)
    item["version"] = {"N": str(number)}
    if "version" in item["body"]["M"]:
        item["body"]["M"]["version"] = {"N": str(number)}
    return item


def content(item):
    """What a record says, without how often it was written."""
    body = {name: value for name, value in item["body"]["M"].items() if name != "version"}
    return body


def merged(then, now):
    """What is to be written in the place of `now` (none if it is gone), with the reason; or nothing."""
    if kind(then) not in AS_IT_WAS | IF_GONE or not is_readable(then):
        return None
    if now is None:
        return then, "it is gone"
    if not is_readable(now):
        return written_at(then, version(then) + 1), "it cannot be read"
    if kind(then) in AS_IT_WAS and content(then) != content(now):
        return written_at(then, max(version(then), version(now)) + 1), "it was changed"
    if kind(then) == "SNAPSHOT" and hold(then) and not hold(now):
        item = written_at(now, version(now) + 1)
        item["body"]["M"]["hold"] = {"M": hold(then)}
        return {**item, **HELD}, "its hold is gone"
    return None


def key(item):
    return {"pk": item["pk"], "sk": item["sk"]}


def every(client, table):
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def put(client, table, item, now):
    """Writes an item if nobody has written it since it was looked at."""
    if now is None:
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    elif "version" in now:
        values = {":version": now["version"]}
        condition = {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}
    else:
        condition = {"ConditionExpression": "attribute_not_exists(version)"}
    try:
        client.put_item(TableName=table, Item=item, **condition)
        return True
    except client.exceptions.ConditionalCheckFailedException:
        return False


def main():
    # Only here, so that the rules can be checked without it.
    import boto3

    arguments = [one for one in sys.argv[1:] if one != "--write"]
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    then_table, now_table = arguments
    client, counts, failed = boto3.client("dynamodb"), {}, 0
    for then in every(client, then_table):
        now = client.get_item(TableName=now_table, Key=key(then), ConsistentRead=True).get("Item")
        change = merged(then, now)
        if change is None:
            continue
        item, why = change
        counts[kind(then), why] = counts.get((kind(then), why), 0) + 1
        print(f"{then['pk']['S']} {then['sk']['S']}: {why}")
        if "--write" in sys.argv and not put(client, now_table, item, now):
            failed += 1
            print("  somebody has written it meanwhile; run this again")
    for (what, why), count in sorted(counts.items()):
        print(f"{what}: {count}, {why}")
    if "--write" not in sys.argv:
        print("nothing was written; --write does it")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
