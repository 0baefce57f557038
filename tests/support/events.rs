//! The events that functions get, as AWS sends them.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::snapshot::ScheduleSlot;

/// The tick of a scheduled rule.
pub(crate) fn tick(at: Timestamp) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "123456789012", "time": at, "region": "us-east-1", "resources": [], "detail": {},
    })
}

/// The event with which a sweep is asked for, or released.
pub(crate) fn sweep_requested(id: &str) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "SweepRequested", "source": "snapkeep",
        "account": "123456789012", "time": "2026-03-02T10:00:30Z", "region": "us-east-1",
        "resources": [], "detail": { "sweep_id": id },
    })
}

/// The batch with which a snapshot is asked for.
pub(crate) fn requested(id: &str, instance: &str) -> Value {
    let targets = json!([{ "snapshot_id": id, "instance_id": instance }]);
    batch("SnapshotRequested", &json!({ "targets": targets }))
}

/// The batch with which a run asks for the snapshot of one of its targets.
pub(crate) fn requested_by_run(run: &ScheduleSlot, instance: &str) -> Value {
    let id = run.snapshot_id(&instance.parse().unwrap());
    let targets = json!([{ "snapshot_id": id, "instance_id": instance }]);
    let run = json!({ "schedule_id": run.schedule_id, "slot": run.slot });
    batch("SnapshotRequested", &json!({ "run": run, "targets": targets }))
}

/// The batch that says that a condemned snapshot is due.
pub(crate) fn due(id: &str) -> Value {
    batch("SnapshotDeletionDue", &json!({ "snapshot_ids": [id] }))
}

/// The batch that says that an image has something to do.
pub(crate) fn image_due(id: &str) -> Value {
    batch("JobDue", &json!({ "kind": "image", "id": id }))
}

/// The batch that says that a restore has something to do.
pub(crate) fn job_due(id: &str) -> Value {
    batch("JobDue", &json!({ "kind": "restore", "id": id }))
}

/// The batch that says that there are copies to make to a region.
pub(crate) fn copies_due(region: &str) -> Value {
    batch("JobDue", &json!({ "kind": "copies", "id": region }))
}

fn batch(detail_type: &str, detail: &Value) -> Value {
    let event = json!({
        "version": "0", "id": "1", "source": "snapkeep", "account": "123456789012",
        "detail-type": detail_type, "time": "2026-03-02T10:00:30Z",
        "region": "us-east-1", "resources": [], "detail": detail,
    });
    json!({ "Records": [{ "messageId": "1", "body": event.to_string() }] })
}
