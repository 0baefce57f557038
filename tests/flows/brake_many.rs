//! The brake on more schedules than the record of a sweep names.

use jiff::SignedDuration;
use serde_json::json;
use shared::domain::ids::{ScheduleId, SnapshotId};
use shared::domain::schedule::{Schedule, Settings};
use shared::domain::snapshot::member::Member;
use shared::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source};
use shared::domain::sweep::NAMED_MAX;

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{approve, sweep};

/// One more than are named.
const SCHEDULES: usize = NAMED_MAX + 1;
/// As many as the brake stops if all but one would go.
const EACH: usize = 12;

/// Records of schedules that were edited to keep the last one only, and of what they have.
async fn edited_schedules(app: &App) {
    let instance = app.instance("web", 1);
    let like = app.record(&app.take_snapshot(&instance).await).await;
    let (table, now) = (&app.service().table, app.now());
    let before = now - SignedDuration::from_hours(48);
    for number in 0..SCHEDULES {
        let id = ScheduleId::derived(before, &[&number.to_string()]);
        let rules = |count| serde_json::from_value(json!({ "keep_last": count })).unwrap();
        let settings = Settings::of("x", "rate(1 day)".parse().unwrap());
        let settings = Settings { rules: Some(rules(100)), enabled: false, ..settings };
        let mut edited = Schedule::made(id.clone(), settings, before);
        edited.settings.rules = Some(rules(1));
        assert!(table.insert_schedule(&edited).await.unwrap().is_done());
        for age in 0..EACH {
            let snapshot = snapshot(&like, &id, number * EACH + age, before);
            let (member, set) = (&snapshot.members[0].ebs_snapshot_id, snapshot.id.to_string());
            let source = like.members[0].ebs_snapshot_id.as_str();
            let tags = [("snapkeep:id", set.as_str())];
            app.ec2.repeat_snapshot(
                ("us-east-1", source),
                (member.as_str(), SignedDuration::ZERO),
                &tags,
            );
            assert!(table.insert_snapshot(&snapshot).await.unwrap().is_done());
        }
    }
}

/// One like another, of an instance that EC2 does not have.
fn snapshot(like: &Snapshot, of: &ScheduleId, number: usize, since: jiff::Timestamp) -> Snapshot {
    let at = since + SignedDuration::from_mins(i64::try_from(number).unwrap());
    let member = Member {
        ebs_snapshot_id: format!("snap-{number:017x}").parse().unwrap(),
        ..like.members[0].clone()
    };
    let instance = number / EACH;
    Snapshot {
        id: SnapshotId::derived(at, &["x"]),
        version: 1,
        origin: Origin::Schedule,
        source: Source {
            instance_id: format!("i-{instance:017x}").parse().unwrap(),
            ..like.source.clone()
        },
        slot: Some(ScheduleSlot { schedule_id: of.clone(), slot: at }),
        members: vec![member],
        started_at: Some(at),
        created_at: at,
        ..like.clone()
    }
}

#[tokio::test]
async fn all_are_stopped_and_released_however_many_the_record_names() {
    let app = App::start().await;
    edited_schedules(&app).await;

    let stopped = sweep(&app, "execute").await;
    let before = app.list("/v1/snapshots?status=condemned").await.len();
    approve(&app, &stopped).await.expect(202);
    app.settle().await;

    let (named, total) = (stopped["brakes"].as_array().unwrap().len(), &stopped["brakes_total"]);
    assert_eq!((named, total, before), (NAMED_MAX, &json!(SCHEDULES), 0));
    let done = app.get(&format!("/v1/sweeps/{}", text(&stopped, "id"))).await;
    assert_eq!(text(&done, "status"), "done");
    // As many as one sweep condemns.
    assert_eq!(done["executed"]["condemned"], json!(1_000));
}
