#!/usr/bin/env python3
"""The rules of restore_table.py, case by case. The last line is `N passed, N failed`.

Usage: python infra/check_restore_table.py
"""

import sys

from restore_table import HELD, hold, merged, version

FOREVER = {"kind": {"M": {"type": {"S": "never"}}}, "by": {"S": "ada"}}


def record(pk, number=3, **body):
    fields = {"id": {"S": "x"}, "version": {"N": str(number)}, **body}
    return {
        "pk": {"S": pk}, "sk": {"S": "x"}, "schema": {"N": "1"}, "version": {"N": str(number)}, "body": {"M": fields},
    }


def cases():
    held = record("SNAPSHOT#snp_1", hold={"M": FOREVER})
    free = record("SNAPSHOT#snp_1", 7, status={"S": "available"}, hold={"NULL": True})
    item, why = merged(held, free)
    yield "a hold that was there then is there again", hold(item) == FOREVER and why == "its hold is gone"
    yield "what else the record says stays as it is now", item["body"]["M"]["status"] == {"S": "available"}
    yield "it is listed among the held", item["held_pk"] == HELD["held_pk"]
    yield "the write has the next number, in both places", version(item) == 8 and item["body"]["M"]["version"] == {"N": "8"}
    until = record("SNAPSHOT#snp_1", hold={"M": {"kind": {"M": {"type": {"S": "until"}}}}})
    yield "a hold that is there now stays as it is", merged(held, until) is None
    yield "a hold that came later stays", merged(free, held) is None
    yield "a snapshot that is as it was is not written", merged(free, free) is None
    condemned = record("SNAPSHOT#snp_1", status={"S": "condemned"})
    yield "nothing is condemned by it", merged(condemned, free) is None
    yield "a record that is gone is back as it was", merged(held, None) == (held, "it is gone")
    broken = {name: value for name, value in free.items() if name != "body"}
    yield "one that cannot be read is as it was", merged(held, broken)[1] == "it cannot be read"
    old, new = record("SCHEDULES", 3, name={"S": "old"}), record("SCHEDULES", 9, name={"S": "new"})
    yield "a schedule is as it was", merged(old, new)[0]["body"]["M"]["name"] == {"S": "old"}
    yield "its next write is after both", version(merged(old, new)[0]) == 10
    yield "a schedule that is as it was is not written", merged(old, {**old, "version": {"N": "5"}}) is None
    yield "a restore that has gone on stays as it is", merged(record("RESTORES"), record("RESTORES", 9)) is None
    for pk in ["AUDIT#2026-03-02", "OUTBOX", "STATISTICS#DAY", "FINDINGS", "META", "TURN#i-1", "IDEMPOTENCY#a#b", "GONE"]:
        yield f"{pk} is left alone", merged(record(pk), None) is None
    unreadable = {**held, "schema": {"N": "2"}}
    yield "what this does not know it does not write", merged(unreadable, None) is None


def main():
    results = list(cases())
    failed = [what for what, passed in results if not passed]
    for what in failed:
        print(f"FAILED {what}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
