"""A walk through the API with the client that openapi-python-client makes of its document: walk.py URL.

Nothing here knows a path or a field that the document does not name.
"""

import sys
import time

from snapkeep_client import Client
from snapkeep_client.api.instances import list_instances, show_comb
from snapkeep_client.api.overview import list_todo, search_everything
from snapkeep_client.api.restores import restore_snapshot, show_restore
from snapkeep_client.api.schedules import create_schedule, delete_schedule, edit_schedule, list_upcoming_fires
from snapkeep_client.api.snapshots import change_snapshots, create_snapshot, list_snapshots, show_snapshot
from snapkeep_client.api.sweeps import request_sweep, show_sweep
from snapkeep_client import models

URL = sys.argv[1]
client = Client(base_url=URL, raise_on_unexpected_status=True)


def until(what, look, seconds=90):
    """Looks until it is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if what(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


def snapshots():
    """Taken, looked at, listed with a filter, held with others after a preview, and found."""
    instance = next(one for one in list_instances.sync(client=client, eligible=True).items if one.volumes)
    wanted = models.CreateSnapshot(instance_id=instance.id, name="by a generated client")
    asked = create_snapshot.sync(client=client, body=wanted)
    assert isinstance(asked, models.Snapshot), asked
    assert asked.completed_at is None
    done = until(
        lambda one: one.status == models.SnapshotStatus.AVAILABLE,
        lambda: show_snapshot.sync(asked.id, client=client),
    )
    assert done.completed_at is not None and done.fate.outlook == models.FateOutlook.NEVER
    listed = list_snapshots.sync(client=client, status=[models.ListSnapshotsStatusItem.AVAILABLE])
    assert done.id in [one.id for one in listed.items] and listed.items[0].fate is None
    hold = models.ChangeSnapshots(
        snapshot_ids=[done.id],
        action=models.BatchAction.HOLD,
        hold=models.PlaceHold(type_=models.HoldType.NEVER, reason="a generated client holds it"),
    )
    said = change_snapshots.sync(client=client, body=hold, preview=True)
    assert said.counts.done == 1 and show_snapshot.sync(done.id, client=client).hold is None
    change_snapshots.sync(client=client, body=hold)
    assert show_snapshot.sync(done.id, client=client).hold.type_ == models.HoldType.NEVER
    found = search_everything.sync(client=client, q=done.volumes[0].ebs_snapshot_id)
    assert [hit.type_ for hit in found.items] == [models.SearchHitType.EBS_SNAPSHOT]
    comb = show_comb.sync(instance.id, client=client)
    assert done.id in [tooth.snapshot_id for tooth in comb.items]
    return done


def restores(snapshot):
    """A restore into new volumes: the defaults of the client must not be what the mode refuses."""
    wanted = models.RequestRestore(confirm=snapshot.id, mode=models.RestoreMode.NEW_VOLUMES)
    asked = restore_snapshot.sync(snapshot.id, client=client, body=wanted)
    assert isinstance(asked, models.Restore), asked
    done = until(lambda one: one.finished_at is not None, lambda: show_restore.sync(asked.id, client=client))
    assert done.volumes[0].volume_id is not None


def schedules():
    """Made, edited after a preview, and deleted."""
    instance = list_instances.sync(client=client).items[0]
    wanted = models.CreateSchedule(
        name="of a generated client",
        expression="rate(1 hour)",
        targets=models.WantedTargets(instance_ids=[instance.id]),
        retention=models.Retention(keep_last=3),
    )
    made = create_schedule.sync(client=client, body=wanted)
    fires = list_upcoming_fires.sync(client=client, hours=2)
    assert made.id in [fire.schedule_id for fire in fires.items]
    edit = models.EditSchedule(when_gone=models.WhenGoneKeepLast(type_=models.WhenGoneKeepLastType.KEEP_LAST, count=2))
    said = edit_schedule.sync(made.id, client=client, body=edit, preview=True)
    assert isinstance(said, models.EditPreview), said
    edited = edit_schedule.sync(made.id, client=client, body=edit)
    assert isinstance(edited, models.CheckedSchedule), edited
    assert edited.when_gone.count == 2
    delete_schedule.sync_detailed(made.id, client=client)


def sweeps():
    """Planned, and its plan read by verdict."""
    asked = request_sweep.sync(client=client, body=models.RequestSweep(mode=models.SweepMode.PLAN_ONLY))
    done = until(
        lambda one: one.status == models.SweepStatus.PLANNED, lambda: show_sweep.sync(asked.id, client=client)
    )
    kept = show_sweep.sync(done.id, client=client, verdict=[models.ShowSweepVerdictItem.KEEP])
    assert len(kept.plan.items) == done.planned.keep


def errors():
    """An error is a problem of a known type."""
    refused = create_snapshot.sync(client=client, body=models.CreateSnapshot(instance_id="i-0123456789abcdef0"))
    assert isinstance(refused, models.Problem), refused
    assert refused.type_ == models.ProblemType.URNSNAPKEEPPROBLEMNOT_FOUND


snapshot = snapshots()
restores(snapshot)
schedules()
sweeps()
errors()
assert list_todo.sync(client=client).items is not None
print("the generated client has walked through")
