//! How long the pure rules take: what a sweep plans, and when schedules fire next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::domain::ids::{ScheduleId, SnapshotId};
use shared::domain::instance::launch::LaunchSettings;
use shared::domain::retention::Rules;
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::zone::Zone;
use shared::domain::schedule::{Schedule, Settings};
use shared::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use shared::domain::sweep::plan::{World, plan};

use crate::clocks::{milliseconds, timed};
use crate::proc::machine;
use crate::say::{count, say, table};

/// Rules of each kind.
const RULES: &str = r#"{
    "keep_last": 3, "keep_hourly": 24, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12,
    "keep_yearly": 3, "keep_within": "2d", "keep_within_monthly": "1y"
}"#;
/// Expressions of each kind.
const EXPRESSIONS: [&str; 5] = [
    "rate(7 minutes)",
    "cron(30 2 * * ? *)",
    "cron(0/5 8-18 ? * MON-FRI *)",
    "cron(0 12 L * ? *)",
    "cron(0 0 29 2 ? *)",
];

/// What of the rules is measured.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many snapshots are planned for.
    #[arg(long, default_value_t = 100_000)]
    snapshots: i64,
    /// How many instances they are of.
    #[arg(long, default_value_t = 1_000)]
    instances: i64,
    /// How many next fires are asked for.
    #[arg(long, default_value_t = 1_000)]
    schedules: i64,
    /// How often each is measured.
    #[arg(long, default_value_t = 21)]
    runs: usize,
}

/// Prints how long each takes.
pub(crate) fn main(options: &Options) {
    let Options { snapshots, instances, schedules, runs } = *options;
    let rows = vec![
        row(
            format!("retention of {} snapshots of one instance", count_of(snapshots)),
            Duration::from_millis(50),
            &retention(snapshots, runs),
        ),
        row(
            format!(
                "a sweep's plan of {} snapshots of {} instances",
                count_of(snapshots),
                count_of(instances)
            ),
            Duration::from_millis(50),
            &sweep(snapshots, instances, runs),
        ),
        row(
            format!("the next fire of {} schedules", count_of(schedules)),
            Duration::from_millis(10),
            &fires(schedules, runs),
        ),
    ];
    say(machine());
    say(table(&["what", "target ms", "median ms", "fastest", "slowest"], &rows));
}

fn count_of(number: i64) -> String {
    count(number.unsigned_abs())
}

fn row(what: String, target: Duration, took: &[Duration]) -> Vec<String> {
    let of = |at: usize| milliseconds(took[at]);
    vec![what, milliseconds(target), of(took.len() / 2), of(0), of(took.len() - 1)]
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000 + hour)
}

fn berlin() -> Zone {
    "Europe/Berlin".parse().unwrap()
}

fn rules() -> Rules {
    serde_json::from_str(RULES).unwrap()
}

/// One instance with a snapshot of every hour.
fn retention(snapshots: i64, runs: usize) -> Vec<Duration> {
    let (rules, zone) = (rules(), berlin());
    let taken_at: Vec<_> = (0..snapshots).map(hour).collect();
    timed(runs, || rules.plan(&taken_at, &zone, hour(snapshots)))
}

/// Many instances with as many snapshots each, as a sweep sees them.
fn sweep(snapshots: i64, instances: i64, runs: usize) -> Vec<Duration> {
    let id = ScheduleId::derived(hour(0), &["hourly"]);
    let new = Settings::of("hourly", "rate(1 hour)".parse().unwrap());
    let new = Settings { rules: Some(rules()), timezone: berlin(), ..new };
    let schedules = BTreeMap::from([(id.clone(), Schedule::made(id.clone(), new, hour(0)))]);
    let all: Vec<_> = (0..snapshots).map(|number| snapshot(&id, number, instances)).collect();
    let (in_use, gone, absent) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let world = World {
        schedules: &schedules,
        snapshots: &all,
        in_use: &in_use,
        gone: &gone,
        absent: &absent,
        failed_kept: SignedDuration::from_hours(24),
        now: hour(snapshots / instances),
    };
    timed(runs, || plan(&world))
}

/// One of two volumes.
fn snapshot(schedule_id: &ScheduleId, number: i64, instances: i64) -> Snapshot {
    let (at, of) = (hour(number / instances), number % instances);
    let source = Source {
        instance_id: format!("i-{of:017x}").parse().unwrap(),
        instance_name: None,
        instance_type: None,
        architecture: None,
        platform: None,
        region: "us-east-1".to_owned(),
        zone: None,
        tags: [].into(),
        launch: LaunchSettings::default(),
        machine: None,
    };
    let slot = ScheduleSlot { schedule_id: schedule_id.clone(), slot: at };
    let id = SnapshotId::derived(at, &[&number.to_string()]);
    let member = |volume: i64| {
        let text = json!({
            "ebs_snapshot_id": format!("snap-{:017x}", number * 2 + volume),
            "volume_id": format!("vol-{:017x}", of * 2 + volume),
            "device": format!("/dev/sd{}", if volume == 0 { 'a' } else { 'b' }),
            "boot": volume == 0, "size_gib": 8, "state": "completed", "progress_percent": 100,
            "full_size_bytes": null,
        });
        serde_json::from_value(text).unwrap()
    };
    Snapshot {
        status: Status::Available,
        started_at: Some(at),
        members: vec![member(0), member(1)],
        ..Snapshot::requested(id, Origin::Schedule, source, Some(slot), at)
    }
}

/// The next fire of each of many schedules, of expressions of each kind, at different times.
fn fires(schedules: i64, runs: usize) -> Vec<Duration> {
    let zone = berlin();
    let expressions: Vec<Expression> =
        EXPRESSIONS.iter().map(|text| text.parse().unwrap()).collect();
    let turns = schedules / i64::try_from(expressions.len()).unwrap();
    timed(runs, || -> i64 {
        (0..turns)
            .flat_map(|turn| expressions.iter().map(move |one| (one, hour(turn))))
            .filter_map(|(one, from)| one.next_after(&zone, hour(0), from))
            .map(Timestamp::as_second)
            .sum()
    })
}
