//! Regions: each snapshot says where it is, and lists can be narrowed to one.

use serde_json::{Value, json};
use sim_ec2::InstanceSpec;

use crate::support::app::App;
use crate::support::regions::{OTHER, cut_off, instance_here, instance_there, two_regions};
use crate::support::reply::text;

async fn ids(app: &App, path: &str) -> Vec<String> {
    app.list(path).await.iter().map(|one| text(one, "id").to_owned()).collect()
}

#[tokio::test]
async fn u7_a_snapshot_says_in_which_region_and_zone_it_was_taken() {
    let app = two_regions().await;
    let there = instance_there(&app, "there");

    let id = app.take_snapshot(&there).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!((text(&shown, "region"), text(&shown, "zone")), (OTHER, "eu-west-1a"));
    let listed = app.list("/v1/snapshots").await;
    assert_eq!((text(&listed[0], "region"), text(&listed[0], "zone")), (OTHER, "eu-west-1a"));
}

#[tokio::test]
async fn b28_lists_of_snapshots_and_instances_are_narrowed_to_a_region() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let (near, far) = (app.take_snapshot(&here).await, app.take_snapshot(&there).await);

    assert_eq!(ids(&app, "/v1/instances?region=us-east-1").await, std::slice::from_ref(&here));
    assert_eq!(ids(&app, "/v1/instances?region=eu-west-1").await, std::slice::from_ref(&there));
    assert_eq!(ids(&app, "/v1/instances").await, [here, there]);
    assert_eq!(ids(&app, "/v1/snapshots?region=us-east-1").await, [near]);
    assert_eq!(ids(&app, "/v1/snapshots?region=eu-west-1").await, [far]);
    app.call("GET", "/v1/instances?region=ap-east-1", Value::Null).await.expect(400);
}

#[tokio::test]
async fn b28_pages_of_instances_go_on_in_the_next_region() {
    let app = two_regions().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(instance_here(&app, &format!("here-{number}")));
        made.push(instance_there(&app, &format!("there-{number}")));
    }
    for limit in [1, 3, 7, 14] {
        let mut listed = ids(&app, &format!("/v1/instances?limit={limit}")).await;
        let own = listed[..7].iter().all(|id| made.iter().step_by(2).any(|one| one == id));
        assert!(own, "{limit}: our own region comes first");
        listed.sort();
        let mut all = made.clone();
        all.sort();
        assert_eq!(listed, all, "{limit}");
    }
}

#[tokio::test]
async fn a_list_of_instances_says_which_regions_are_missing() {
    let app = two_regions().await;
    let here = instance_here(&app, "here");
    instance_there(&app, "there");
    cut_off(&app);

    let list = app.get("/v1/instances").await;
    let narrowed = app.get("/v1/instances?region=us-east-1").await;
    let alone = app.call("GET", "/v1/instances?region=eu-west-1", Value::Null).await;
    app.ec2.forget_faults();
    let again = app.get("/v1/instances").await;

    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["id"], json!(here));
    assert_eq!(list["regions_out_of_reach"], json!([OTHER]));
    assert_eq!(narrowed["regions_out_of_reach"], json!([]));
    assert_eq!(alone.status, 503);
    assert_eq!(again["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_instance_is_found_in_whichever_region_has_it() {
    let app = two_regions().await;
    let (here, there) = (instance_here(&app, "here"), instance_there(&app, "there"));
    let unknown = "/v1/instances/i-00000000000000000";

    let missing = app.call("GET", unknown, Value::Null).await;
    let shown = app.get(&format!("/v1/instances/{there}")).await;
    cut_off(&app);
    let shown_here = app.get(&format!("/v1/instances/{here}")).await;
    let uncertain = app.call("GET", unknown, Value::Null).await;
    let body = json!({ "instance_id": there });
    let refused = app.call("POST", "/v1/snapshots", body).await;

    assert_eq!(missing.status, 404);
    assert_eq!(text(&shown, "region"), OTHER);
    assert_eq!(shown["disks"].as_array().unwrap().len(), 1);
    assert_eq!(text(&shown_here, "region"), "us-east-1");
    assert_eq!((uncertain.status, refused.status), (503, 503));
}

#[tokio::test]
async fn a_region_that_is_not_named_is_not_looked_at() {
    let app = App::start().await;
    let spec = InstanceSpec { region: Some(OTHER.to_owned()), ..InstanceSpec::named("there") };
    app.ec2.add_instance(spec);

    assert!(ids(&app, "/v1/instances").await.is_empty());
}
