//! A plan over combs is the plan over records, and what a sweep writes is a whole record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::domain::ids::{EbsSnapshotId, ImageId, InstanceId};
use shared::domain::snapshot::{Extent, Snapshot};
use shared::domain::sweep::brake::tally::Tallies;
use shared::domain::sweep::plan::again::rescues;
use shared::domain::sweep::plan::{PlanEntry, World, plan};
use shared::table::{Presence, SnapshotList};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::regions::{OTHER, two_regions};
use crate::support::reply::text;
use crate::support::sweeps::{register_image, sweep, with_twenty};

/// What a sweep would decide over these.
type Decided = (Vec<PlanEntry>, Tallies, BTreeSet<String>);

async fn decided(app: &App, snapshots: &[Snapshot], now: Timestamp) -> Decided {
    let schedules = app.service().table.every_schedule().await.unwrap();
    let used = snapshots.iter().flat_map(|one| one.members.iter().map(move |it| (one, it)));
    let in_use: BTreeMap<EbsSnapshotId, ImageId> = used
        .filter_map(|(one, it)| {
            Some((it.ebs_snapshot_id.clone(), one.image_ids().first()?.clone()))
        })
        .collect();
    let nobody: BTreeSet<InstanceId> = BTreeSet::new();
    let world = World {
        schedules: &schedules,
        snapshots,
        in_use: &in_use,
        gone: &nobody,
        absent: &nobody,
        failed_kept: app.service().settings.failed_kept,
        now,
    };
    let entries = plan(&world);
    let tallies = Tallies::of(&entries, snapshots);
    let rescued = rescues(&world).into_iter().map(|(id, reason)| format!("{id} {reason}"));
    let rescued = rescued.collect();
    (entries, tallies, rescued)
}

/// All that lists show, in the order of records; by the combs, and by the records.
async fn both(app: &App) -> (Vec<Snapshot>, Vec<Snapshot>) {
    let table = &app.service().table;
    let (by_combs, unreadable) = table.every_comb().await.unwrap().into_parts();
    assert!(unreadable.is_empty());
    let by_records = table.every_snapshot(&SnapshotList::All(Presence::Here)).await.unwrap();
    (by_combs, by_records)
}

#[tokio::test]
async fn a_plan_over_combs_is_the_plan_over_records() {
    let app = two_regions().await;
    let instances = ["web", "db", "old"].map(|name| app.instance(name, 2));
    let of: Vec<_> = instances.iter().map(String::as_str).collect();
    let body = json!({
        "name": "copied", "expression": "rate(10 minutes)", "targets": { "instance_ids": of },
        "retention": { "keep_last": 2 }, "copies": [{ "region": OTHER, "retention": { "keep_last": 1 } }],
    });
    app.call("POST", "/v1/schedules", body).await.expect(201);
    app.pass_minutes(45).await;
    app.ec2.fault(Fault::on("CreateSnapshots").member_fails().times(1));
    app.pass_minutes(30).await;
    let held = app.take_snapshot(&instances[0]).await;
    let never = json!({ "hold": { "type": "never", "reason": "audit" } });
    app.call("PATCH", &format!("/v1/snapshots/{held}"), never).await.expect(200);
    register_image(&app, &held);
    let expires = json!({ "instance_id": instances[1], "expires_at": app.now() + SignedDuration::from_hours(2) });
    app.call("POST", "/v1/snapshots", expires).await.expect(202);
    app.pass_minutes(5).await;

    let (by_combs, by_records) = both(&app).await;

    let ids = |all: &[Snapshot]| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&by_combs), ids(&by_records));
    // What is on its way is read whole: each step would write its short form anew.
    let is_settled = |one: &Snapshot| ["available", "error"].contains(&one.status.as_str());
    assert!(by_combs.iter().all(|one| is_settled(one) == (one.extent == Extent::Short)));
    assert!(by_combs.iter().any(is_settled) && !by_combs.iter().all(is_settled));
    assert!(by_records.iter().all(|one| one.extent == Extent::Whole));
    assert!(by_records.iter().any(|one| one.copied_to().is_some()));
    for hours in [0, 1, 3, 1_000] {
        let now = app.now() + SignedDuration::from_hours(hours);
        let wanted = decided(&app, &by_records, now).await;
        assert!(wanted.0.len() > 10);
        assert_eq!(decided(&app, &by_combs, now).await, wanted, "after {hours} hours");
    }
}

#[tokio::test]
async fn what_has_no_comb_or_no_numbers_is_planned_over_as_well() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.take_snapshot(&instance).await);
    }
    // As an earlier version wrote it; and an instance whose numbers were lost.
    app.forget_attribute(&ids[1], shared::table::keys::COMB).await;
    let (one_whole, _) = both(&app).await;
    app.forget_partition("STATISTICS#INSTANCE").await;
    let (all_whole, by_records) = both(&app).await;

    let whole = |all: &[Snapshot]| all.iter().filter(|one| one.extent == Extent::Whole).count();
    assert_eq!((one_whole.len(), whole(&one_whole)), (3, 1));
    assert_eq!(all_whole, by_records);
}

#[tokio::test]
async fn the_table_takes_no_write_of_what_was_read_in_short_form() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let table = &app.service().table;
    let (combs, _) = both(&app).await;

    let short = combs.into_iter().next().unwrap();
    let next = Snapshot { version: short.version + 1, ..short.clone() };
    table.update_snapshot(&short, &next).await.unwrap_err();
    table.insert_snapshot(&short).await.unwrap_err();

    assert_eq!(app.record(&id).await.version, short.version);
}

#[tokio::test]
async fn what_a_sweep_notes_and_rescues_keeps_all_of_its_record() {
    let app = App::start().await;
    let (id, path) = with_twenty(&app).await;
    let edit = json!({ "retention": { "keep_last": 15 }, "grace_minutes": 300 });
    app.call("PATCH", &path, edit).await.expect(200);
    let oldest = app.list("/v1/snapshots?sort=created_at&limit=1").await;
    let used = text(&oldest[0], "id").to_owned();
    let described = json!({ "description": "what no rule reads" });
    app.call("PATCH", &format!("/v1/snapshots/{used}"), described).await.expect(200);
    register_image(&app, &used);
    sweep(&app, "execute").await;
    let noted = app.record(&used).await;
    let condemned = app.list("/v1/snapshots?status=condemned").await;

    // The rules keep all of them again: the next sweep rescues what it has condemned.
    let rules = json!({ "retention": { "keep_last": 50 } });
    app.call("PATCH", &format!("/v1/schedules/{id}"), rules).await.expect(200);
    app.pass_minutes(11).await;
    sweep(&app, "execute").await;

    assert!(noted.ending.blocked.is_some() && !noted.image_ids().is_empty());
    assert_eq!(noted.description.as_deref(), Some("what no rule reads"));
    assert!(noted.source.instance_type.is_some() && noted.course.attempt.is_some());
    assert_eq!(condemned.len(), 4);
    for one in &condemned {
        let record = app.record(text(one, "id")).await;
        assert_eq!(record.status.as_str(), "available");
        assert!(record.source.instance_type.is_some() && record.course.attempt.is_some());
    }
}
