//! What snapshots cost in DynamoDB, counted in its units.
//!
//! A figure that grows fails here. One that shrinks is to be written down, here and in `shared/benches/README.md`.

use jiff::SignedDuration;
use serde_json::json;
use sim_ec2::Config;

use crate::support::app::App;
use crate::support::meter::{Meter, Units};

/// What the life of a scheduled snapshot of two volumes takes: taken, available, condemned, deleted.
const LIFE: Units = Units { writes: 106, half_reads: 72 };
/// What an hour takes in which there is nothing to do: sixty ticks, a sweep and a reconciliation.
const IDLE_HOUR: Units = Units { writes: 11, half_reads: 757 };

/// How many hours two lives take: the schedule fires twice in them.
const HOURS: u8 = 24;

/// What a day costs of a schedule of instances with two volumes, which takes two snapshots of each in it and deletes
/// two older ones.
async fn a_day_of(instances: u64) -> (Units, String) {
    let (app, meter) = App::metered(Config::default()).await;
    let names: Vec<_> =
        (0..instances).map(|number| app.instance(&format!("web-{number}"), 2)).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    app.schedule("cron(0 0,12 * * ? *)", &names, json!({ "keep_last": 1 })).await;
    // Until each hour has a snapshot of every age.
    for _ in 0..3 * HOURS {
        app.skip_hour().await;
    }
    let gone_before = app.list("/v1/snapshots?status=deleted").await.len();
    meter.take();

    for _ in 0..HOURS {
        app.skip_hour().await;
    }

    let (units, by_item) = meter.take();
    let gone = app.list("/v1/snapshots?status=deleted").await.len() - gone_before;
    assert_eq!(u64::try_from(gone).unwrap(), instances * 2);
    (units, format!("{by_item:?}"))
}

#[tokio::test]
async fn a_scheduled_snapshots_life_takes_so_many_units() {
    let (few, few_by_item) = a_day_of(1).await;
    let (many, by_item) = a_day_of(6).await;

    // Five instances, two lives each.
    let writes = (many.writes - few.writes).div_ceil(10);
    let half_reads = (many.half_reads - few.half_reads).div_ceil(10);

    let found = format!("{writes} writes, {half_reads} half reads: {few_by_item} {by_item}");
    assert!(writes <= LIFE.writes && half_reads <= LIFE.half_reads, "{found}");
}

#[tokio::test]
async fn an_hour_without_work_takes_so_many_units() {
    let (app, meter): (App, Meter) = App::metered(Config::default()).await;
    app.pass(SignedDuration::from_hours(2)).await;
    meter.take();

    app.pass(SignedDuration::from_hours(1)).await;

    let (units, by_item) = meter.take();
    let is_within = units.writes <= IDLE_HOUR.writes && units.half_reads <= IDLE_HOUR.half_reads;
    assert!(is_within, "{units:?} {by_item:?}");
}
