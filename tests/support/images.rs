//! Images as a person asks for them.

use serde_json::{Value, json};

use super::app::App;
use super::reply::text;

/// An image of this snapshot that is asked for and on its way.
pub(crate) async fn request_image(app: &App, snapshot: &str) -> String {
    let path = format!("/v1/snapshots/{snapshot}/image");
    let answer = app.call("POST", &path, json!({})).await.expect(202);
    text(&answer, "id").to_owned()
}

/// An image of this snapshot that is available: our identifier of it and EC2's.
pub(crate) async fn make_image(app: &App, snapshot: &str) -> (String, String) {
    let id = request_image(app, snapshot).await;
    app.settle().await;
    let image = show_image(app, &id).await;
    assert_eq!(text(&image, "status"), "available", "{image:#}");
    (id, text(&image, "ami_id").to_owned())
}

/// The image as it is recorded.
pub(crate) async fn show_image(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/images/{id}")).await
}

/// Where the image stands.
pub(crate) async fn image_status(app: &App, id: &str) -> String {
    text(&show_image(app, id).await, "status").to_owned()
}

/// Has the image deregistered, with these parameters.
pub(crate) async fn delete_image(app: &App, id: &str, parameters: &str) -> Value {
    app.call("DELETE", &format!("/v1/images/{id}{parameters}"), Value::Null).await.expect(202)
}

/// What the snapshot says of its images.
pub(crate) async fn image_ids(app: &App, snapshot: &str) -> Vec<String> {
    let shown = app.get(&format!("/v1/snapshots/{snapshot}")).await;
    let ids = shown["ami_ids"].as_array().unwrap();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}
