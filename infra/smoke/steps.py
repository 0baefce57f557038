"""The steps of the smoke test, in their order. Each raises what went wrong, and comes back with how it showed."""

import json
import time
import uuid

from botocore.exceptions import ClientError

OURS = {"snapkeep:managed-by": "snapkeep"}


class Skipped(Exception):
    """It cannot be tried in this place."""


def until(what, find, minutes=15):
    """Asks again and again until there is an answer."""
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(1)
    raise AssertionError(f"{what} did not come within {minutes} minutes")


def refused(call, **parameters):
    """The code with which EC2 refuses a call, which must be that of a missing right."""
    try:
        call(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code == "UnauthorizedOperation", f"it was refused with {code}, and not for its rights"
        return code
    raise AssertionError("it was allowed")


def rehearsed(call, **parameters):
    """That EC2 would do it."""
    try:
        call(**parameters, DryRun=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code == "DryRunOperation", f"{code}: {error.response['Error']['Message']}"
        return code
    raise AssertionError("a dry run did something")


def specified(kind, tags):
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def answers(place):
    """It answers without a token where that is open, and nowhere else."""
    assert place.api("GET", "/v1/health", token=False)[0] == 200
    status, _ = place.api("GET", "/v1/snapshots", token=False)
    assert status == 401, status
    return "200 and 401"


def signs_in(place):
    """Whoever signs in has the role of their group or scope."""
    status, me = place.api("GET", "/v1/me")
    assert status == 200 and me["role"] == "admin", (status, me)
    return f"{me['role']}"


def hears_no_page(place):
    """A page of another origin is not heard."""
    status = place.as_a_hostile_page()
    if status is None:
        raise Skipped("in AWS no page has a token of ours")
    assert status == 403, status
    return "403"


def takes(place):
    """A snapshot is taken and becomes available."""
    place.instance = place.find_instance()
    status, made = place.api("POST", "/v1/snapshots", {"instance_id": place.instance, "name": "smoke"})
    assert status == 202, made
    place.snapshot = made["id"]
    shown = until("the snapshot", lambda: place.available(made["id"]))
    place.member = shown["volumes"][0]["ebs_snapshot_id"]
    return place.member


def copies(place):
    """A schedule's snapshot is copied to a second region."""
    body = {
        "name": f"smoke {uuid.uuid4()}", "expression": "rate(7 days)",
        "targets": {"instance_ids": [place.instance]}, "retention": {"keep_last": 1},
        "copies": [{"region": place.second_region, "retention": {"keep_last": 1}}],
    }
    status, schedule = place.api("POST", "/v1/schedules", body)
    assert status == 201, schedule
    place.schedule = schedule["id"]
    status, run = place.api("POST", f"/v1/schedules/{place.schedule}/runs", {})
    assert status == 202, run

    def copied():
        _, page = place.api("GET", "/v1/snapshots?origin=copy&status=available")
        return page["items"]

    copy = until("the copy", copied)[0]
    assert copy["region"] == place.second_region, copy["region"]
    return copy["id"]


def refuses_a_foreign_copy(place):
    """The restorer cannot copy a snapshot that is not ours, and can copy ours."""
    foreign = place.foreign_snapshot()
    tags = {**OURS, "snapkeep:installation": place.installation, "snapkeep:id": "snp_smoke", "snapkeep:copy-of": "snp_smoke"}
    common = {"SourceRegion": place.region, "TagSpecifications": specified("snapshot", tags)}
    restorer = place.ec2("Restorer")
    code = refused(restorer.copy_snapshot, SourceSnapshotId=foreign, **common)
    rehearsed(restorer.copy_snapshot, SourceSnapshotId=place.member, **common)
    return code


def refuses_an_untagged_copy(place):
    """The restorer cannot copy ours as nobody's."""
    return refused(place.ec2("Restorer").copy_snapshot, SourceRegion=place.region, SourceSnapshotId=place.member)


def refuses_an_untagged_snapshot(place):
    """The snapshotter cannot take a snapshot without our tags, and can with them."""
    snapshotter = place.ec2("Snapshotter")
    instance = {"InstanceSpecification": {"InstanceId": place.instance}}
    code = refused(snapshotter.create_snapshots, **instance)
    tags = {**OURS, "snapkeep:installation": place.installation, "snapkeep:id": "snp_smoke"}
    rehearsed(snapshotter.create_snapshots, TagSpecifications=specified("snapshot", tags), **instance)
    return code


def refuses_a_deletion(place):
    """The reaper cannot delete what is not condemned."""
    return refused(place.ec2("Reaper").delete_snapshot, SnapshotId=place.member)


def refuses_a_mark(place):
    """The reaper cannot condemn."""
    tags = [{"Key": "snapkeep:state", "Value": "condemned"}]
    return refused(place.ec2("Reaper").create_tags, Resources=[place.member], Tags=tags)


def refuses_another_region(place):
    """No function acts in a region that is not looked after."""
    return refused(place.ec2("Api", "ap-southeast-1").describe_snapshots, OwnerIds=["self"])


def deletes_a_schedule(place):
    """A schedule is deleted, with its audit in one transaction."""
    status, answer = place.api("DELETE", f"/v1/schedules/{place.schedule}")
    assert status in (200, 204), answer
    assert place.api("GET", f"/v1/schedules/{place.schedule}")[0] == 404
    return str(status)


def restores(place):
    """New volumes are made of the snapshot, in a drill that removes them again."""
    status, drill = place.api("POST", f"/v1/snapshots/{place.snapshot}/drill", {})
    assert status == 202, drill

    def ended():
        _, shown = place.api("GET", f"/v1/restores/{drill['id']}")
        return shown if shown["status"] in ("done", "failed") else None

    shown = until("the drill's end", ended)
    assert shown["status"] == "done", json.dumps(shown.get("failure"))
    return "done"


def tells(place):
    """A notification with quotes in it arrives as it was written."""
    message = place.notification('the snapshot "smoke \\ test" failed')
    if message is None:
        raise Skipped("there is no mail on one machine")
    assert '"smoke \\ test"' in message, message
    return message.splitlines()[0]


def alarms(place):
    """An alarm arrives at the same topic."""
    message = place.alarm("BrakeAlarm")
    if message is None:
        raise Skipped("there are no alarms on one machine")
    assert "BrakeAlarm" in message, message
    return "it arrived"


def deletes(place):
    """What a person deletes by name is gone."""
    _, page = place.api("GET", "/v1/snapshots?limit=200")
    for one in page["items"]:
        if one["instance_id"] == place.instance:
            status, answer = place.api("DELETE", f"/v1/snapshots/{one['id']}")
            assert status == 202, answer

    def gone():
        _, left = place.api("GET", f"/v1/snapshots?instance_id={place.instance}")
        return not left["items"]

    until("the end of the deletions", gone)
    return f"{len(page['items'])} of them"


ALL = [
    answers, signs_in, hears_no_page, takes, copies, refuses_a_foreign_copy, refuses_an_untagged_copy,
    refuses_an_untagged_snapshot, refuses_a_deletion, refuses_a_mark, refuses_another_region, restores,
    deletes_a_schedule, tells, alarms, deletes,
]
