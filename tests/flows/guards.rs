//! What must hold at the moment of a deletion: EC2's word for what lets a set go, and that a set goes whole or stays.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::snapshot::Status;
use shared::domain::snapshot::condemnation::BlockedCause;
use sim_ec2::{Config, Fault, RetentionRule};

use super::deletion::with_condemned;
use crate::support::app::App;
use crate::support::events::due;
use crate::support::others::image_of;
use crate::support::reply::text;
use crate::support::sweeps::{ec2, sweep};

/// The EBS snapshots of a set, as its record names them.
async fn members(app: &App, id: &str) -> Vec<String> {
    let record = app.record(id).await;
    record.members.iter().map(|member| member.ebs_snapshot_id.to_string()).collect()
}

fn lock(app: &App, ebs_snapshot: &str) {
    ec2(
        app,
        &format!(
            "Action=LockSnapshot&SnapshotId={ebs_snapshot}&LockMode=governance&LockDuration=30&Version=2016-11-15"
        ),
    );
}

fn archive(app: &App, ebs_snapshot: &str) {
    let body = format!("Action=ModifySnapshotTier&SnapshotId={ebs_snapshot}&Version=2016-11-15");
    ec2(app, &body);
}

/// The ids of the snapshots that are available, the oldest first.
async fn available(app: &App) -> Vec<String> {
    let listed = app.list("/v1/snapshots?status=available&sort=created_at").await;
    listed.iter().map(|one| text(one, "id").to_owned()).collect()
}

/// The grace of these is over, and the reaper comes before anybody else has looked at EC2.
async fn reap(app: &App, ids: &[String]) {
    app.clock.advance(SignedDuration::from_mins(61));
    for id in ids {
        reaper::handle(app.service(), &app.function_clock(), due(id)).await.unwrap();
    }
}

#[tokio::test]
async fn a_set_of_which_one_member_is_locked_stays_whole() {
    for position in 0..2 {
        let app = App::start().await;
        let (_, condemned) = with_condemned(&app).await;
        lock(&app, &members(&app, &condemned[0]).await[position]);

        app.pass_minutes(75).await;

        let record = app.record(&condemned[0]).await;
        assert_eq!(record.status, Status::Condemned, "member {position} is locked");
        assert!(matches!(record.ending.blocked.unwrap().cause, BlockedCause::Locked { .. }));
        assert_eq!(app.sets()[&condemned[0]], 2);
        assert_eq!(app.status(&condemned[1]).await, "deleted");
    }
}

#[tokio::test]
async fn a_set_of_which_one_member_may_not_be_deleted_stays_whole() {
    // The second is tried out, then the first is deleted.
    for refused in 0..2 {
        let app = App::start().await;
        let (_, condemned) = with_condemned(&app).await;
        let fault = Fault::on("DeleteSnapshot").skip(refused);
        app.ec2.fault(fault.error("UnauthorizedOperation", 403));

        reap(&app, &condemned[..1]).await;

        let record = app.record(&condemned[0]).await;
        assert_eq!(record.status, Status::Condemned);
        assert!(matches!(record.ending.blocked.unwrap().cause, BlockedCause::NotPermitted { .. }));
        assert_eq!(app.sets()[&condemned[0]], 2);
    }
}

#[tokio::test]
async fn a_set_of_which_one_member_has_lost_our_tags_stays_whole() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let second = members(&app, &condemned[0]).await.remove(1);
    let body =
        format!("Action=DeleteTags&ResourceId.1={second}&Tag.1.Key=snapkeep:id&Version=2016-11-15");
    ec2(&app, &body);

    reap(&app, &condemned[..1]).await;

    let record = app.record(&condemned[0]).await;
    assert_eq!(record.status, Status::Condemned);
    assert_eq!(record.ending.blocked.unwrap().cause, BlockedCause::NotMarked { message: None });
}

/// A set of which EC2 has deleted one member and refused the other, though everything was asked before.
async fn torn(app: &App) -> String {
    let (_, condemned) = with_condemned(app).await;
    // The second member is tried out, the first is deleted, and then somebody is faster.
    app.ec2.fault(Fault::on("DeleteSnapshot").skip(2).error("SnapshotLocked", 400));
    reap(app, &condemned[..1]).await;
    condemned[0].clone()
}

#[tokio::test]
async fn a_set_that_is_torn_all_the_same_says_so() {
    let app = App::start().await;

    let id = torn(&app).await;
    app.pass_minutes(2).await;

    let record = app.record(&id).await;
    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    let review = app.get("/v1/snapshots/review").await;
    let told: Vec<_> = app
        .announced()
        .into_iter()
        .filter(|event| event["detail-type"] == "snapkeep.snapshot.damaged")
        .collect();
    let history = app.list("/v1/audit?action=snapshot.damaged").await;
    assert_eq!(record.status, Status::Deleting);
    assert!(matches!(record.ending.blocked.unwrap().cause, BlockedCause::Locked { .. }));
    assert!(matches!(record.ending.damaged.unwrap().cause, BlockedCause::Locked { .. }));
    assert_eq!(shown["damaged"]["cause"], "locked");
    assert_eq!(shown["restorable"], false);
    assert_eq!(review["damaged"]["items"][0]["snapshot_id"], id.as_str());
    assert_eq!(told.len(), 1);
    assert_eq!(history.len(), 1);
}

#[tokio::test]
async fn what_is_left_of_a_torn_set_goes_only_when_a_person_asks_again() {
    let app = App::start().await;
    let id = torn(&app).await;
    let calls = app.ec2.calls()["DeleteSnapshot"];

    app.clock.advance(SignedDuration::from_hours(49));
    reaper::handle(app.service(), &app.function_clock(), due(&id)).await.unwrap();
    let silent = app.ec2.calls()["DeleteSnapshot"] == calls;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.settle().await;

    assert!(silent);
    assert_eq!(app.status(&id).await, "deleted");
    assert!(!app.sets().contains_key(&id));
}

#[tokio::test]
async fn an_image_that_ec2_does_not_show_yet_tears_no_set_unsaid() {
    let config = Config { visibility_lag: SignedDuration::from_secs(20), ..Config::default() };
    let app = App::with(config).await;
    let (_, condemned) = with_condemned(&app).await;
    app.clock.advance(SignedDuration::from_mins(61));
    let second = members(&app, &condemned[0]).await.remove(1);
    image_of(&app, &second);

    reaper::handle(app.service(), &app.function_clock(), due(&condemned[0])).await.unwrap();

    let record = app.record(&condemned[0]).await;
    let gone = record.members.iter().filter(|member| member.deleted).count();
    assert_eq!(record.ending.damaged.is_some(), gone > 0);
    assert!(record.ending.blocked.is_some());
}

#[tokio::test]
async fn what_is_gone_in_ec2_lets_no_other_go_though_its_record_says_available() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    for id in available(&app).await {
        for member in members(&app, &id).await {
            app.ec2.remove_snapshot(&member);
        }
    }

    reap(&app, &condemned).await;

    for id in &condemned {
        assert_eq!(app.status(id).await, "available");
    }
    assert_eq!(app.ec2.snapshots().len(), 6);
}

#[tokio::test]
async fn what_has_lost_a_member_or_is_archived_lets_no_other_go() {
    for harm in ["one member deleted", "one member archived"] {
        let app = App::start().await;
        let (_, condemned) = with_condemned(&app).await;
        for id in available(&app).await {
            let member = members(&app, &id).await.remove(1);
            match harm {
                "one member deleted" => app.ec2.remove_snapshot(&member),
                _ => archive(&app, &member),
            }
        }

        reap(&app, &condemned).await;

        for id in &condemned {
            assert_eq!(app.status(id).await, "available", "{harm}");
        }
    }
}

#[tokio::test]
async fn a_sweep_counts_only_what_ec2_shows() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(5 minutes)", &[&instance], json!({ "keep_last": 9 })).await;
    app.pass_minutes(45).await;
    let path = format!("/v1/schedules/{schedule}");
    let edit = json!({ "enabled": false, "retention": { "keep_last": 2 } });
    app.call("PATCH", &path, edit).await.expect(200);
    let taken = available(&app).await;
    for id in &taken[taken.len() - 2..] {
        app.ec2.remove_snapshot(&members(&app, id).await[0]);
    }

    let planned = sweep(&app, "plan_only").await;
    sweep(&app, "execute").await;

    assert_eq!(planned["planned"]["delete"], taken.len() - 4);
    for id in &taken[taken.len() - 4..taken.len() - 2] {
        assert_eq!(app.status(id).await, "available");
    }
}

#[tokio::test]
async fn what_the_rules_keep_now_is_rescued_by_the_sweep() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    for id in &available(&app).await[1..] {
        app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    }

    sweep(&app, "execute").await;
    app.pass_minutes(75).await;

    let mut left = available(&app).await;
    left.sort();
    assert_eq!(left.len(), 2, "the rules promise two");
    assert!(left.contains(&condemned[2]), "the newest of those that were condemned stays");
    assert_eq!(app.status(&condemned[1]).await, "deleted");
    let marked = app.ec2.snapshots().iter().any(|one| one.tags.contains_key("snapkeep:state"));
    assert!(!marked);
}

#[tokio::test]
async fn what_the_rules_keep_now_is_rescued_by_the_last_check() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    for id in &available(&app).await[1..] {
        for member in members(&app, id).await {
            app.ec2.remove_snapshot(&member);
        }
    }

    // One good one is left, and the rules promise two.
    reap(&app, &condemned[2..]).await;

    assert_eq!(app.status(&condemned[2]).await, "available");
}

#[tokio::test]
async fn a_set_without_the_boot_volume_lets_no_full_one_go() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "max_age": "1h" })).await;
    app.pass_minutes(35).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    let newest_full = available(&app).await.pop().unwrap();

    let partial = json!({ "instance_id": instance, "exclude_boot_volume": true });
    app.call("POST", "/v1/snapshots", partial).await.expect(202);
    app.pass_minutes(240).await;

    let left = available(&app).await;
    assert_eq!(left.len(), 2);
    assert_eq!(left[0], newest_full);
}

#[tokio::test]
async fn an_archived_set_is_seen_as_what_it_is() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;
    let newer = app.take_snapshot(&instance).await;

    for member in members(&app, &newer).await {
        archive(&app, &member);
    }
    app.pass_minutes(130).await;

    let shown = app.get(&format!("/v1/snapshots/{newer}")).await;
    let protection = app.get(&format!("/v1/instances/{instance}")).await;
    let newest = &protection["protection"]["newest_available"];
    assert_eq!((&shown["archived"], &shown["restorable"]), (&json!(true), &json!(false)));
    assert_eq!(shown["volumes"][0]["storage_tier"], "archive");
    assert_eq!(newest["snapshot_id"], id.as_str());
    let restore = format!("/v1/snapshots/{newer}/restore");
    let refused =
        app.call("POST", &restore, json!({ "confirm": newer, "mode": "new_volumes" })).await;
    assert!(text(&refused.expect(409), "detail").contains("archive"));
}

/// The reaper over a wire, at whose first call that says `words` somebody else comes first.
async fn reap_amid(app: &App, id: &str, words: &str, other: impl Future<Output = ()>) {
    app.clock.advance(SignedDuration::from_mins(61));
    let clock = app.function_clock();
    let work = reaper::handle(&app.fragile, &clock, due(id));
    app.wire.amid(words, work, other).await.unwrap();
}

/// What claims a deletion: the one transaction of the reaper's.
const CLAIM: &str = "TransactWriteItems";

#[tokio::test]
async fn a_schedule_that_is_edited_between_check_and_claim_keeps_what_it_says_now() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;

    let edited = async {
        let edit = json!({ "retention": { "keep_last": 9 } });
        app.call("PATCH", &format!("/v1/schedules/{schedule}"), edit).await.expect(200);
    };
    reap_amid(&app, &condemned[2], CLAIM, edited).await;

    assert_eq!(app.sets()[&condemned[2]], 2);
    assert_eq!(app.status(&condemned[2]).await, "condemned");
    app.pass_minutes(30).await;
    assert_eq!(app.status(&condemned[2]).await, "available");
}

#[tokio::test]
async fn a_schedule_that_is_deleted_between_check_and_claim_deletes_nothing() {
    let app = App::start().await;
    let (schedule, condemned) = with_condemned(&app).await;

    let deleted = async {
        app.call("DELETE", &format!("/v1/schedules/{schedule}"), Value::Null).await.expect(204);
    };
    reap_amid(&app, &condemned[2], CLAIM, deleted).await;
    app.pass_minutes(30).await;

    assert_eq!(app.sets()[&condemned[2]], 2);
    assert_eq!(app.status(&condemned[2]).await, "available");
}

#[tokio::test]
async fn what_the_rules_have_counted_and_goes_between_check_and_claim_keeps_the_next() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    // Two are promised. The newest guards; the others are only counted.
    let mut counted = available(&app).await;
    counted.pop();

    let deleted = async {
        for id in &counted {
            app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
        }
    };
    reap_amid(&app, &condemned[2], CLAIM, deleted).await;

    assert_eq!(app.sets()[&condemned[2]], 2);
    assert_eq!(app.status(&condemned[2]).await, "condemned");
    app.pass_minutes(30).await;
    assert_eq!(app.status(&condemned[2]).await, "available");
}

#[tokio::test]
async fn an_image_that_appears_between_the_check_of_the_batch_and_the_claim_keeps_the_set_whole() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let second = members(&app, &condemned[0]).await.remove(1);

    // The batch has asked for images by then; locks are asked for right before the claim.
    let made = async {
        image_of(&app, &second);
    };
    reap_amid(&app, &condemned[0], "Action=DescribeLockedSnapshots", made).await;

    let record = app.record(&condemned[0]).await;
    assert_eq!(record.status, Status::Condemned);
    assert!(matches!(record.ending.blocked.unwrap().cause, BlockedCause::InUse { .. }));
    assert_eq!(app.sets()[&condemned[0]], 2);
}

// The batch has not seen it, so nobody has asked whether it is locked.
#[tokio::test]
async fn a_member_that_comes_out_of_the_recycle_bin_after_the_check_of_the_batch_keeps_the_set_whole()
 {
    let app = App::start().await;
    app.ec2.add_retention_rule("us-east-1", RetentionRule::all(7));
    let (_, condemned) = with_condemned(&app).await;
    let second = members(&app, &condemned[0]).await.remove(1);
    ec2(&app, &format!("Action=DeleteSnapshot&SnapshotId={second}&Version=2016-11-15"));
    // Two looks do not show it, so that its absence is believed.
    reap(&app, &condemned[..1]).await;

    let restored = async {
        let action = "Action=RestoreSnapshotFromRecycleBin";
        ec2(&app, &format!("{action}&SnapshotId={second}&Version=2016-11-15"));
        lock(&app, &second);
    };
    reap_amid(&app, &condemned[0], "Action=DescribeLockedSnapshots", restored).await;

    assert_eq!(app.sets()[&condemned[0]], 2);
    assert_eq!(app.status(&condemned[0]).await, "condemned");
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_stops_no_sweep_and_lets_nothing_go() {
    let app = App::start().await;
    let (_, condemned) = with_condemned(&app).await;
    let newest = available(&app).await.pop().unwrap();
    let untouched = app.sets().len();

    // Without the newest the rules promise two of those that are left.
    app.spoil_snapshot(&newest).await;
    let swept = sweep(&app, "execute").await;
    app.pass_minutes(75).await;

    assert_eq!(text(&swept, "status"), "done");
    assert_eq!(swept["unreadable_snapshot_ids"], json!([newest]));
    assert_eq!(available(&app).await.len(), 2);
    assert_eq!(app.sets()[&newest], 2);
    assert_eq!(app.sets().len(), untouched - condemned.len());
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap();
}
