//! Four hundred days of an hourly schedule: what the real functions leave of it, day by day, is what the
//! simulation says.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local::function::Function;
use serde_json::json;
use shared::domain::schedule::Schedule;
use shared::domain::schedule::slots::Timing;
use shared::domain::simulation::{Scenario, Simulation};
use shared::domain::snapshot::Status;
use shared::table::keys::{Index, Presence, schedule_list};
use shared::table::snapshots::SnapshotList;

use crate::support::app::App;
use crate::support::reply::text;

const DAYS: u16 = 400;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long what a tick asks for is on its way, and EC2's word that a snapshot is completed.
const ON_ITS_WAY: [SignedDuration; 3] =
    [SignedDuration::from_secs(30), SignedDuration::from_mins(3), SignedDuration::from_mins(6)];

/// The slots of the available snapshots of a schedule.
async fn survivors(app: &App, schedule: &Schedule) -> BTreeSet<Timestamp> {
    let partition = schedule_list(schedule.id.as_str(), Presence::Here);
    let list = SnapshotList { index: Index::Schedule, partition };
    let snapshots = app.service().table.every_snapshot(&list).await.unwrap();
    let available = snapshots.into_iter().filter(|one| one.status == Status::Available);
    available.filter_map(|one| one.slot).map(|slot| slot.slot).collect()
}

/// One hour: the slot runs, what was condemned an hour ago is deleted, and at the end of a day there is a sweep. The
/// ticks and sweeps in between, which would find nothing to do or do it a little earlier, are left out.
async fn live(app: &App, hour: Timestamp, leaders: &[Function]) {
    app.clock.set(hour);
    let followers = [Function::Snapshotter, Function::Tracker, Function::Reaper];
    app.settle_only(&[leaders, &followers].concat()).await;
    for later in ON_ITS_WAY {
        app.clock.set(hour + later);
        app.settle_only(&followers).await;
    }
}

#[tokio::test]
async fn four_hundred_days_leave_what_the_simulation_says() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "name": "hourly", "expression": "cron(0 * * * ? *)", "timezone": "Europe/Berlin",
        "targets": { "instance_ids": [instance] },
        "retention": {
            "keep_hourly": 24, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12, "keep_yearly": 3,
        },
    });
    let made = app.call("POST", "/v1/schedules", body).await.expect(201);
    let id = text(&made, "id").parse().unwrap();
    let schedule = app.service().table.schedule(&id).await.unwrap().unwrap();
    let scenario = Scenario {
        timing: Timing::of(&schedule),
        rules: schedule.settings.rules.as_ref(),
        from: app.now(),
        days: DAYS,
    };
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let mut hour: Timestamp = "2026-03-02T11:00:00Z".parse().unwrap();
    let mut days = 0;

    for day in Simulation::new(scenario).unwrap() {
        loop {
            let is_last = (hour + HOUR).to_zoned(berlin.clone()).hour() == 0;
            let leaders: &[Function] = if is_last {
                &[Function::Scheduler, Function::Sweeper]
            } else {
                &[Function::Scheduler]
            };
            live(&app, hour, leaders).await;
            hour += HOUR;
            if is_last {
                break;
            }
        }
        let expected: BTreeSet<_> = day.survivors.into_iter().collect();
        assert_eq!(survivors(&app, &schedule).await, expected, "at the end of {}", day.date);
        days += 1;
    }

    assert_eq!(days, DAYS);
    // Deleted is what is not available, but for what the last sweep has condemned a moment ago.
    assert!(app.ec2.snapshots().len() < 100, "{}", app.ec2.snapshots().len());
}
