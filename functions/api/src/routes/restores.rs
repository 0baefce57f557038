//! Restores: the routes.

mod parameters;
mod request;
mod volumes;
mod wire;
mod words;

use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::ids::{RestoreId, SnapshotId};
use shared::domain::restore as domain;
use shared::domain::restore::roles::gives_another_profile;
use shared::domain::restore::transitions::Cancellation;
use shared::domain::restore::wanted::{Accepted, WantedMode, WantedRestore};
use shared::operations::restores;
use shared::operations::restores::request::NewRestore;
use shared::views;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::parameters::{RequestParameters, RestoreParameters};
use self::request::{CancelRestore, RequestDrill, RequestRestore};
use self::wire::Restore;
use super::wire::List;
use crate::app::App;
use crate::call::{Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id, NoFields};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;
use crate::role::Role;

/// For how many days old volumes are to be kept unless somebody says.
const KEEP_OLD_DAYS: u32 = 14;

/// Routes of restores.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(restore_snapshot))
        .routes(routes!(drill_snapshot))
        .routes(routes!(list_restores))
        .routes(routes!(show_restore))
        .routes(routes!(retry_restore))
        .routes(routes!(cancel_restore))
}

fn accepted(restore: domain::Restore) -> Answer<Restore> {
    let path = format!("/v1/restores/{}", restore.id);
    Answer::accepted(restore.into()).location(path)
}

/// Restore a snapshot
///
/// `new_volumes` makes volumes, and attaches them if `attach_to` says so. `replace_volumes` puts them in the place of the
/// instance's while it is stopped, and keeps the old ones. `replace_root` gives the running instance a new root volume.
/// `new_instance` launches another one, as the snapshot's record describes it. Before volumes are replaced a snapshot of
/// the instance is taken, unless `snapshot_first` is false. It goes on step by step; whether our role may do all of it
/// is the first. With `preview=true` nothing is recorded: the answer is the restore as it would be. What costs something must
/// be accepted by name; a refusal lists what to add. Role: operator;
/// admin for an instance profile that was not recorded.
#[utoipa::path(
    post,
    path = "/v1/snapshots/{id}/restore",
    tag = "restores",
    params(
        ("id" = String, Path, description = "The snapshot"),
        RequestParameters,
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same request within 24 hours makes nothing new")
    ),
    request_body = RequestRestore,
    responses(
        (status = 200, description = "A preview: as it would be", body = Restore),
        (status = 202, description = "It is wanted", body = Restore,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "The snapshot is not available, the instance is gone, held by another restore, \
            in the wrong state, or shares a volume with another, or something that it costs is not accepted by name; the \
            detail says which, and what would help"),
        (status = 410, description = "The snapshot's restore window is over")
    )
)]
async fn restore_snapshot(
    call: Call<Operator, RequestParameters>,
    Id(snapshot_id): Id<SnapshotId>,
    creation: Creation<RequestRestore>,
) -> Result<Answer<Restore>, Problem> {
    let wanted = creation.body.clone().checked()?;
    if let WantedMode::NewInstance(_) = &wanted.wanted.mode {
        // A role is more than a disk: whoever gives an instance one that it did not have may do what that role may.
        let snapshot = views::snapshots::show(call.service(), &snapshot_id).await?;
        let recorded = snapshot.source.launch.instance_profile_arn.as_deref();
        if gives_another_profile(&wanted.wanted.mode, recorded) {
            call.needs(Role::Admin, "another instance profile than the recorded one")?;
        }
    }
    let is_preview = call.query.preview == Some(true);
    let Claimed { id, at } = if is_preview {
        Claimed { id: RestoreId::derived(call.now, &[&call.request_id]), at: call.now }
    } else {
        creation.claim(&call, RestoreId::derived).await?
    };
    let new = NewRestore {
        id,
        snapshot_id,
        confirm: wanted.confirm,
        who: call.who.clone(),
        wanted: wanted.wanted,
        attach_to: wanted.attach_to,
        snapshot_first: wanted.snapshot_first,
        keep_old_days: wanted.keep_old_days,
        drill_due: None,
    };
    if is_preview {
        return Ok(Answer::ok(restores::preview(call.service(), &new, at).await?.into()));
    }
    Ok(accepted(restores::request(call.service(), new, at).await?))
}

/// Drill a restore
///
/// Makes volumes of the snapshot, waits until they can be used, and deletes them: its steps say how long a restore
/// takes. Nothing else is touched. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/snapshots/{id}/drill",
    tag = "restores",
    params(
        ("id" = String, Path, description = "The snapshot"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same request within 24 hours makes nothing new")
    ),
    request_body = RequestDrill,
    responses(
        (status = 202, description = "It is wanted", body = Restore,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "The snapshot is not available, or its region is not looked after any more"),
        (status = 410, description = "The snapshot's restore window is over")
    )
)]
async fn drill_snapshot(
    call: Call<Operator>,
    Id(snapshot_id): Id<SnapshotId>,
    creation: Creation<RequestDrill>,
) -> Result<Answer<Restore>, Problem> {
    let zone = creation.body.zone.clone().map(|zone| zone.0);
    let Claimed { id, at } = creation.claim(&call, RestoreId::derived).await?;
    let new = NewRestore {
        id,
        confirm: snapshot_id.to_string(),
        snapshot_id,
        who: call.who.clone(),
        wanted: WantedRestore {
            mode: WantedMode::Drill,
            zone,
            volumes: None,
            initialization_rate_mibps: None,
            accepted: Accepted::default(),
        },
        attach_to: None,
        snapshot_first: None,
        keep_old_days: KEEP_OLD_DAYS,
        drill_due: None,
    };
    Ok(accepted(restores::request(call.service(), new, at).await?))
}

/// List restores
///
/// Newest first. A page may be short although more follow, where few of many are wanted: go on with `next_cursor`.
/// Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/restores",
    tag = "restores",
    params(RestoreParameters, PageParameters),
    responses((status = 200, description = "A page of restores", body = List<Restore>))
)]
async fn list_restores(
    call: Call<Viewer, RestoreParameters>,
) -> Result<Answer<List<Restore>>, Problem> {
    let request = call.query.page.request(Order::default());
    let filter = call.query.filter(call.now);
    let page = views::restores::list(call.service(), &filter, &request).await?;
    Ok(Answer::ok(List::of(page, Restore::from)))
}

/// Show a restore
///
/// How far it is, step by step, what it has made, and, if it has stopped, why, what exists now, and how it goes on or
/// back. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/restores/{id}",
    tag = "restores",
    params(("id" = String, Path, description = "The restore")),
    responses((status = 200, description = "The restore", body = Restore))
)]
async fn show_restore(
    call: Call<Viewer>,
    Id(id): Id<RestoreId>,
) -> Result<Answer<Restore>, Problem> {
    Ok(Answer::ok(views::restores::show(call.service(), &id).await?.into()))
}

/// Retry a restore
///
/// Has one that failed go on at the step where it stopped. Repeated, it does nothing more. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/restores/{id}/retry",
    tag = "restores",
    params(("id" = String, Path, description = "The restore")),
    responses(
        (status = 202, description = "It goes on", body = Restore,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "It is done or cancelled")
    )
)]
async fn retry_restore(
    call: Call<Operator>,
    Id(id): Id<RestoreId>,
    _: Body<NoFields>,
) -> Result<Answer<Restore>, Problem> {
    Ok(accepted(restores::retry(call.service(), &id, &call.who, call.now).await?))
}

/// Cancel a restore
///
/// Takes back what can be taken back: the old volumes are attached where they were, the instance is started if it ran,
/// and what the restore has made is deleted, unless an instance may have written to it. With `leave` everything stays
/// as it is. Repeated, it does nothing more. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/restores/{id}/cancel",
    tag = "restores",
    params(("id" = String, Path, description = "The restore")),
    request_body = CancelRestore,
    responses(
        (status = 202, description = "It is being taken back", body = Restore,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "It is done, or at a step that cannot be stopped")
    )
)]
async fn cancel_restore(
    call: Call<Operator>,
    Id(id): Id<RestoreId>,
    Body(CancelRestore { leave }): Body<CancelRestore>,
) -> Result<Answer<Restore>, Problem> {
    let how = if leave { Cancellation::LeaveAsItIs } else { Cancellation::TakeBack };
    let who = &call.who;
    Ok(accepted(restores::cancel(call.service(), &id, who, how, call.now).await?))
}
