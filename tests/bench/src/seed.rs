//! What is there before something is measured: instances, a schedule, and as many snapshots as are wanted.
//!
//! The first snapshot of each instance is taken by the functions. The others are repetitions of it, of the hours before,
//! with EBS snapshots, pointers, audit and numbers of their own.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::snapshot::member::Member;
use shared::domain::snapshot::{Course, ScheduleSlot, Snapshot, Status};
use shared::domain::tags::{ID, SLOT};
use shared::table::{Presence, SnapshotList};
use sim_ec2::{InstanceSpec, SeedVolume};

use crate::say::hint;
use crate::stage::{REGION, Stage};

/// The tag that the schedule goes by.
const TAG: (&str, &str) = ("Backup", "daily");
/// When the first snapshots are taken: two minutes after a stage begins.
const FIRST_SLOT: &str = "2026-03-02T10:02:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Instances that the schedule takes, with so many volumes each.
pub(crate) fn instances(stage: &Stage, instances: usize, volumes: usize) {
    for number in 0..instances {
        let mut spec = InstanceSpec::named(&format!("web-{number}")).tag(TAG.0, TAG.1);
        spec.volumes = ('a'..='z')
            .take(volumes)
            .map(|letter| SeedVolume::new(&format!("/dev/sd{letter}"), 8))
            .collect();
        stage.ec2.add_instance(spec);
    }
}

/// A schedule of all of them; its id.
pub(crate) async fn schedule(stage: &Stage, expression: &str, retention: Value) -> String {
    let body = json!({
        "name": "all", "expression": expression, "retention": retention,
        "targets": { "tags": { "all_of": [{ "key": TAG.0, "value": TAG.1 }] } },
    });
    let (status, made) = stage.ask("POST", "/v1/schedules", &body).await;
    assert_eq!(status, 201, "{made:#}");
    made["id"].as_str().unwrap().to_owned()
}

/// The slot of [`DAILY`].
pub(crate) fn first_slot() -> Timestamp {
    FIRST_SLOT.parse().unwrap()
}

/// An expression whose next slot is [`first_slot`], and that fires once a day.
pub(crate) const DAILY: &str = "cron(2 10 * * ? *)";

/// Instances with snapshots: of each so many, an hour apart, all available.
pub(crate) async fn snapshots(
    stage: &Stage,
    (count, volumes): (usize, usize),
    of_each: usize,
    retention: Value,
) {
    instances(stage, count, volumes);
    schedule(stage, DAILY, retention).await;
    stage.pass_to(first_slot()).await;
    let is_taken = || stage.ec2.snapshots().len() == count * volumes;
    let end = first_slot() + SignedDuration::from_hours(12);
    assert!(stage.pass_until(end, is_taken).await, "they are taken");
    // Completed, and settled by a sweep and a reconciliation of the next hour.
    stage.pass_to(stage.now() + SignedDuration::from_mins(65)).await;
    let table = &stage.owner().table;
    let list = SnapshotList::All(Presence::Here);
    let taken = stage.drive(table.every_snapshot(&list)).await.unwrap();
    assert_eq!(taken.len(), count);
    assert!(taken.iter().all(|one| one.status == Status::Available));
    hint(format!("{count} taken; each is repeated {} times", of_each - 1));
    let mut number = 0;
    for back in 1..of_each {
        for like in &taken {
            repeat(stage, like, back, &mut number).await;
        }
    }
    let end = first_slot() + SignedDuration::from_hours(24);
    assert!(stage.now() < end, "the next slot has not come");
}

/// A snapshot like this one, so many hours before it.
async fn repeat(stage: &Stage, like: &Snapshot, hours: usize, number: &mut u64) {
    let back = HOUR * i32::try_from(hours).unwrap();
    let slot = like.slot.as_ref().unwrap();
    let slot = ScheduleSlot { schedule_id: slot.schedule_id.clone(), slot: slot.slot - back };
    let id = slot.snapshot_id(&like.source.instance_id);
    let member = |member: &Member| {
        *number += 1;
        let ebs = format!("snap-{number:017x}");
        let slot = slot.slot.to_string();
        let tags = [(ID, id.as_str()), (SLOT, slot.as_str())];
        stage.ec2.repeat_snapshot((REGION, member.ebs_snapshot_id.as_str()), (&ebs, back), &tags);
        Member { ebs_snapshot_id: ebs.parse().unwrap(), ..member.clone() }
    };
    let earlier = |at: Timestamp| at - back;
    let members = like.members.iter().map(member).collect();
    let repeated = Snapshot {
        id,
        version: 1,
        slot: Some(slot),
        members,
        created_at: earlier(like.created_at),
        started_at: like.started_at.map(earlier),
        course: Course {
            completed_at: like.course.completed_at.map(earlier),
            touched_at: earlier(like.course.touched_at),
            ..like.course.clone()
        },
        ..like.clone()
    };
    let written = stage.drive(stage.owner().table.update_members(None, &repeated)).await.unwrap();
    assert!(written.is_done());
}
