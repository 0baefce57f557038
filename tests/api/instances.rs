//! Single instances: what EC2 tells of them, and what it does not.

use serde_json::Value;
use sim_ec2::InstanceSpec;

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn an_instance_shows_what_its_type_offers() {
    let app = App::start().await;
    let id = app.ec2.add_instance(InstanceSpec::named("render").instance_type("g4dn.xlarge"));

    let instance = app.get(&format!("/v1/instances/{id}")).await;

    assert_eq!(instance["machine"]["vcpus"], 4);
    assert_eq!(instance["machine"]["gpus"][0]["count"], 1);
}

#[tokio::test]
async fn an_instance_of_a_type_that_ec2_does_not_tell_of_is_shown_all_the_same() {
    let app = App::start().await;
    let id = app.ec2.add_instance(InstanceSpec::named("new").instance_type("x99z.large"));

    let instance = app.get(&format!("/v1/instances/{id}")).await;

    assert_eq!(text(&instance, "id"), id);
    assert_eq!(instance["machine"], Value::Null);
}
