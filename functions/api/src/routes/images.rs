//! Images: the routes.

mod relations;
mod request;
mod wire;

use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::ids::{ImageJobId, SnapshotId};
use shared::operations::images;
use shared::operations::images::delete::DeleteImage;
use shared::views;
use shared::views::image_relations;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::relations::{ImageRelations, SnapshotImages, WantedRelations};
use self::request::{CreateImage, DeleteParameters, ImageParameters};
use self::wire::Image;
use super::wire::{List, checked_tags};
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id, IfMatch};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;

/// Routes of images.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create_image))
        .routes(routes!(list_snapshot_images))
        .routes(routes!(list_images_of_snapshots))
        .routes(routes!(list_images))
        .routes(routes!(show_image, delete_image))
}

fn accepted(image: shared::domain::image::Image) -> Answer<Image> {
    let (version, path) = (image.version, format!("/v1/images/{}", image.id));
    Answer::accepted(Image::of(image, None)).version(version).location(path)
}

/// Register an image
///
/// Registers an AMI from the snapshot: all its volumes at their devices, as the instance was. Nothing is guessed: what
/// the snapshot does not record is refused with the field to give it in. The image goes through `requested` and
/// `registering` to `available` or `failed`. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/snapshots/{id}/image",
    tag = "images",
    params(
        ("id" = String, Path, description = "The snapshot"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same request within 24 hours makes nothing new")
    ),
    request_body = CreateImage,
    responses(
        (status = 202, description = "It is wanted", body = Image, headers(
            ("Location" = String, description = "Where it is found"),
            ("ETag" = String, description = "Its version"))),
        (status = 409, description = "No image can be registered of the snapshot, its platform's licence would be lost, something needed is not recorded, or the name is taken; the detail says which"),
        (status = 410, description = "The snapshot's restore window is over")
    )
)]
async fn create_image(
    call: Call<Operator>,
    Id(snapshot_id): Id<SnapshotId>,
    creation: Creation<CreateImage>,
) -> Result<Answer<Image>, Problem> {
    let body = creation.body.clone();
    let tags = checked_tags("tags", body.tags.clone())?;
    let Claimed { id, at } = creation.claim(&call, ImageJobId::derived).await?;
    let (wanted, given) = body.taken(id, tags, &call.who);
    let image = images::request(call.service(), &snapshot_id, wanted, &given, at).await?;
    Ok(accepted(image))
}

/// List the images of a snapshot
///
/// All AMIs of the account that use its EBS snapshots, as EC2 shows them now: ours and others', disabled ones too.
/// Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/{id}/images",
    tag = "images",
    params(("id" = String, Path, description = "The snapshot")),
    responses(
        (status = 200, description = "The images", body = SnapshotImages),
        (status = 409, description = "Its region is not looked after any more")
    )
)]
async fn list_snapshot_images(
    call: Call<Viewer>,
    Id(id): Id<SnapshotId>,
) -> Result<Answer<SnapshotImages>, Problem> {
    let images = image_relations::images_of_snapshot(call.service(), &id).await?;
    Ok(Answer::ok(SnapshotImages::of(id, Some(images))))
}

/// List the images of many snapshots
///
/// The same for up to 100 snapshots, in the order of their ids. Where EC2 in a snapshot's region is out of reach, its
/// images are null. Role: viewer.
#[utoipa::path(
    post,
    path = "/v1/snapshots/images:batch",
    tag = "images",
    request_body = WantedRelations,
    responses(
        (status = 200, description = "The images of each", body = ImageRelations),
        (status = 409, description = "All are of regions that are not looked after any more")
    )
)]
async fn list_images_of_snapshots(
    call: Call<Viewer>,
    Body(wanted): Body<WantedRelations>,
) -> Result<Answer<ImageRelations>, Problem> {
    let relations = image_relations::images_of_snapshots(call.service(), &wanted.ids()?).await?;
    Ok(Answer::ok(relations.into()))
}

/// List images
///
/// Those that were registered here, newest first. A page may be short although more follow, where few of many are
/// wanted: go on with `next_cursor`. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/images",
    tag = "images",
    params(ImageParameters, PageParameters),
    responses((status = 200, description = "A page of images", body = List<Image>))
)]
async fn list_images(call: Call<Viewer, ImageParameters>) -> Result<Answer<List<Image>>, Problem> {
    let request = call.query.page.request(Order::NewestFirst);
    let page = views::images::list(call.service(), &call.query.filter(), &request).await?;
    Ok(Answer::ok(List::of(page, |image| Image::of(image, None))))
}

/// Show an image
///
/// As it is recorded at this moment, with the instances that were launched from it. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/images/{id}",
    tag = "images",
    params(("id" = String, Path, description = "The image")),
    responses((status = 200, description = "The image", body = Image,
        headers(("ETag" = String, description = "Its version"))))
)]
async fn show_image(call: Call<Viewer>, Id(id): Id<ImageJobId>) -> Result<Answer<Image>, Problem> {
    let image = views::images::show(call.service(), &id).await?;
    let version = image.version;
    let instances = image_relations::instances_from(call.service(), &image).await;
    Ok(Answer::ok(Image::of(image, instances)).version(version))
}

/// Delete an image
///
/// It is deregistered; instances that were launched from it go on, and launch templates that name it launch no more.
/// With `delete_snapshots` the snapshot that it was made from is deleted afterwards, if nothing else needs it: no hold,
/// no other image, and not its being the newest available one of its instance, unless `snapshot_id` names it. Otherwise
/// the snapshot stays, and `deregistration` says why. An image that is gone already stays so. Role: admin.
#[utoipa::path(
    delete,
    path = "/v1/images/{id}",
    tag = "images",
    params(
        ("id" = String, Path, description = "The image"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag"),
        DeleteParameters
    ),
    responses((status = 202, description = "It is being deregistered, or is so already", body = Image, headers(
        ("Location" = String, description = "Where it is found"),
        ("ETag" = String, description = "Its version"))))
)]
async fn delete_image(
    call: Call<Admin, DeleteParameters>,
    Id(id): Id<ImageJobId>,
    IfMatch(expected_version): IfMatch,
) -> Result<Answer<Image>, Problem> {
    let snapshot = call.query.wish();
    let request = DeleteImage { id, who: call.who.clone(), snapshot, expected_version };
    let image = images::delete(call.service(), request, call.now).await?;
    Ok(accepted(image))
}
