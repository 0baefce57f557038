//! Death at every call of creation and deletion, before it has an effect and after; then life goes on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::snapshot::Status;
use sim_ec2::{InstanceSpec, InstanceState, SeedVolume};

use crate::support::app::App;
use crate::support::events::{due, requested, sweep_requested, tick};
use crate::support::reply::text;
use crate::support::sweeps::{approve, outcomes, register_image, sweep};
use crate::support::tripwire::at_every_call;

#[tokio::test]
async fn creation_survives_death_at_every_call() {
    let calls = at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let id = app.request_snapshot(&instance).await;
        let event = requested(&id, &instance);
        let clock = app.function_clock();

        let work = Box::pin(snapshotter::handle(&app.fragile, &clock, event.clone()));
        let alive = app.wire.run(trip, work).await.is_some();
        // SQS delivers again; whatever else the event has caused goes on as well.
        app.pass(SignedDuration::from_mins(61)).await;

        let record = app.record(&id).await;
        assert_eq!(record.status, Status::Available, "{trip:?}");
        assert_eq!(app.sets(), [(id, 2)].into(), "{trip:?}");
        alive
    })
    .await;

    assert!(calls >= 4, "{calls} calls: read, instances, claim, create, record");
}

#[tokio::test]
async fn a_tick_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instances = [app.instance("web", 1), app.instance("db", 2)];
        let names: Vec<_> = instances.iter().map(String::as_str).collect();
        let id = app.schedule("cron(2 10 * * ? *)", &names, Value::Null).await;
        let slot: Timestamp = "2026-03-02T10:02:00Z".parse().unwrap();
        app.clock.set(slot);

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(slot)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        let snapshots = app.list("/v1/snapshots").await;
        assert_eq!(snapshots.len(), 2, "{trip:?}");
        assert!(snapshots.iter().all(|one| one["status"] == "available"), "{trip:?}");
        assert_eq!(app.ec2.calls()["CreateSnapshots"], 2, "{trip:?}");
        let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
        assert_eq!(runs.len(), 1, "{trip:?}");
        assert_eq!(runs[0]["status"], "done", "{trip:?}");
        alive
    })
    .await;
}

/// A run that is spread over three minutes dies in the tick of `minute`, counted from its slot.
async fn spread_run_survives_death_in(minute: i64) {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instances: Vec<_> = (0..3).map(|_| app.instance("web", 1)).collect();
        let body = json!({
            "name": "spread", "expression": "cron(2 10 * * ? *)", "spread_minutes": 3,
            "targets": { "instance_ids": instances },
        });
        let schedule = app.call("POST", "/v1/schedules", body).await.expect(201);
        let slot: Timestamp = "2026-03-02T10:02:00Z".parse().unwrap();
        let now = slot + SignedDuration::from_mins(minute);
        app.pass(now.duration_since(app.now()) - SignedDuration::from_secs(1)).await;
        app.clock.set(now);

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(now)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        let runs = app.list(&format!("/v1/schedules/{}/runs", text(&schedule, "id"))).await;
        assert_eq!(runs.len(), 1, "{trip:?}");
        assert_eq!(runs[0]["status"], "done", "{trip:?}");
        assert_eq!(runs[0]["counts"]["succeeded"], 3, "{trip:?}");
        assert_eq!(app.ec2.calls()["CreateSnapshots"], 3, "{trip:?}");
        assert_eq!(app.sets().len(), 3, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn a_spread_run_survives_death_in_its_first_tick() {
    spread_run_survives_death_in(0).await;
}

#[tokio::test]
async fn a_spread_run_survives_death_in_its_second_tick() {
    spread_run_survives_death_in(1).await;
}

#[tokio::test]
async fn a_spread_run_survives_death_in_its_last_tick() {
    spread_run_survives_death_in(2).await;
}

#[tokio::test]
async fn a_skipped_target_stays_skipped_whoever_dies() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let mut large = InstanceSpec::named("db");
        // A good quarter of an hour.
        large.volumes = vec![SeedVolume::new("/dev/sda", 9_000)];
        let instances = [app.ec2.add_instance(large), app.instance("web", 1)];
        let names: Vec<_> = instances.iter().map(String::as_str).collect();
        let id = app.schedule("cron(2,12 10 * * ? *)", &names, Value::Null).await;
        let slot: Timestamp = "2026-03-02T10:12:00Z".parse().unwrap();
        app.pass(slot.duration_since(app.now()) - SignedDuration::from_secs(1)).await;
        app.clock.set(slot);

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(slot)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(30).await;

        let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
        let statuses: Vec<_> = runs.iter().map(|run| text(run, "status")).collect();
        assert_eq!(statuses, ["partly_failed", "done"], "{trip:?}");
        assert_eq!(runs[0]["counts"]["skipped"], 1, "{trip:?}");
        assert_eq!(app.ec2.calls()["CreateSnapshots"], 3, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn catching_up_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let id = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
        // Five slots are missed, the sixth is caught up with.
        let now: Timestamp = "2026-03-02T11:05:00Z".parse().unwrap();
        app.clock.set(now);

        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(now)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(5).await;

        let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
        let statuses: Vec<_> = runs.iter().map(|run| text(run, "status")).collect();
        let expected = ["done", "missed", "missed", "missed", "missed", "missed"];
        assert_eq!(statuses, expected, "{trip:?}");
        assert_eq!(app.ec2.calls()["CreateSnapshots"], 1, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn a_deletion_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 2);
        let old = app.take_snapshot(&instance).await;
        let new = app.take_snapshot(&instance).await;
        app.call("DELETE", &format!("/v1/snapshots/{old}?grace_minutes=1"), Value::Null)
            .await
            .expect(202);
        app.clock.advance(SignedDuration::from_mins(1));

        let clock = app.function_clock();
        let work = Box::pin(reaper::handle(&app.fragile, &clock, due(&old)));
        let alive = app.wire.run(trip, work).await.is_some();
        app.pass_minutes(61).await;

        assert_eq!(app.record(&old).await.status, Status::Deleted, "{trip:?}");
        assert_eq!(app.record(&new).await.status, Status::Available, "{trip:?}");
        assert_eq!(app.sets(), [(new, 2)].into(), "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn a_sweep_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        app.schedule("rate(5 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
        app.pass_minutes(27).await;
        let before = app.list("/v1/snapshots?status=available").await.len();
        let now = app.now();

        let clock = app.function_clock();
        let work = Box::pin(sweeper::handle(&app.fragile, &clock, tick(now)));
        let alive = app.wire.run(trip, work).await.is_some();
        // Lambda tries again with the same event.
        sweeper::handle(app.service(), &app.function_clock(), tick(now)).await.unwrap();

        let kept = app.list("/v1/snapshots?status=available").await.len();
        let condemned = app.list("/v1/snapshots?status=condemned").await.len();
        assert_eq!((before, kept, condemned), (5, 2, 3), "{trip:?}");
        app.skip_hour().await;
        let deleted = app.list("/v1/snapshots?status=deleted").await.len();
        assert!(deleted >= 3, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn what_a_sweep_notes_survives_death_at_every_call() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let [web, db, cache] = ["web", "db", "cache"].map(|name| app.instance(name, 1));
        let body = json!({
            "name": "x", "expression": "rate(5 minutes)",
            "targets": { "instance_ids": [web, db, cache] },
            "retention": { "keep_last": 2 },
            "when_gone": { "type": "keep_last", "count": 4 },
        });
        app.call("POST", "/v1/schedules", body).await.expect(201);
        app.pass_minutes(27).await;
        // An image in the way; one instance gone, one not there at the first look, one that is there again.
        let first = app.list(&format!("/v1/snapshots?instance_id={web}&sort=created_at")).await;
        register_image(&app, text(&first[0], "id"));
        let since = app.now() - SignedDuration::from_mins(20);
        for id in [&db, &web] {
            _ = app.service().table.note_first_look(&id.parse().unwrap(), since).await.unwrap();
        }
        for id in [&db, &cache] {
            app.ec2.set_instance_state(id, InstanceState::Terminated);
        }
        let now = app.now();

        let clock = app.function_clock();
        let work = Box::pin(sweeper::handle(&app.fragile, &clock, tick(now)));
        let alive = app.wire.run(trip, work).await.is_some();
        sweeper::handle(app.service(), &app.function_clock(), tick(now)).await.unwrap();

        let looks = app.service().table.first_looks().await.unwrap();
        let mut looked: Vec<_> = looks.into_keys().map(|id| id.to_string()).collect();
        let mut expected = vec![db.clone(), cache.clone()];
        looked.sort();
        expected.sort();
        assert_eq!(looked, expected, "{trip:?}");
        let ledger = app.list("/v1/sweeps/blocked").await;
        assert_eq!(ledger.len(), 1, "{trip:?}");
        assert_eq!(ledger[0]["since"], json!(now), "{trip:?}");
        // Two of web, one of db, and none of cache, which is not believed to be gone yet.
        assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 3, "{trip:?}");
        let swept = app.list("/v1/sweeps").await.remove(0);
        let executed = json!({ "condemned": 3, "skipped": 0, "failed": 0 });
        assert_eq!(swept["executed"], executed, "{trip:?}");
        alive
    })
    .await;
}

#[tokio::test]
async fn an_approved_sweep_survives_death_at_every_call_and_counts_right() {
    at_every_call(async |trip| {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let id = app.schedule("rate(5 minutes)", &[&instance], json!({ "keep_last": 9 })).await;
        app.pass_minutes(27).await;
        sweep(&app, "execute").await;
        app.clock.advance(SignedDuration::from_hours(36 * 24));
        let edit = json!({ "enabled": false, "retention": { "keep_last": 2 } });
        app.call("PATCH", &format!("/v1/schedules/{id}"), edit).await.expect(200);
        let stopped = sweep(&app, "execute").await;
        let oldest = app.list("/v1/snapshots?status=available&sort=created_at").await.remove(0);
        approve(&app, &stopped).await.expect(202);
        let hold = json!({ "hold": { "type": "never" } });
        let path = format!("/v1/snapshots/{}", text(&oldest, "id"));
        app.call("PATCH", &path, hold).await.expect(200);

        let event = sweep_requested(text(&stopped, "id"));
        let clock = app.function_clock();
        let work = Box::pin(sweeper::handle(&app.fragile, &clock, event.clone()));
        let alive = app.wire.run(trip, work).await.is_some();
        sweeper::handle(app.service(), &app.function_clock(), event).await.unwrap();

        let done = app.get(&format!("/v1/sweeps/{}", text(&stopped, "id"))).await;
        let planned = stopped["planned"]["delete"].as_u64().unwrap();
        assert!(planned >= 3, "{trip:?}");
        let executed = json!({ "condemned": planned - 1, "skipped": 1, "failed": 0 });
        assert_eq!((text(&done, "status"), &done["executed"]), ("done", &executed), "{trip:?}");
        let condemned = app.list("/v1/snapshots?status=condemned").await.len();
        assert_eq!((outcomes(&done, "changed"), condemned), (1, outcomes(&done, "condemned")));
        alive
    })
    .await;
}
