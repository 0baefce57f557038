//! A second region beside the own one.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec};

use super::app::App;
use super::reply::text;

/// The region beside the own one, us-east-1.
pub(crate) const OTHER: &str = "eu-west-1";

/// A system that looks after both.
pub(crate) async fn two_regions() -> App {
    App::beside(OTHER).await
}

/// A running instance in the other region, tagged `Backup=daily`.
pub(crate) fn instance_there(app: &App, name: &str) -> String {
    let spec = InstanceSpec { region: Some(OTHER.to_owned()), ..InstanceSpec::named(name) };
    app.ec2.add_instance(spec.tag("Backup", "daily"))
}

/// The same in the own region.
pub(crate) fn instance_here(app: &App, name: &str) -> String {
    app.ec2.add_instance(InstanceSpec::named(name).tag("Backup", "daily"))
}

/// From now on nothing in the other region answers.
pub(crate) fn cut_off(app: &App) {
    app.ec2.fault(Fault::on("*").in_region(OTHER).times(u64::MAX).internal_error());
}

/// A schedule of what is tagged `Backup=daily`.
pub(crate) async fn daily(app: &App, expression: &str, retention: Value) -> String {
    let body = json!({
        "name": "tagged", "expression": expression, "retention": retention,
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
    });
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

/// The regions of these snapshots, sorted.
pub(crate) async fn regions(app: &App, path: &str) -> Vec<String> {
    let found = app.list(path).await;
    let mut regions: Vec<_> = found.iter().map(|one| text(one, "region").to_owned()).collect();
    regions.sort();
    regions
}
