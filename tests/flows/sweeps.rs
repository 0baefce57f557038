//! Sweeps: plans that touch nothing, the brake, and its release.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::ids::SweepId;
use shared::domain::sweep::plan::Outcome;
use shared::domain::sweep::{Sweep, SweepMode, SweepStatus};
use shared::operations::nudge_stuck::nudge_stuck;
use shared::operations::sweeps::execute::carry_out;
use shared::operations::sweeps::plan::plan_sweep;
use shared::table::client::Written;
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::events::tick;
use crate::support::reply::text;
use crate::support::sweeps::{outcomes, register_image, sweep, with_twenty};

#[tokio::test]
async fn a_plan_gives_every_snapshot_a_verdict_with_reasons_and_touches_nothing() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let edit = json!({ "retention": { "keep_last": 15 } });
    app.call("PATCH", &path, edit).await.expect(200);
    let before = app.ec2.snapshots().len();

    let sweep = sweep(&app, "plan_only").await;

    assert_eq!(text(&sweep, "status"), "planned");
    let entries = sweep["plan"]["items"].as_array().unwrap();
    assert_eq!(entries.len(), 20);
    let reasoned = |entry: &Value| !entry["reasons"].as_array().unwrap().is_empty();
    assert!(entries.iter().all(reasoned));
    assert_eq!(sweep["planned"]["delete"], json!(5));
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 20);
    assert_eq!(app.ec2.snapshots().len(), before);
}

#[tokio::test]
async fn rules_that_would_delete_much_more_than_before_wait_for_an_admin() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let edit = json!({ "retention": { "keep_last": 2 } });
    app.call("PATCH", &path, edit).await.expect(200);

    let stopped = sweep(&app, "execute").await;
    let condemned_before = app.list("/v1/snapshots?status=condemned").await.len();
    let approve = format!("/v1/sweeps/{}/approve", text(&stopped, "id"));
    let other_plan = app.call("POST", &approve, json!({ "plan_hash": "0".repeat(64) })).await;
    let body = json!({ "plan_hash": stopped["plan_hash"] });
    app.call("POST", &approve, body).await.expect(202);
    app.settle().await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert_eq!(stopped["brakes"][0]["unexpected"], json!(18));
    assert_eq!(condemned_before, 0);
    other_plan.expect(409);
    let done = app.get(&format!("/v1/sweeps/{}", text(&stopped, "id"))).await;
    assert_eq!(text(&done, "status"), "done");
    assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 18);
}

#[tokio::test]
async fn a_plan_that_has_aged_an_hour_cannot_be_released() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    let stopped = sweep(&app, "execute").await;

    app.clock.advance(SignedDuration::from_mins(61));
    let approve = format!("/v1/sweeps/{}/approve", text(&stopped, "id"));
    let refused = app.call("POST", &approve, json!({ "plan_hash": stopped["plan_hash"] })).await;

    assert!(text(&refused.expect(409), "detail").contains("hour"));
}

#[tokio::test]
async fn a_brake_on_one_schedule_does_not_stop_another() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let other = app.instance("db", 1);
    let second = app.schedule("rate(5 minutes)", &[&other], json!({ "keep_last": 1 })).await;
    app.pass_minutes(13).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);

    let stopped = sweep(&app, "execute").await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    let condemned = app.list("/v1/snapshots?status=condemned").await;
    assert!(!condemned.is_empty());
    assert!(condemned.iter().all(|one| text(one, "schedule_id") == second));
}

#[tokio::test]
async fn the_same_hourly_tick_twice_is_one_sweep() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let now = app.now();
    let event = tick(now);
    let clock = app.function_clock();

    for _ in 0..2 {
        sweeper::handle(app.service(), &clock, event.clone()).await.unwrap();
    }

    assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 5);
    let sweeps = app.list("/v1/sweeps").await;
    let same: Vec<_> = sweeps
        .iter()
        .filter(|sweep| text(sweep, "created_at").parse::<Timestamp>().unwrap() == now)
        .collect();
    assert_eq!(same.len(), 1);
}

#[tokio::test]
async fn a_second_planner_does_not_change_what_the_first_carries_out() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let service = app.service();
    let id = SweepId::derived(app.now(), &["two planners"]);
    let sweep = Sweep::requested(id.clone(), SweepMode::Execute, Some("ada".to_owned()), app.now());
    assert!(service.table.insert_sweep(&sweep, app.now()).await.unwrap().is_done());

    // The first plans by the old rules, the second by edited ones, and loses.
    let first = plan_sweep(service, &sweep, app.now()).await.unwrap();
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 1 } })).await.expect(200);
    let second = plan_sweep(service, &sweep, app.now()).await.unwrap();
    let written = service.table.update_sweep(&sweep, &first, app.now()).await.unwrap();
    let lost = service.table.update_sweep(&sweep, &second, app.now()).await.unwrap();
    carry_out(service, &id, &app.function_clock()).await.unwrap();

    assert!(written.is_done() && !lost.is_done());
    assert_eq!(second.brakes.len(), 1);
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
}

#[tokio::test]
async fn rules_edited_between_plan_and_condemnation_let_nothing_go() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let service = app.service();
    let id = SweepId::derived(app.now(), &["edited meanwhile"]);
    let sweep = Sweep::requested(id.clone(), SweepMode::Execute, Some("ada".to_owned()), app.now());
    assert!(service.table.insert_sweep(&sweep, app.now()).await.unwrap().is_done());
    let planned = plan_sweep(service, &sweep, app.now()).await.unwrap();
    assert!(service.table.update_sweep(&sweep, &planned, app.now()).await.unwrap().is_done());

    app.call("PATCH", &path, json!({ "retention": { "keep_last": 16 } })).await.expect(200);
    let done = carry_out(service, &id, &app.function_clock()).await.unwrap();

    assert_eq!((planned.planned.delete, done.executed.condemned, done.executed.skipped), (5, 0, 5));
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
    let shown = app.get(&format!("/v1/sweeps/{id}")).await;
    assert_eq!(outcomes(&shown, "changed"), 5);
}

#[tokio::test]
async fn a_plan_that_is_carried_out_late_must_still_say_so() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let service = app.service();
    let id = SweepId::derived(app.now(), &["carried out late"]);
    let sweep = Sweep::requested(id.clone(), SweepMode::Execute, Some("ada".to_owned()), app.now());
    assert!(service.table.insert_sweep(&sweep, app.now()).await.unwrap().is_done());
    let planned = plan_sweep(service, &sweep, app.now()).await.unwrap();
    assert!(service.table.update_sweep(&sweep, &planned, app.now()).await.unwrap().is_done());

    let oldest = app.list("/v1/snapshots?status=available&sort=created_at").await.remove(0);
    register_image(&app, text(&oldest, "id"));
    app.clock.advance(SignedDuration::from_mins(11));
    let done = carry_out(service, &id, &app.function_clock()).await.unwrap();

    assert_eq!((planned.planned.delete, done.executed.condemned, done.executed.skipped), (5, 4, 1));
    assert_eq!(app.status(text(&oldest, "id")).await, "available");
}

#[tokio::test]
async fn a_late_planner_of_the_same_plan_leaves_what_became_of_it() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let service = app.service();
    let id = SweepId::derived(app.now(), &["the same plan"]);
    let sweep = Sweep::requested(id, SweepMode::PlanOnly, Some("ada".to_owned()), app.now());
    let planned = plan_sweep(service, &sweep, app.now()).await.unwrap();
    let mut entries = service.table.plan_page(&planned, 1).await.unwrap();
    for entry in &mut entries {
        entry.outcome = Some(Outcome::Condemned);
    }
    let plan = (&planned, planned.plan_hash.as_deref().unwrap());
    service.table.store_plan_page(plan, 1, &entries, app.now()).await.unwrap();

    let late = plan_sweep(service, &sweep, app.now()).await.unwrap();

    assert_eq!(late.plan_hash, planned.plan_hash);
    assert_eq!(service.table.plan_page(&late, 1).await.unwrap(), entries);
}

#[tokio::test]
async fn an_earlier_sweep_that_ends_later_does_not_set_the_last_one_back() {
    let app = App::start().await;
    let table = &app.service().table;
    let earlier = app.now() - SignedDuration::from_mins(5);

    let first = table.set_last_sweep_at(app.now()).await.unwrap();
    let second = table.set_last_sweep_at(earlier).await.unwrap();
    let third = table.set_last_sweep_at(app.now() + SignedDuration::from_mins(1)).await.unwrap();

    assert_eq!([first, second, third].map(Written::is_done), [true, false, true]);
}

#[tokio::test]
async fn a_clock_that_is_off_ec2s_deletes_nothing() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);
    let ahead = shared::clock::Clock::fixed(app.now() + SignedDuration::from_mins(6));
    let event = tick(ahead.now());

    let sweep = sweeper::handle(app.service(), &ahead, event).await.unwrap();

    assert_eq!(sweep["status"], json!("refused"));
    assert!(app.list("/v1/snapshots?status=condemned").await.is_empty());
}

#[tokio::test]
async fn after_a_long_pause_a_person_has_to_say_that_the_clock_is_right() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    sweep(&app, "execute").await;
    app.clock.advance(SignedDuration::from_hours(36 * 24));
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 15 } })).await.expect(200);

    let stopped = sweep(&app, "execute").await;
    let approve = format!("/v1/sweeps/{}/approve", text(&stopped, "id"));
    app.call("POST", &approve, json!({ "plan_hash": stopped["plan_hash"] })).await.expect(202);
    app.settle().await;

    assert_eq!(text(&stopped, "status"), "needs_approval");
    assert!(text(&stopped, "refusal").contains("35 days"));
    assert_eq!(app.list("/v1/snapshots?status=condemned").await.len(), 5);
}

#[tokio::test]
async fn ticks_in_the_middle_of_a_sweep_do_not_keep_its_rules_from_being_enforced() {
    for ticks in 1..14 {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        let id = app.schedule("rate(1 minute)", &[&instance], json!({ "keep_last": 100 })).await;
        let edit = json!({ "retention": { "keep_last": 50 } });
        app.call("PATCH", &format!("/v1/schedules/{id}"), edit).await.expect(200);
        app.clock.advance(SignedDuration::from_mins(2));
        let (id, now, clock) = (id.parse().unwrap(), app.now(), app.function_clock());
        let table = &app.service().table;

        // What a tick does to a schedule, again and again while the sweep is at it: a little longer each time.
        let writes = async {
            for _ in 0..ticks {
                let schedule = table.schedule(&id).await.unwrap().unwrap();
                _ = table.update_schedule(&schedule, &schedule.advanced(now)).await.unwrap();
                // A tick writes once and not without a pause: the sweep has time for a try of its own.
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let sweep = Box::pin(sweeper::handle(app.service(), &clock, tick(now)));
        let (sweep, ()) = tokio::join!(sweep, writes);

        assert_eq!(sweep.unwrap()["status"], json!("done"));
        let schedule = table.schedule(&id).await.unwrap().unwrap();
        assert_eq!(schedule.enforced.rules, schedule.settings.rules, "{ticks} ticks");
    }
}

#[tokio::test]
async fn a_sweep_that_takes_longer_than_the_nudge_is_still_recorded() {
    let mut was_late = false;
    for steps in (0..60).step_by(6) {
        let app = App::start().await;
        let instance = app.instance("web", 1);
        app.schedule("rate(1 minute)", &[&instance], json!({ "keep_last": 100 })).await;
        app.clock.advance(SignedDuration::from_mins(2));
        let (now, clock) = (app.now(), app.function_clock());

        // In the middle of it eleven minutes pass, and the tick looks for what is stuck.
        let nudge = async {
            let id = Sweep::hourly(now).id;
            let found = async || app.service().table.sweep(&id).await.unwrap();
            while found().await.is_none_or(|sweep| sweep.claimed_at.is_none()) {
                tokio::task::yield_now().await;
            }
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            app.clock.advance(SignedDuration::from_mins(11));
            nudge_stuck(app.service(), app.now()).await.unwrap()
        };
        let sweep = Box::pin(sweeper::handle(app.service(), &clock, tick(now)));
        let (sweep, nudged) = tokio::join!(sweep, nudge);

        assert_eq!(nudged.sweeps, 0, "{steps} steps");
        let sweep = sweep.unwrap();
        was_late |= sweep["status"] == json!("executing");
        // One that was planned late goes on when the tick asks again.
        app.pass_minutes(12).await;
        let id = text(&sweep, "id");
        assert_eq!(text(&app.get(&format!("/v1/sweeps/{id}")).await, "status"), "done");
    }
    assert!(was_late, "in no case did planning take long");
}

#[tokio::test]
async fn what_somebody_is_at_the_tick_leaves_alone_as_long_as_a_function_lasts() {
    let app = App::start().await;
    let table = &app.service().table;
    let id = SweepId::derived(app.now(), &["claimed"]);
    let sweep = Sweep::requested(id.clone(), SweepMode::Execute, Some("ada".to_owned()), app.now());
    assert!(table.insert_sweep(&sweep, app.now()).await.unwrap().is_done());
    let claimed = sweep.claimed(app.now());
    assert!(table.update_sweep(&sweep, &claimed, app.now()).await.unwrap().is_done());

    let stuck = async |seconds| {
        let later = app.now() + SignedDuration::from_secs(seconds);
        table.stuck_sweeps(later, 10).await.unwrap().len()
    };
    assert_eq!((stuck(15 * 60).await, stuck(16 * 60 - 1).await, stuck(16 * 60).await), (0, 0, 1));
    // It died: the next one takes it up, whenever it comes.
    let done = carry_out(app.service(), &id, &app.function_clock()).await.unwrap();
    assert_eq!((done.status, done.claimed_at), (SweepStatus::Done, None));
}

#[tokio::test]
async fn a_sweep_that_could_not_be_planned_can_be_at_once_again() {
    let app = App::start().await;
    let (now, clock) = (app.now(), app.function_clock());
    app.ec2.fault(Fault::on("DescribeImages").times(9).error("InternalError", 500));

    let failed = sweeper::handle(app.service(), &clock, tick(now)).await;
    app.ec2.forget_faults();
    let again = sweeper::handle(app.service(), &clock, tick(now)).await.unwrap();

    assert!(failed.is_err());
    assert_eq!(again["status"], json!("done"));
}
