//! What happens in the ninety days.

use jiff::{SignedDuration, Timestamp};
use local::{function::Function, options::Role};
use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use super::{
    account,
    run::{Outcome, Run},
};

const END: &str = "2026-11-30T09:40:00Z";

/// Lives through all of it.
pub(crate) async fn tell(run: &mut Run) -> Outcome<()> {
    for schedule in account::schedules(|name| run.instance(name)) {
        run.ask("POST", "/v1/schedules", schedule).await?;
    }
    let run = &*run;
    until(run, 84).await?;
    upgrade(run).await?;
    until(run, 60).await?;
    legal_hold(run).await?;
    until(run, 47).await?;
    golden_image(run).await?;
    until(run, 40).await?;
    run.ask("POST", "/v1/schedules", account::web_tier()).await?;
    others(run)?;
    until(run, 33).await?;
    edit(
        run,
        "Before patch day",
        json!({"enabled": false}),
        "Patches come by the image pipeline now",
    )
    .await?;
    until(run, 26).await?;
    // Nothing runs for a morning.
    run.sleep(14);
    until(run, 22).await?;
    run.ec2.set_instance_state(&run.instance("crm-old"), InstanceState::Terminated);
    until(run, 18).await?;
    run.ec2.fault(Fault::on("CreateSnapshots").skip(3).member_fails().times(2));
    until(run, 15).await?;
    restored(run).await?;
    until(run, 9).await?;
    run.ec2.fault(Fault::on("CreateSnapshots").member_fails().times(3));
    until(run, 6).await?;
    let orders = run.instance("orders-db");
    run.ask("POST", "/v1/schedules", account::hourly(&orders)).await?;
    until(run, 3).await?;
    run.ec2.fault(Fault::on("CreateSnapshots").skip(2).member_fails().times(2));
    until(run, 2).await?;
    failed_drill(run).await?;
    until(run, 1).await?;
    busy_hours(run)?;
    last_day(run).await
}

fn end() -> Outcome<Timestamp> {
    Ok(END.parse()?)
}

/// Up to so many days before the end.
async fn until(run: &Run, days: i64) -> Outcome<()> {
    let at = end()? - SignedDuration::from_hours(24 * days);
    eprint_day(days)?;
    Box::pin(run.live(at)).await
}

fn eprint_day(days: i64) -> Outcome<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stderr(), "{days} days before the end")?)
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap_or_default()
}

async fn edit(run: &Run, name: &str, change: Value, reason: &str) -> Outcome<()> {
    let path = format!("/v1/schedules/{}", run.schedule(name).await?);
    run.ask_as(Role::Admin, "PATCH", &path, change, reason).await?;
    Ok(())
}

async fn take(run: &Run, instance: &str, mut more: Value) -> Outcome<String> {
    more["instance_id"] = json!(run.instance(instance));
    let made = run.ask_as(Role::Operator, "POST", "/v1/snapshots", more, "").await?;
    Ok(id(&made).to_owned())
}

async fn wait(run: &Run, minutes: i64) {
    for _ in 0..minutes {
        run.clock.advance(SignedDuration::from_mins(1));
        run.settle().await;
    }
}

async fn upgrade(run: &Run) -> Outcome<()> {
    let description = "PostgreSQL 15.3 to 15.4, ticket OPS-2214. Keep until the quarter is closed.";
    take(
        run,
        "customers-db",
        json!({"name": "before the upgrade to 15.4", "description": description}),
    )
    .await?;
    take(run, "gitlab", json!({"name": "before GitLab 18", "expires_at": "2026-12-20T00:00:00Z"}))
        .await?;
    wait(run, 6).await;
    Ok(())
}

async fn legal_hold(run: &Run) -> Outcome<()> {
    let snapshots = run.snapshots("orders-db").await?;
    let newest = snapshots.first().ok_or("no snapshot of orders-db")?;
    let hold = json!({"hold": {"type": "never", "reason": "Legal: case 2026-117",
        "review_at": (run.now() + SignedDuration::from_hours(24 * 55)).to_string()}});
    let path = format!("/v1/snapshots/{}", id(newest));
    run.ask_as(Role::Admin, "PATCH", &path, hold, "Asked for by the legal department").await?;
    Ok(())
}

/// An image of a snapshot that the rules give up later: its deletion is blocked.
async fn golden_image(run: &Run) -> Outcome<()> {
    for instance in ["api-2", "worker-1"] {
        let snapshots = run.snapshots(instance).await?;
        let newest = snapshots.first().ok_or("no snapshot")?;
        let body = json!({"name": format!("{instance} golden image"), "description": "What new instances are launched from"});
        run.ask_as(
            Role::Operator,
            "POST",
            &format!("/v1/snapshots/{}/image", id(newest)),
            body,
            "",
        )
        .await?;
    }
    wait(run, 8).await;
    Ok(())
}

/// What other tools and people leave in the account.
fn others(run: &Run) -> Outcome<()> {
    let instances = run.ec2.instances();
    for (at, each) in instances.iter().enumerate().filter(|(at, _)| at % 2 == 0) {
        let Some(volume) = each.devices.first().map(|device| device.volume_id.clone()) else {
            continue;
        };
        let region = run.ec2.config().region.clone();
        let body = format!(
            "Action=CreateSnapshot&Version=2016-11-15&VolumeId={volume}&Description=copy+by+hand"
        );
        let answer = run.ec2.answer(&region, body.as_bytes()).body;
        let id = answer.split("<snapshotId>").nth(1).and_then(|rest| rest.split('<').next());
        let id = id.ok_or("no snapshot was made")?;
        match at % 6 {
            0 => {
                run.ec2.tag_snapshot(id, "aws:dlm:lifecycle-policy-id", "policy-0f3c9a5b7d1e2f604");
            }
            2 => run.ec2.tag_snapshot(id, "aws:backup:source-resource", "i-0f3c9a5b7d1e2f604"),
            _ => run.ec2.tag_snapshot(id, "Name", "before the move"),
        }
    }
    Ok(())
}

async fn restored(run: &Run) -> Outcome<()> {
    for (instance, mode) in [("staging-db", "replace_root"), ("wiki", "new_volumes")] {
        let snapshots = run.snapshots(instance).await?;
        let chosen = snapshots.get(1).or(snapshots.first()).ok_or("no snapshot")?;
        let body = json!({"confirm": id(chosen), "mode": mode});
        run.ask_as(
            Role::Operator,
            "POST",
            &format!("/v1/snapshots/{}/restore", id(chosen)),
            body,
            "",
        )
        .await?;
        wait(run, 30).await;
    }
    Ok(())
}

async fn failed_drill(run: &Run) -> Outcome<()> {
    let snapshots = run.snapshots("reporting-db").await?;
    let newest = snapshots.first().ok_or("no snapshot")?;
    run.ec2.deny("CreateVolume");
    let path = format!("/v1/snapshots/{}/drill", id(newest));
    run.ask_as(Role::Operator, "POST", &path, json!({}), "").await?;
    wait(run, 20).await;
    run.ec2.allow("CreateVolume");
    Ok(())
}

/// Toward the end everything runs as often as it does in an account.
fn busy_hours(run: &Run) -> Outcome<()> {
    let mut dispatch = run.world.bus().dispatch();
    dispatch.reschedule(Function::Sweeper, &"rate(1 hour)".parse()?, run.now());
    dispatch.reschedule(Function::Reconciler, &"rate(1 hour)".parse()?, run.now());
    Ok(())
}

async fn last_day(run: &Run) -> Outcome<()> {
    let before =
        |minutes: i64| -> Outcome<Timestamp> { Ok(end()? - SignedDuration::from_mins(minutes)) };
    run.live(before(170)?).await?;
    take(
        run,
        "erp",
        json!({"name": "before the year's closing", "description": "Asked for by the auditors",
        "hold": {"type": "until", "until": "2027-04-01T00:00:00Z", "reason": "Audit of 2026"}}),
    )
    .await?;
    let doomed = take(run, "dev-ben", json!({"name": "trial of the new compiler"})).await?;
    // Until it is available: nothing else is deleted by name.
    wait(run, 10).await;
    run.live(before(70)?).await?;
    run.ask_as(
        Role::Admin,
        "DELETE",
        &format!("/v1/snapshots/{doomed}?grace_minutes=240"),
        Value::Null,
        "Not needed any more",
    )
    .await?;
    let fewer = json!({"retention": {"keep_daily": 3, "keep_weekly": 1, "keep_monthly": 2}});
    edit(run, "Production, every night", fewer, "Cut the cost of the night's snapshots").await?;
    run.live(before(40)?).await?;
    run.ask("POST", "/v1/sweeps", json!({"mode": "execute"})).await?;
    wait(run, 4).await;
    run.live(before(6)?).await?;
    let snapshots = run.snapshots("web-3").await?;
    let chosen = snapshots.get(1).ok_or("no snapshot of web-3")?;
    let body = json!({"confirm": id(chosen), "mode": "replace_volumes", "stop": true});
    run.ask_as(
        Role::Operator,
        "POST",
        &format!("/v1/snapshots/{}/restore", id(chosen)),
        body,
        "The shop shows old prices",
    )
    .await?;
    run.clock.set(before(1)?);
    run.settle().await;
    take(run, "reporting-db", json!({"name": "before the new schema"})).await?;
    run.settle().await;
    run.clock.set(end()?);
    run.settle().await;
    Ok(())
}
