//! Restores and the roles of instances: nobody gets a role by them that they did not have.

use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, LaunchSettings, SeedVolume};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::restores::{after, begun};

const RECORDED: &str = "arn:aws:iam::123456789012:instance-profile/web-1";
const ADMIN: &str = "arn:aws:iam::123456789012:instance-profile/OrganizationAdmin";
const WEB_ROLES: &str = "arn:aws:iam::123456789012:role/web-*";

/// An instance with a role, and a snapshot of it.
async fn with_role(app: &App) -> String {
    let settings =
        LaunchSettings { instance_profile: Some(RECORDED.to_owned()), ..LaunchSettings::default() };
    let mut spec = InstanceSpec::named("web").settings(settings);
    spec.volumes = vec![SeedVolume::new("/dev/xvda", 8)];
    let instance = app.ec2.add_instance(spec);
    app.take_snapshot(&instance).await
}

async fn ask_as(app: &App, role: &str, snapshot: &str, instance: Value) -> u16 {
    let path = format!("/v1/snapshots/{snapshot}/restore");
    let body = json!({ "confirm": snapshot, "mode": "new_instance", "instance": instance });
    app.send("POST", &path, body, &[("x-snapkeep-role", role)]).await.status
}

#[tokio::test]
async fn an_operator_gives_no_other_profile_than_the_recorded_one() {
    let app = App::start().await;
    let snapshot = with_role(&app).await;
    let profile = |arn: &str| json!({ "instance_profile_arn": arn });

    assert_eq!(ask_as(&app, "operator", &snapshot, profile(ADMIN)).await, 403);
    assert_eq!(app.list("/v1/restores").await, Vec::<Value>::new());
    assert_eq!(ask_as(&app, "operator", &snapshot, profile(RECORDED)).await, 202);
    assert_eq!(ask_as(&app, "operator", &snapshot, profile("none")).await, 202);
    assert_eq!(ask_as(&app, "operator", &snapshot, json!({})).await, 202);
    assert_eq!(ask_as(&app, "admin", &snapshot, profile(ADMIN)).await, 202);
}

#[tokio::test]
async fn where_no_role_may_be_given_the_check_says_so_before_anything_is_made() {
    let app = App::passing("").await;
    let snapshot = with_role(&app).await;

    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    let failed = after(&app, &id, 3).await;

    assert_eq!(text(&failed, "status"), "failed");
    let failure = &failed["failure"];
    assert_eq!(text(failure, "step"), "check", "{failure:#}");
    let said = failure.to_string();
    assert!(said.contains("iam:PassRole") && said.contains("InstanceRoles"), "{said}");
    assert!(app.ec2.images().is_empty());
}

#[tokio::test]
async fn where_no_role_may_be_given_an_instance_comes_back_without_one() {
    let app = App::passing("").await;
    let snapshot = with_role(&app).await;

    let instance = json!({ "instance_profile_arn": "none" });
    let body = json!({ "mode": "new_instance", "instance": instance });
    let id = begun(&app, &snapshot, body).await;
    let done = after(&app, &id, 20).await;

    assert_eq!(text(&done, "status"), "done", "{done:#}");
    let made =
        app.ec2.instances().into_iter().find(|one| one.tags.contains_key("snapkeep:restore"));
    assert_eq!(made.unwrap().settings.instance_profile, None);
}

#[tokio::test]
async fn a_role_that_is_named_is_given_and_another_is_refused_by_aws() {
    let app = App::passing(WEB_ROLES).await;
    let snapshot = with_role(&app).await;

    let id = begun(&app, &snapshot, json!({ "mode": "new_instance" })).await;
    assert_eq!(text(&after(&app, &id, 20).await, "status"), "done");
    let instance = json!({ "instance_profile_arn": ADMIN });
    let body = json!({ "mode": "new_instance", "instance": instance });
    let id = begun(&app, &snapshot, body).await;
    let failed = after(&app, &id, 20).await;

    assert_eq!(text(&failed, "status"), "failed", "{failed:#}");
    let with_admin =
        |one: &sim_ec2::Instance| one.settings.instance_profile.as_deref() == Some(ADMIN);
    assert!(!app.ec2.instances().iter().any(with_admin));
}
