//! Systems whose instance has many snapshots: one is taken, and the others are made of what it has left, each an hour older.
//!
//! The older ones have their records, their EBS snapshots, and their runs as far back as a calendar goes. What finds a set by a
//! member of it finds the newest only.

use jiff::SignedDuration;
use local::retold::Template;
use serde_json::{Value, json};
use shared::domain::snapshot::ScheduleSlot;

use super::app::App;
use super::meter::Meter;
use super::reply::text;

/// How many runs there are at the most: a month of hours, and some that no calendar shows.
const RUNS_MAX: usize = 800;

/// A system with a schedule of one instance, which has had `count` snapshots taken hour by hour.
pub(crate) struct Grown {
    pub(crate) app: App,
    /// What its calls of the table are counted by.
    pub(crate) meter: Meter,
    pub(crate) instance: String,
    pub(crate) schedule: String,
    /// The ids of its snapshots, the newest first.
    pub(crate) snapshots: Vec<String>,
}

/// The system, a few minutes after the last snapshot.
pub(crate) async fn grown(count: usize) -> Grown {
    let small = App::start().await;
    let instance = small.instance("web", 1);
    let body = json!({
        "name": "hourly", "expression": "cron(0 * * * ? *)",
        "targets": { "instance_ids": [instance] }, "retention": { "keep_last": 10_000 },
    });
    let schedule = small.call("POST", "/v1/schedules", body).await.expect(201);
    let schedule = text(&schedule, "id").to_owned();
    small.pass_minutes(65).await;
    let taken = small.list("/v1/snapshots?status=available").await;
    let [one] = taken.as_slice() else { panic!("{taken:#?}") };
    let first = small.record(text(one, "id")).await;
    let slot = first.slot.clone().unwrap();
    let ebs = first.members[0].ebs_snapshot_id.to_string();

    let items = small.items();
    let template = |kind: &str| {
        let mut of_kind =
            items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(kind));
        let found = of_kind.next().unwrap().to_string();
        assert!(of_kind.next().is_none());
        Template::of(&found, &[])
    };
    let (record, run) = (template("SNAPSHOT#"), template("RUNS#"));
    let path = std::env::temp_dir().join(format!("snapkeep-grown-{}-{count}", std::process::id()));
    small.ec2.save(&path).unwrap();
    let mut ec2: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let region = &mut ec2["world"]["regions"]["us-east-1"];
    let entries = region["snapshots"]["entries"].as_object_mut().unwrap();
    let entry = Template::of(&entries[&ebs].to_string(), &[]);

    let mut all: Vec<_> = items.iter().map(Value::to_string).collect();
    let mut snapshots = vec![first.id.to_string()];
    for age in 1..count {
        let by = SignedDuration::from_hours(-i64::try_from(age).unwrap());
        let earlier = ScheduleSlot { slot: slot.slot + by, ..slot.clone() };
        let id = earlier.snapshot_id(&first.source.instance_id).to_string();
        let member = format!("snap-{age:017x}");
        let other = |name: &str| match name {
            name if name == first.id.as_str() => Some(id.clone()),
            name if name == ebs => Some(member.clone()),
            _ => None,
        };
        let older = |template: &Template| template.told(other, by);
        all.push(older(&record));
        if age < RUNS_MAX {
            all.push(older(&run));
        }
        entries.insert(member.clone(), serde_json::from_str(&older(&entry)).unwrap());
        snapshots.push(id);
    }
    std::fs::write(&path, ec2.to_string()).unwrap();
    let (app, meter) = App::metered_from(&path, small.now()).await;
    std::fs::remove_file(&path).unwrap();
    app.put_texts(&all);
    Grown { app, meter, instance, schedule, snapshots }
}
