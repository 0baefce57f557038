//! Runs: each target at its time, none while its last snapshot is under way, and what became of each can be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::ids::ScheduleId;
use shared::domain::run::visit::Overlap;
use shared::domain::run::{Run, Skipped, Trigger};
use shared::domain::schedule::TARGETS_MAX;
use shared::domain::snapshot::ScheduleSlot;
use sim_ec2::{EventFault, Fault, InstanceSpec, SeedVolume};

use crate::support::app::App;
use crate::support::events::{requested_by_run, tick};
use crate::support::reply::text;
use crate::support::sweeps::sweep;
use crate::support::tripwire::Trip;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn instant(value: &Value, field: &str) -> Timestamp {
    at(text(value, field))
}

/// A schedule of these instances over so many minutes.
async fn spread(app: &App, expression: &str, instances: &[String], minutes: u32) -> String {
    let body = json!({
        "name": "spread", "expression": expression, "spread_minutes": minutes,
        "targets": { "instance_ids": instances },
    });
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

fn run_path(schedule: &str, slot: &str) -> String {
    format!("/v1/schedules/{schedule}/runs/{slot}")
}

/// The targets of a run on one page.
async fn targets(app: &App, schedule: &str, slot: &str) -> Vec<Value> {
    let run = app.get(&format!("{}?limit=200", run_path(schedule, slot))).await;
    run["targets"]["items"].as_array().unwrap().clone()
}

fn outcomes(targets: &[Value]) -> Vec<&str> {
    targets.iter().map(|target| text(target, "outcome")).collect()
}

/// An instance whose snapshots take a good quarter of an hour.
fn slow_instance(app: &App, name: &str) -> String {
    let mut spec = InstanceSpec::named(name);
    spec.volumes = vec![SeedVolume::new("/dev/sda", 9_000)];
    app.ec2.add_instance(spec)
}

#[tokio::test]
async fn a_spread_run_asks_for_one_target_after_the_other() {
    let app = App::start().await;
    let instances: Vec<_> =
        (0..4).map(|number| app.instance(&format!("web-{number}"), 1)).collect();
    let id = spread(&app, "cron(5 10 * * ? *)", &instances, 12).await;
    let slot = "2026-03-02T10:05:00Z";

    app.clock.set(at("2026-03-02T10:09:30Z"));
    app.pass_minutes(0).await;
    let path = run_path(&id, slot);
    let midway = app.get(&path).await;
    app.pass_minutes(15).await;
    let ended = app.get(&path).await;

    assert_eq!(text(&midway, "status"), "running");
    assert_eq!(midway["dispatched_at"], Value::Null);
    let midway = midway["targets"]["items"].as_array().unwrap();
    assert_eq!(outcomes(midway)[2..], ["waiting", "waiting"]);
    assert_eq!(text(&ended, "status"), "done");
    assert_eq!(ended["spread_minutes"], json!(12));
    let ended = ended["targets"]["items"].as_array().unwrap();
    for (position, target) in (0..).zip(ended) {
        let due = at(slot) + SignedDuration::from_mins(3 * position);
        assert_eq!(instant(target, "due_at"), due);
        assert_eq!(text(target, "outcome"), "available");
        let started = instant(target, "taken_at");
        assert!(started >= due, "{target:#}");
        assert_eq!(target["lateness_seconds"], json!(started.duration_since(due).as_secs()));
    }
    assert!(ended[2]["lateness_seconds"].as_i64().unwrap() <= 60);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 4);
}

#[tokio::test]
async fn every_run_asks_in_the_same_order_and_a_run_now_for_all_at_once() {
    let app = App::start().await;
    let instances: Vec<_> =
        (0..8).map(|number| app.instance(&format!("web-{number}"), 1)).collect();
    let id = spread(&app, "rate(1 hour)", &instances, 30).await;
    app.pass_minutes(155).await;
    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;

    let mut orders = Vec::new();
    for run in &runs {
        let targets = targets(&app, &id, text(run, "slot")).await;
        assert!(targets.iter().all(|target| target["outcome"] == "available"), "{targets:#?}");
        let order = targets.iter().map(|target| text(target, "instance_id").to_owned());
        orders.push(order.collect::<Vec<_>>());
    }
    let now = app.call("POST", &format!("/v1/schedules/{id}/runs"), Value::Null).await;
    let location = now.header("location").to_owned();
    app.settle().await;

    assert_eq!(runs.len(), 2);
    assert_eq!(orders[0], orders[1]);
    let now = app.get(&location).await;
    assert_eq!(now["spread_minutes"], json!(0));
    let now = now["targets"]["items"].as_array().unwrap();
    assert_eq!(outcomes(now), ["pending"; 8]);
}

#[tokio::test]
async fn a_target_whose_last_snapshot_is_pending_is_skipped_and_the_run_says_so() {
    let app = App::start().await;
    let (slow, fast) = (slow_instance(&app, "db"), app.instance("web", 1));
    let id = app.schedule("rate(10 minutes)", &[&slow, &fast], Value::Null).await;

    app.pass_minutes(37).await;

    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
    let statuses: Vec<_> = runs.iter().map(|run| text(run, "status")).collect();
    assert_eq!(statuses, ["running", "partly_failed", "done"]);
    assert_eq!(runs[1]["counts"]["skipped"], json!(1));
    assert_eq!(runs[1]["counts"]["succeeded"], json!(1));
    let first = targets(&app, &id, "2026-03-02T10:10:30Z").await;
    let previous = first.iter().find(|target| target["instance_id"] == json!(slow)).unwrap();
    let second = targets(&app, &id, "2026-03-02T10:20:30Z").await;
    let skipped = second.iter().find(|target| target["instance_id"] == json!(slow)).unwrap();
    assert_eq!(text(skipped, "outcome"), "skipped");
    let expected = format!(
        "skipped: its previous snapshot {} (slot 2026-03-02T10:10:30Z) was still pending",
        text(previous, "snapshot_id")
    );
    assert_eq!(text(skipped, "reason"), expected);
    app.call("GET", &format!("/v1/snapshots/{}", text(skipped, "snapshot_id")), Value::Null)
        .await
        .expect(404);
    // The slow one at the first and third slot, the fast one at all.
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 5);
}

#[tokio::test]
async fn a_run_now_skips_what_is_under_way() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 day)", &[&instance], Value::Null).await;
    let path = format!("/v1/schedules/{id}/runs");

    app.call("POST", &path, Value::Null).await.expect(202);
    app.clock.advance(SignedDuration::from_secs(2));
    let unasked = app.call("POST", &path, Value::Null).await.expect(202);
    app.pass_minutes(2).await;
    let again = app.call("POST", &path, Value::Null).await.expect(202);
    app.pass_minutes(5).await;

    assert_eq!(text(&unasked, "status"), "failed");
    assert_eq!(unasked["counts"]["skipped"], json!(1));
    assert!(text(&unasked["failure"], "message").contains("still pending"));
    assert_eq!(text(&again, "status"), "running");
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 2);
}

#[tokio::test]
async fn a_spread_run_skips_what_a_run_now_has_under_way_that_began_after_it() {
    let app = App::start().await;
    let instances: Vec<_> =
        (0..4).map(|number| slow_instance(&app, &format!("db-{number}"))).collect();
    // At 10:05, 10:12:30, 10:20 and 10:27:30.
    let id = spread(&app, "cron(5 10 * * ? *)", &instances, 30).await;

    app.pass(at("2026-03-02T10:14:00Z").duration_since(app.now())).await;
    let path = format!("/v1/schedules/{id}/runs");
    let now = app.call("POST", &path, Value::Null).await.expect(202);
    app.pass_minutes(50).await;

    let spread = targets(&app, &id, "2026-03-02T10:05:00Z").await;
    assert_eq!(outcomes(&spread), ["available", "available", "skipped", "skipped"]);
    assert!(text(&spread[2], "reason").contains(text(&now, "slot")), "{spread:#?}");
    let now = targets(&app, &id, text(&now, "slot")).await;
    assert_eq!(outcomes(&now), ["skipped", "skipped", "available", "available"]);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 4);
}

#[tokio::test]
async fn a_lost_event_does_not_make_the_next_slot_skip_its_target() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
    app.ec2.event_fault(EventFault::lost());

    app.pass_minutes(19).await;
    let before = app.list("/v1/snapshots").await;
    app.pass_minutes(6).await;

    assert_eq!(text(&before[0], "status"), "pending");
    assert_eq!(app.status(text(&before[0], "id")).await, "available");
    let second = targets(&app, &id, "2026-03-02T10:20:30Z").await;
    assert_eq!(outcomes(&second), ["available"]);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 2);
}

#[tokio::test]
async fn a_snapshot_from_before_an_outage_is_still_looked_for() {
    let app = App::start().await;
    let mut spec = InstanceSpec::named("huge");
    // Two hours and more.
    spec.volumes = vec![SeedVolume::new("/dev/sda", 16_000); 1];
    spec.volumes.push(SeedVolume::new("/dev/sdb", 64_000));
    let huge = app.ec2.add_instance(spec);
    let id = app.schedule("rate(1 minute)", &[&huge], Value::Null).await;
    app.pass_minutes(2).await;
    let before = app.ec2.calls()["CreateSnapshots"];

    // Thirty slots are missed: more than the runs that are looked back on.
    app.clock.advance(SignedDuration::from_mins(31));
    app.pass_minutes(1).await;

    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
    assert!(runs.iter().filter(|run| run["status"] == "missed").count() >= 29);
    assert_eq!(text(&runs[0], "status"), "failed");
    assert_eq!((before, app.ec2.calls()["CreateSnapshots"]), (1, 1));
    // Nor is it forgotten after more runs than that have skipped its instance.
    app.pass_minutes(15).await;
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
}

#[tokio::test]
async fn a_due_slot_that_finds_no_instance_fails_and_somebody_is_told() {
    let app = App::start().await;
    let body = json!({
        "name": "daily", "expression": "rate(5 minutes)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    let id = text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned();

    app.pass_minutes(7).await;

    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
    assert_eq!((runs.len(), text(&runs[0], "status")), (1, "failed"));
    assert_eq!(text(&runs[0]["failure"], "code"), "NoTargets");
    assert!(runs[0]["finished_at"].is_string());
    let told = app.announced();
    let missed: Vec<_> =
        told.iter().filter(|event| event["detail-type"] == "snapkeep.schedule.missed").collect();
    assert_eq!(missed.len(), 1, "{told:?}");
    assert!(text(&missed[0]["detail"], "reason").contains("no instance"));
}

#[tokio::test]
async fn missed_slots_have_a_record_each_and_the_latest_ones_only() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 minute)", &[&instance], Value::Null).await;

    // Nothing ticks for three hours: 180 slots, the last of which runs.
    app.clock.set(at("2026-03-02T13:01:15Z"));
    app.settle().await;
    app.settle().await;

    let runs = app.list(&format!("/v1/schedules/{id}/runs?limit=7")).await;
    assert_eq!(runs.len(), 101);
    assert_eq!(text(&runs[0], "slot"), "2026-03-02T13:00:30Z");
    assert_eq!(runs[0]["missed"], json!(179));
    for (run, minutes) in runs[1..].iter().zip(1..) {
        assert_eq!(text(run, "status"), "missed");
        let slot = at("2026-03-02T13:00:30Z") - SignedDuration::from_mins(minutes);
        assert_eq!(instant(run, "slot"), slot);
        assert_eq!(run["counts"]["total"], json!(0));
        assert!(run["finished_at"].is_string());
    }
    let missed = targets(&app, &id, text(&runs[1], "slot")).await;
    assert!(missed.is_empty());
}

/// Seeds 90 and 183: in bad weather each tick died amid the records, and began again with those it had written.
#[tokio::test]
async fn the_missed_slots_of_an_outage_are_recorded_by_ticks_that_die() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(10 minutes)", &[&instance], Value::Null).await;
    // Seventeen hours: a hundred slots before the latest, and one that is only counted.
    let after_the_outage = at("2026-03-03T03:00:45Z");
    let earliest = at("2026-03-02T10:20:30Z");

    let mut deaths = 0;
    for tick_after in 0..6 {
        app.clock.set(after_the_outage + SignedDuration::from_mins(10 * tick_after));
        let clock = app.function_clock();
        let work = Box::pin(scheduler::handle(&app.fragile, &clock, tick(app.now())));
        deaths += usize::from(app.wire.run(Trip::After(45), work).await.is_none());
    }
    app.settle().await;
    assert!(deaths > 1, "{deaths}");

    let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
    let slots: Vec<_> = runs.iter().map(|run| instant(run, "slot")).collect();
    let latest = at("2026-03-03T03:50:30Z");
    let of_all = (0..).map(|nth| latest - SignedDuration::from_mins(10 * nth));
    let expected: Vec<_> = of_all.take_while(|slot| *slot >= earliest).collect();
    assert_eq!(slots, expected);
}

#[tokio::test]
async fn the_runs_of_all_schedules_are_one_list() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 1)];
    let ids = [
        app.schedule("rate(10 minutes)", &[&instances[0]], Value::Null).await,
        app.schedule("rate(15 minutes)", &[&instances[1]], Value::Null).await,
    ];
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).error("InvalidParameterValue", 400));
    app.pass_minutes(33).await;
    app.call("DELETE", &format!("/v1/schedules/{}", ids[1]), Value::Null).await.expect(204);
    let key = |run: &Value| (text(run, "slot").to_owned(), text(run, "schedule_id").to_owned());
    let mut expected = Vec::new();
    for id in &ids {
        let runs = app.list(&format!("/v1/schedules/{id}/runs")).await;
        expected.extend(runs.iter().map(key));
    }
    expected.sort();
    expected.reverse();

    let all = app.list("/v1/runs?limit=2").await;
    let failed = app.list("/v1/runs?status=failed").await;
    let from = "/v1/runs?from=2026-03-02T10:15:30Z&to=2026-03-02T10:30:30Z";
    let between: Vec<_> = app.list(from).await.iter().map(key).collect();

    assert_eq!(all.iter().map(key).collect::<Vec<_>>(), expected);
    for run in &all {
        let name = if run["schedule_id"] == ids[0] { json!("test") } else { Value::Null };
        assert_eq!(run["schedule_name"], name);
    }
    assert_eq!(failed.iter().map(key).collect::<Vec<_>>(), expected[expected.len() - 1..]);
    let slots = ["2026-03-02T10:20:30Z", "2026-03-02T10:15:30Z"];
    assert_eq!(between.iter().map(|(slot, _)| slot.as_str()).collect::<Vec<_>>(), slots);
}

#[tokio::test]
async fn the_targets_of_a_run_are_read_in_pages() {
    let app = App::start().await;
    let instances: Vec<_> =
        (0..5).map(|number| app.instance(&format!("web-{number}"), 1)).collect();
    let mut names: Vec<_> = instances.iter().map(String::as_str).collect();
    let unknown = "i-0123456789abcdef0";
    names.push(unknown);
    let id = app.schedule("cron(5 10 * * ? *)", &names, Value::Null).await;
    app.pass_minutes(10).await;
    let path = run_path(&id, "2026-03-02T10:05:00Z");

    let all = targets(&app, &id, "2026-03-02T10:05:00Z").await;
    let mut paged = Vec::new();
    let mut next = format!("{path}?limit=4");
    loop {
        let page = app.get(&next).await;
        paged.extend(page["targets"]["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["targets"]["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=4&cursor={cursor}");
    }

    assert_eq!((paged.len(), &paged), (6, &all));
    let failed: Vec<_> = all.iter().filter(|target| target["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(text(failed[0], "instance_id"), unknown);
    assert!(text(failed[0], "reason").contains("EC2 has no instance"));
    // The same instant in another spelling is the same run; another instant is none.
    app.get(&run_path(&id, "2026-03-02T11:05:00%2B01:00")).await;
    for (path, status) in [
        (run_path(&id, "2026-03-02T10:06:00Z"), 404),
        (run_path(&id, "yesterday"), 400),
        (format!("{path}?cursor=bm9uZQ"), 400),
    ] {
        app.call("GET", &path, Value::Null).await.expect(status);
    }
}

#[tokio::test]
async fn a_deleted_snapshot_is_gone_in_its_run() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;
    app.pass_minutes(8).await;
    app.take_snapshot(&instance).await;
    let slot = "2026-03-02T10:05:00Z";
    let before = targets(&app, &id, slot).await;

    let path = format!("/v1/snapshots/{}?grace_minutes=1", text(&before[0], "snapshot_id"));
    app.call("DELETE", &path, Value::Null).await.expect(202);
    app.settle().await;
    let condemned = targets(&app, &id, slot).await;
    app.pass_minutes(10).await;

    assert_eq!(outcomes(&before), ["available"]);
    assert_eq!(outcomes(&condemned), ["available"]);
    assert_eq!(outcomes(&targets(&app, &id, slot).await), ["gone"]);
}

#[tokio::test]
async fn the_largest_run_fits_into_the_table() {
    let app = App::start().await;
    let now = app.now();
    let slot = ScheduleSlot { schedule_id: ScheduleId::derived(now, &["x"]), slot: now };
    let run = |targets: usize| {
        let instances = (0..targets).map(|number| format!("i-{number:017x}").parse().unwrap());
        let skipped = vec![Skipped { slot: now, positions: (0..targets).collect() }];
        let overlap = Overlap { skipped, under_way: vec![now; 60] };
        Run::claimed(slot.clone(), Trigger::Schedule, 0, now)
            .begun(instances.collect(), 1_440, now)
            .asking(targets - 1, overlap, now)
    };
    let largest = run(TARGETS_MAX);

    let table = &app.service().table;
    assert!(table.insert_run(&largest).await.unwrap().is_done());

    assert_eq!(table.run(&slot).await.unwrap().unwrap(), largest);
    assert!(table.update_run(&largest, &run(2 * TARGETS_MAX)).await.is_err());
}

#[tokio::test]
async fn a_message_of_a_run_that_is_over_takes_nothing_days_later() {
    let app = App::start().await;
    let [web, db] = ["web", "db"].map(|name| app.instance(name, 1));
    let id = app.schedule("cron(5 10 * * ? *)", &[&web], Value::Null).await;
    app.pass_minutes(10).await;
    app.call("PATCH", &format!("/v1/schedules/{id}"), json!({ "enabled": false }))
        .await
        .expect(200);
    let slot = ScheduleSlot { schedule_id: id.parse().unwrap(), slot: at("2026-03-02T10:05:00Z") };
    let taken = app.ec2.snapshots().len();

    // It was put aside, and somebody sends it once more.
    app.clock.advance(SignedDuration::from_hours(30));
    let message = requested_by_run(&slot, &db);
    let done = snapshotter::handle(app.service(), &app.function_clock(), message).await.unwrap();

    assert_eq!(done["batchItemFailures"], json!([]));
    assert_eq!((taken, app.ec2.snapshots().len()), (1, 1));
    assert_eq!(app.list(&format!("/v1/snapshots?instance_id={db}")).await.len(), 0);
}

#[tokio::test]
async fn runs_that_take_all_the_time_of_a_tick_leave_the_next_to_what_is_due() {
    let app = App::start().await;
    let [web, db] = ["web", "db"].map(|name| app.instance(name, 1));
    spread(&app, "cron(2 10 * * ? *)", &[web.clone(), db], 10).await;
    app.pass_minutes(3).await;
    let due = app.schedule("cron(5 10 * * ? *)", &[&web], Value::Null).await;

    let mut begun = Vec::new();
    for minute in [5, 6] {
        let now = at(&format!("2026-03-02T10:0{minute}:00Z"));
        app.clock.set(now);
        // There is time for one run or one schedule.
        let looks = Arc::new(AtomicUsize::new(0));
        let clock = move || {
            let is_first = looks.fetch_add(1, Ordering::Relaxed) == 0;
            if is_first { now } else { now + SignedDuration::from_mins(1) }
        };
        let clock = Clock::new(clock, |_| std::future::ready(()));
        let clock = clock.until(now + SignedDuration::from_secs(50));
        scheduler::handle(app.service(), &clock, tick(now)).await.unwrap();
        begun.push(app.list(&format!("/v1/schedules/{due}/runs")).await.len());
    }

    assert_eq!(begun.last(), Some(&1), "{begun:?}");
}

#[tokio::test]
async fn what_is_over_is_kept_for_a_while_and_no_longer() {
    const DAY: i64 = 86_400;
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await;
    app.pass_minutes(10).await;
    let id = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
    let begun = app.now().as_second();

    app.take_snapshot(&instance).await;
    let lasting = app.expiries(&format!("SNAPSHOT#{id}")).await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(1).await;
    let planned = sweep(&app, "plan_only").await;
    let executed = sweep(&app, "execute").await;

    let days = |expiries: Vec<i64>| -> Vec<i64> {
        expiries.iter().map(|one| (one - begun + DAY / 2) / DAY).collect()
    };
    assert!(lasting.is_empty(), "what is there does not expire");
    assert_eq!(days(app.expiries(&format!("SNAPSHOT#{id}")).await), [400]);
    assert_eq!(days(app.expiries(&format!("RUNS#{schedule}")).await), [90]);
    for (swept, kept) in [(&planned, 7), (&executed, 90)] {
        let pages = app.expiries(&format!("SWEEP#{}", text(swept, "id"))).await;
        assert!(!pages.is_empty());
        assert!(days(pages).iter().all(|one| *one == kept), "{kept}");
    }
}
