//! How long the pure rules take: `cargo bench -p shared --bench rules --profile dev`, which shares the build of the
//! tests. Without the profile, everything below is compiled anew for release, for a long while.
#![expect(clippy::expect_used, reason = "what is written here is known to be right")]

use std::collections::{BTreeMap, BTreeSet};

use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{ScheduleId, SnapshotId};
use shared::domain::instance::launch::LaunchSettings;
use shared::domain::retention::{Rules, Verdict};
use shared::domain::schedule::expression::Expression;
use shared::domain::schedule::zone::Zone;
use shared::domain::schedule::{Schedule, Settings};
use shared::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use shared::domain::sweep::plan::{PlanEntry, World, plan};

/// Rules of each kind.
const RULES: &str = r#"{
    "keep_last": 3, "keep_hourly": 24, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12,
    "keep_yearly": 3, "keep_within": "2d", "keep_within_monthly": "1y"
}"#;
const SNAPSHOTS: i64 = 100_000;
const INSTANCES: i64 = 1_000;
const FIRES: i64 = 10_000;

fn main() {
    divan::main();
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000 + hour)
}

fn berlin() -> Zone {
    "Europe/Berlin".parse().expect("a zone")
}

fn rules() -> Rules {
    serde_json::from_str(RULES).expect("rules")
}

fn expression(text: &str) -> Expression {
    text.parse().expect("an expression")
}

/// One instance with a snapshot of every hour of eleven years: 100,000.
#[divan::bench]
fn retention_of_100_000_snapshots(bencher: Bencher<'_, '_>) {
    let (rules, zone) = (rules(), berlin());
    let taken_at: Vec<_> = (0..SNAPSHOTS).map(hour).collect();

    bencher.bench(|| -> Vec<Verdict> { rules.plan(black_box(&taken_at), &zone, hour(SNAPSHOTS)) });
}

/// A thousand instances with a hundred snapshots each, as a sweep sees them.
#[divan::bench]
fn sweep_over_100_000_snapshots(bencher: Bencher<'_, '_>) {
    let id = ScheduleId::derived(hour(0), &["hourly"]);
    let new = Settings::of("hourly", expression("rate(1 hour)"));
    let new = Settings { rules: Some(rules()), timezone: berlin(), ..new };
    let schedules = BTreeMap::from([(id.clone(), Schedule::made(id.clone(), new, hour(0)))]);
    let snapshots: Vec<_> = (0..SNAPSHOTS).map(|number| snapshot(&id, number)).collect();
    let (in_use, gone, absent) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let world = World {
        schedules: &schedules,
        snapshots: &snapshots,
        in_use: &in_use,
        gone: &gone,
        absent: &absent,
        failed_kept: SignedDuration::from_hours(24),
        now: hour(SNAPSHOTS),
    };

    bencher.bench(|| -> Vec<PlanEntry> { plan(black_box(&world)) });
}

fn snapshot(schedule_id: &ScheduleId, number: i64) -> Snapshot {
    let at = hour(number / INSTANCES);
    let instance_id = format!("i-{:017x}", number % INSTANCES).parse().expect("an instance");
    let source = Source {
        instance_id,
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
    Snapshot {
        status: Status::Available,
        started_at: Some(at),
        ..Snapshot::requested(id, Origin::Schedule, source, Some(slot), at)
    }
}

/// The next fire after each of ten thousand hours.
#[divan::bench(args = [
    "rate(7 minutes)",
    "cron(30 2 * * ? *)",
    "cron(0/5 8-18 ? * MON-FRI *)",
    "cron(0 12 L * ? *)",
    "cron(0 0 29 2 ? *)",
])]
fn next_fires_10_000(bencher: Bencher<'_, '_>, text: &str) {
    let (expression, zone) = (expression(text), berlin());

    bencher.bench(|| {
        let next = |number| expression.next_after(&zone, hour(0), hour(number));
        (0..FIRES).filter_map(next).map(Timestamp::as_second).sum::<i64>()
    });
}
