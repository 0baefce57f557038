//! Fates: what the API foretells comes true.

use aws_config::retry::RetryConfig;
use jiff::{SignedDuration, Timestamp};
use local::connections;
use serde_json::{Value, json};
use shared::Service;
use shared::domain::cursor::PageRequest;
use shared::domain::fate::Outlook;
use shared::domain::ids::{ScheduleId, SnapshotId};
use shared::domain::instance::launch::LaunchSettings;
use shared::domain::notes::Notes;
use shared::domain::ownership::{EbsState, StorageTier};
use shared::domain::snapshot::Ending;
use shared::domain::snapshot::member::Member;
use shared::domain::snapshot::{Origin, ScheduleSlot, Snapshot, Source, Status};
use shared::service::Connections;
use shared::views::fates::{with_fate, with_fates};
use shared::views::snapshots::{SnapshotFilter, list};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::tripwire::Trip;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn foretold(snapshot: &Value) -> Option<Timestamp> {
    let fate = &snapshot["fate"];
    let instant = fate["expected_deletion_at"].as_str().map(at);
    assert_eq!(text(fate, "outlook") == "at", instant.is_some(), "{fate:#}");
    assert!(!text(fate, "because").is_empty());
    instant
}

/// A snapshot every ten minutes, three of which stay, and five minutes of grace.
async fn every_ten_minutes(app: &App) -> String {
    let instance = app.instance("web", 1);
    let body = json!({
        "name": "often",
        "expression": "rate(10 minutes)",
        "targets": { "instance_ids": [instance] },
        "retention": { "keep_last": 3 },
        "grace_minutes": 5,
    });
    let answer = app.call("POST", "/v1/schedules", body).await.expect(201);
    text(&answer, "id").to_owned()
}

#[tokio::test]
async fn every_foretold_deletion_comes_true() {
    let app = App::start().await;
    every_ten_minutes(&app).await;
    // To just after the sweep of noon.
    app.pass_minutes(121).await;
    let before = app.list("/v1/snapshots?status=available&include=fate").await;
    let foretold: Vec<_> =
        before.iter().map(|one| (text(one, "id").to_owned(), foretold(one).unwrap())).collect();
    assert!(foretold.len() >= 3);

    // The sweep of one o'clock condemns all but the last three.
    app.pass_minutes(59).await;
    for (id, deletion) in &foretold {
        let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
        let delete_after = at(text(&snapshot["condemned"], "delete_after"));
        assert_eq!(text(&snapshot, "status"), "condemned", "{id}");
        // Sweeps run once an hour, and what is foretold is the earliest instant.
        let late = delete_after.duration_since(*deletion);
        assert!((0..=3_600).contains(&late.as_secs()), "{delete_after}");
        assert_eq!(snapshot["fate"]["expected_deletion_at"], snapshot["condemned"]["delete_after"]);
        assert_eq!(snapshot["fate"]["kept_by"], json!([]));
    }
    app.pass_minutes(8).await;

    for (id, _) in &foretold {
        let gone = app.get(&format!("/v1/snapshots/{id}")).await;
        assert_eq!(text(&gone, "status"), "deleted");
        assert_eq!(gone["fate"]["expected_deletion_at"], gone["deleted_at"]);
    }
}

#[tokio::test]
async fn what_the_next_snapshot_would_have_replaced_stays_once_none_comes() {
    let app = App::start().await;
    let schedule = every_ten_minutes(&app).await;
    app.pass_minutes(62).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);

    // One that was taken since the sweep of eleven o'clock, and the three that it left.
    let before = app.list("/v1/snapshots?status=available&include=fate").await;
    app.pass_minutes(180).await;
    let after = app.list("/v1/snapshots?status=available&include=fate").await;

    assert_eq!(before.len(), 4);
    assert!(foretold(&before[3]).unwrap() <= at("2026-03-02T12:05:00Z"), "{:#}", before[3]);
    for snapshot in &before[..3] {
        assert_eq!(foretold(snapshot), None, "{snapshot:#}");
    }
    let ids = |list: &[Value]| list.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before[..3]), ids(&after));
}

#[tokio::test]
async fn a_hold_changes_the_fate_at_once() {
    let app = App::start().await;
    every_ten_minutes(&app).await;
    app.pass_minutes(25).await;
    let oldest =
        app.list("/v1/snapshots?status=available&sort=created_at&include=fate").await.remove(0);
    let path = format!("/v1/snapshots/{}", text(&oldest, "id"));

    let never = json!({ "hold": { "type": "never", "reason": "audit" } });
    let held = app.call("PATCH", &path, never).await.expect(200);
    let until = json!({ "hold": { "type": "until", "until": "2026-03-04T08:20:00Z" } });
    let later = app.call("PATCH", &path, until).await.expect(200);
    let released = app.call("PATCH", &path, json!({ "hold": null })).await.expect(200);

    // The sweep is at eleven o'clock, and the grace five minutes: it may be later than foretold, never earlier.
    assert!(foretold(&oldest).unwrap() <= at("2026-03-02T11:05:00Z"), "{oldest:#}");
    assert_eq!(text(&held["fate"], "outlook"), "never");
    let after_the_hold = at("2026-03-04T08:20:00Z")..=at("2026-03-04T09:05:00Z");
    assert!(after_the_hold.contains(&foretold(&later).unwrap()), "{later:#}");
    assert_eq!(foretold(&released), foretold(&oldest));
    assert_eq!(oldest["fate"]["kept_by"], json!(["last 2 of 3"]));
}

#[tokio::test]
async fn of_a_snapshot_by_hand_only_its_expiry_is_foretold() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let asked = app.call("POST", "/v1/snapshots", json!({ "instance_id": instance })).await;
    let id = text(&asked.expect(202), "id").to_owned();
    app.pass_minutes(2).await;
    let path = format!("/v1/snapshots/{id}");

    let kept = app.get(&path).await;
    let expiry = json!({ "expires_at": "2026-03-02T12:30:00Z" });
    let newest = app.call("PATCH", &path, expiry).await.expect(200);
    app.take_snapshot(&instance).await;
    let expiring = app.get(&path).await;
    app.pass_minutes(240).await;

    assert_eq!(text(&kept["fate"], "outlook"), "never");
    assert_eq!(text(&newest["fate"], "outlook"), "unknown");
    assert!(text(&newest["fate"], "because").contains("newest"));
    // The first sweep there may be, and the default grace of an hour.
    assert_eq!(foretold(&expiring), Some(at("2026-03-02T13:30:00Z")));
    assert_eq!(app.status(&id).await, "deleted");
}

/// A record as if the schedule had taken it then.
async fn put_taken(service: &Service, schedule: &ScheduleId, instance: &str, taken_at: Timestamp) {
    let source = Source {
        instance_id: instance.parse().unwrap(),
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
    let id = SnapshotId::derived(taken_at, &[instance]);
    let member = Member {
        ebs_snapshot_id: format!("snap-{:017x}", taken_at.as_second()).parse().unwrap(),
        volume_id: "vol-0123456789abcdef0".parse().unwrap(),
        device: None,
        boot: true,
        size_gib: 8,
        state: EbsState::Completed,
        progress_percent: 100,
        full_size_bytes: None,
        volume: None,
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    };
    let slot = ScheduleSlot { schedule_id: schedule.clone(), slot: taken_at };
    let snapshot = Snapshot {
        status: Status::Available,
        members: vec![member],
        started_at: Some(taken_at),
        ..Snapshot::requested(id, Origin::Schedule, source, Some(slot), taken_at)
    };
    assert!(service.table.insert_snapshot(&snapshot).await.unwrap().is_done());
}

#[tokio::test]
async fn grandfather_father_and_son_go_when_a_calendar_says() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({
        "name": "nightly",
        "expression": "cron(30 2 * * ? *)",
        "timezone": "Europe/Berlin",
        "targets": { "instance_ids": [instance] },
        "retention": { "keep_daily": 3, "keep_weekly": 2, "keep_monthly": 2 },
    });
    let answer = app.call("POST", "/v1/schedules", body).await.expect(201);
    let schedule: ScheduleId = text(&answer, "id").parse().unwrap();
    // Sunday 22 and Saturday 28 February, Sunday 1 and Monday 2 March 2026.
    for day in ["02-22", "02-28", "03-01", "03-02"] {
        let taken_at = at(&format!("2026-{day}T01:30:00Z"));
        put_taken(app.service(), &schedule, &instance, taken_at).await;
    }

    let list = app.list("/v1/snapshots?sort=created_at&include=fate").await;

    // The earliest that can be: a sweep may be at any minute, a slot may be taken late, and the grace is an hour.
    let foretold: Vec<_> = list
        .iter()
        .map(|one| {
            let kept_by: Vec<_> = one["fate"]["kept_by"].as_array().unwrap().iter().collect();
            (text(one, "slot").to_owned(), kept_by, foretold(one).unwrap().to_string())
        })
        .map(|(slot, kept_by, deletion)| format!("{slot} {} {deletion}", json!(kept_by)))
        .collect();
    assert_eq!(
        foretold,
        [
            // No room is left for it: the next sweep lets it go.
            "2026-02-22T01:30:00Z [] 2026-03-02T11:00:30Z",
            // February's last, until April begins: the slot of 31 March may be taken as late as that.
            r#"2026-02-28T01:30:00Z ["daily 3 of 3","monthly 2 of 2"] 2026-03-31T23:00:00Z"#,
            // Its week's last, until Monday of the week after next.
            r#"2026-03-01T01:30:00Z ["daily 2 of 3","weekly 2 of 2"] 2026-03-09T00:00:00Z"#,
            // Three nights later it is none of the last three; week and month have a newer one.
            r#"2026-03-02T01:30:00Z ["daily 1 of 3","weekly 1 of 2","monthly 1 of 2"] 2026-03-05T02:00:00Z"#,
        ]
    );
}

/// The records of these ids, as somebody has read them.
async fn read(app: &App, ids: &[&str]) -> Vec<Snapshot> {
    let mut records = Vec::new();
    for id in ids {
        records.push(app.record(id).await);
    }
    records
}

#[tokio::test]
async fn a_page_costs_one_list_for_each_instance_that_needs_one() {
    let app = App::start().await;
    let (web, db, manual) = (app.instance("web", 1), app.instance("db", 1), app.instance("x", 1));
    app.schedule("rate(2 minutes)", &[&web, &db], json!({ "keep_last": 30 })).await;
    app.pass_minutes(15).await;
    let manual = app.take_snapshot(&manual).await;
    let listed = app.list("/v1/snapshots?status=available&origin=schedule&limit=200").await;
    let ids: Vec<_> = listed.iter().map(|one| text(one, "id")).chain([manual.as_str()]).collect();
    let page = read(&app, &ids).await;
    let (whole, alone) = (page.clone(), vec![page.last().unwrap().clone()]);

    let counted = async {
        let fates = with_fates(&app.fragile, whole, app.now()).await;
        (fates, app.wire.calls("DynamoDB_20120810.Query"))
    };
    let (fates, calls) = Box::pin(app.wire.run(Trip::After(100), counted)).await.unwrap();
    let alone = app.wire.run(Trip::Before(1), with_fates(&app.fragile, alone, app.now()));
    let alone = Box::pin(alone).await.unwrap();

    assert!(page.len() > 10);
    assert!(fates.iter().all(|(_, fate)| fate.outlook != Outlook::Unknown), "{fates:#?}");
    assert_eq!(calls, 2);
    // It came through although the first call would have stopped it.
    assert_eq!(alone[0].1.outlook, Outlook::Never);
}

/// So many hourly snapshots of a new instance, by a schedule that keeps the last nine.
async fn with_hourly(app: &App, count: i64) {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(1 hour)", &[&instance], json!({ "keep_last": 9 })).await;
    let schedule: ScheduleId = schedule.parse().unwrap();
    for hour in 0..count {
        let taken_at = app.now() - SignedDuration::from_hours(hour);
        put_taken(app.service(), &schedule, &instance, taken_at).await;
    }
}

/// How many Queries and `BatchGetItem`s the view of a page makes, with fates and without.
async fn calls_for_a_page(app: &App) -> [usize; 4] {
    let filter = SnapshotFilter::default();
    let request = PageRequest { limit: 50, ..PageRequest::default() };
    let counted = async {
        let page = list(&app.fragile, &filter, &request).await.unwrap();
        let calls = |name: &str| app.wire.calls(&format!("DynamoDB_20120810.{name}"));
        let plain = [calls("Query"), calls("BatchGetItem")];
        let fates = with_fates(&app.fragile, page.items, app.now()).await;
        assert_eq!(fates.len(), 50);
        assert!(fates.iter().all(|(_, fate)| fate.outlook != Outlook::Unknown), "{fates:#?}");
        [plain[0], plain[1], calls("Query"), calls("BatchGetItem")]
    };
    Box::pin(app.wire.run(Trip::After(100), counted)).await.unwrap()
}

#[tokio::test]
async fn a_page_costs_one_query_and_one_batch_and_fates_one_more_of_each_at_a_hundred() {
    let app = App::start().await;
    with_hourly(&app, 100).await;

    assert_eq!(calls_for_a_page(&app).await, [1, 1, 2, 2]);
}

/// A megabyte of the comb has at least a thousand snapshots.
#[tokio::test]
async fn a_page_costs_the_same_at_three_thousand_but_for_the_megabytes_of_the_comb() {
    let app = App::start().await;
    with_hourly(&app, 3_000).await;

    let [queries, batches, with_fates, batches_with_fates] = calls_for_a_page(&app).await;

    assert_eq!((queries, batches, batches_with_fates), (1, 1, 2));
    assert!((2..=4).contains(&with_fates), "{with_fates}");
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_foreseen_as_well() {
    let app = App::start().await;
    with_hourly(&app, 20).await;
    let foretold = async || {
        let list = app.list("/v1/snapshots?include=fate").await;
        list.into_iter().map(|one| one["fate"].clone()).collect::<Vec<_>>()
    };
    let before = foretold().await;

    for snapshot in app.list("/v1/snapshots").await {
        app.forget_attribute(text(&snapshot, "id"), "comb").await;
    }

    assert_eq!(foretold().await, before);
}

#[tokio::test]
async fn what_cannot_be_read_makes_a_fate_unknown_and_nothing_worse() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(2 minutes)", &[&instance], json!({ "keep_last": 30 })).await;
    app.pass_minutes(5).await;
    let listed = app.list("/v1/snapshots?status=available&include=fate").await;
    let scheduled = read(&app, &[text(&listed[0], "id")]).await.remove(0);
    let manual = Snapshot { slot: None, ..scheduled.clone() };
    let expiring = Snapshot {
        ending: Ending { expires_at: Some(app.now()), ..manual.ending.clone() },
        ..manual.clone()
    };
    let nowhere = connections::at(connections::local("us-east-1"), "http://127.0.0.1:9");
    let nowhere = nowhere.into_builder().retry_config(RetryConfig::disabled()).build();
    let settings = app.service().settings.clone();
    let service = Service::new(settings, &Connections::same(nowhere));

    let now = app.now();
    let scheduled = Box::pin(with_fate(&service, scheduled, now)).await.1;
    let manual = Box::pin(with_fate(&service, manual, now)).await.1;
    let expiring = Box::pin(with_fate(&service, expiring, now)).await.1;

    assert_eq!(scheduled.outlook, Outlook::Unknown);
    assert!(scheduled.because.contains("its schedule cannot be read"));
    assert_eq!(manual.outlook, Outlook::Never);
    assert_eq!(expiring.outlook, Outlook::Unknown);
    assert!(expiring.because.contains("the other snapshots"));
}
