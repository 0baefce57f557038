//! A schedule run forward by the real functions, held day by day against the simulation.
//!
//! The clock goes from one instant at which the schedule fires, or the day's last sweep is due, to the next. The ticks
//! and sweeps in between, which would find nothing to do or do it a little earlier, are left out.

use std::collections::BTreeSet;
use std::iter;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use local::function::Function;
use serde_json::{Value, json};
use shared::domain::schedule::Schedule;
use shared::domain::schedule::slots::Timing;
use shared::domain::simulation::{Scenario, Simulation};
use shared::domain::snapshot::Status;
use shared::table::{Presence, SnapshotList};

use super::app::App;
use super::reply::text;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long what a tick asks for is on its way, and EC2's word that a snapshot is completed.
const ON_ITS_WAY: [SignedDuration; 3] =
    [SignedDuration::from_secs(30), SignedDuration::from_mins(3), SignedDuration::from_mins(6)];

/// A schedule of one instance in Berlin's time, and for how many days it runs.
pub(crate) struct Course {
    pub(crate) expression: &'static str,
    pub(crate) retention: Value,
    pub(crate) days: u16,
}

/// How a course ended.
pub(crate) struct Ended {
    pub(crate) last_day: Date,
    /// The slots whose snapshots are available.
    pub(crate) survivors: BTreeSet<Timestamp>,
}

impl Course {
    /// Runs the schedule. Fails unless the available snapshots are the simulation's survivors at the end of each day,
    /// every slot has run, and what is not available is deleted.
    pub(crate) async fn run(&self) -> Ended {
        let app = App::start().await;
        let schedule = self.begin(&app).await;
        let timing = Timing::of(&schedule);
        let from = app.now();
        let scenario =
            Scenario { timing, rules: schedule.settings.rules.as_ref(), from, days: self.days };
        let mut slots = timing.slots_after(from).peekable();
        let mut ran = 0;
        let mut ended = Vec::new();

        for day in Simulation::new(scenario).unwrap() {
            let midnight = day
                .date
                .tomorrow()
                .unwrap()
                .to_zoned(schedule.settings.timezone.time_zone().clone());
            let midnight = midnight.unwrap().timestamp();
            let sweep = midnight - HOUR;
            let mut due: BTreeSet<_> =
                iter::from_fn(|| slots.next_if(|slot| *slot < midnight)).collect();
            ran += due.len();
            due.insert(sweep);
            for at in due {
                let leaders: &[Function] = if at == sweep {
                    &[Function::Scheduler, Function::Sweeper]
                } else {
                    &[Function::Scheduler]
                };
                live(&app, at, leaders).await;
            }
            let survivors: BTreeSet<_> = day.survivors.into_iter().collect();
            assert_eq!(available(&app, &schedule).await, survivors, "at the end of {}", day.date);
            ended.push(Ended { last_day: day.date, survivors });
        }

        assert_eq!(ended.len(), usize::from(self.days));
        let runs = app.list(&format!("/v1/schedules/{}/runs?limit=100", schedule.id)).await;
        assert_eq!(runs.len(), ran);
        // What the last sweep has condemned a moment ago is still there.
        let last = ended.pop().unwrap();
        let (there, most) = (app.ec2.snapshots().len(), last.survivors.len() + 30);
        assert!(there <= most, "{there} of at most {most}");
        last
    }

    async fn begin(&self, app: &App) -> Schedule {
        let instance = app.instance("web", 1);
        let body = json!({
            "name": "forward", "expression": self.expression, "timezone": "Europe/Berlin",
            "targets": { "instance_ids": [instance] }, "retention": self.retention,
        });
        let made = app.call("POST", "/v1/schedules", body).await.expect(201);
        let id = text(&made, "id").parse().unwrap();
        app.service().table.schedule(&id).await.unwrap().unwrap()
    }
}

/// What is due at an instant is done by its leaders, and then what follows from it: the snapshot is taken and completed,
/// what was condemned long enough ago is deleted.
async fn live(app: &App, at: Timestamp, leaders: &[Function]) {
    app.clock.set(at);
    let followers = [Function::Snapshotter, Function::Tracker, Function::Reaper];
    app.settle_only(&[leaders, &followers].concat()).await;
    for later in ON_ITS_WAY {
        app.clock.set(at + later);
        app.settle_only(&followers).await;
    }
}

/// The slots of the available snapshots of a schedule.
async fn available(app: &App, schedule: &Schedule) -> BTreeSet<Timestamp> {
    let list = SnapshotList::OfSchedule(schedule.id.clone(), Presence::Here);
    let snapshots = app.service().table.every_snapshot(&list).await.unwrap();
    let available = snapshots.into_iter().filter(|one| one.status == Status::Available);
    available.filter_map(|one| one.slot).map(|slot| slot.slot).collect()
}
