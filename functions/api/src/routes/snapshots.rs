//! Snapshots: the routes.

mod batch;
mod copies;
mod fate;
mod hold;
mod left_out;
mod request;
mod sort;
mod volume;
mod wire;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::Service;
use shared::domain::cursor::Page;
use shared::domain::ids::SnapshotId;
use shared::domain::instance::Exclusions;
use shared::domain::snapshot::Request;
use shared::operations::snapshots;
use shared::operations::snapshots::delete::DeleteRequest;
use shared::operations::snapshots::edit::Editor;
use shared::operations::snapshots::request::NewSnapshot;
use shared::views;
use shared::views::fates;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::fate::{BlockedBy, Condemner, FateOutlook};
pub(super) use self::hold::Hold;
use self::request::{CreateSnapshot, DeleteParameters, EditSnapshot, SnapshotParameters};
pub(super) use self::sort::Sort;
pub(super) use self::wire::CONSISTENCY_NOTE;
use self::wire::Snapshot;
use super::wire::{CountedList, ahead, checked_tags};
use crate::again::again;
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id, IfMatch, NoFields};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;
use crate::role::Role;

/// Routes of snapshots.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_snapshots, create_snapshot))
        .routes(routes!(show_snapshot, edit_snapshot, delete_snapshot))
        .routes(routes!(rescue_snapshot))
        .merge(batch::routes())
}

type Record = shared::domain::snapshot::Snapshot;

async fn answer(service: &Service, record: Record, now: Timestamp) -> Answer<Snapshot> {
    let version = record.version;
    let (record, fate) = fates::with_fate(service, record, now).await;
    Answer::ok(Snapshot::of(record, Some(fate), now)).version(version)
}

async fn accepted(service: &Service, record: Record, now: Timestamp) -> Answer<Snapshot> {
    let (version, path) = (record.version, format!("/v1/snapshots/{}", record.id));
    let (record, fate) = fates::with_fate(service, record, now).await;
    Answer::accepted(Snapshot::of(record, Some(fate), now)).version(version).location(path)
}

/// List snapshots
///
/// Newest first unless `sort` says otherwise. A page may be short although more follow, where few of many are
/// wanted: go on with `next_cursor`, which stays good when snapshots come and go. With `include=fate` each tells why it is
/// kept and when it will go, which takes a read of all snapshots of each instance on the page. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots",
    tag = "snapshots",
    params(SnapshotParameters, PageParameters),
    responses((status = 200, description = "A page of snapshots", body = CountedList<Snapshot>))
)]
async fn list_snapshots(
    call: Call<Viewer, SnapshotParameters>,
) -> Result<Answer<CountedList<Snapshot>>, Problem> {
    let order = call.query.sort.unwrap_or_default().into();
    let request = call.query.page.request(order);
    let filter = call.query.filter()?;
    let page = views::snapshots::list(call.service(), &filter, &request).await?;
    let total = if call.query.is_counted() {
        Some(views::snapshots::total(call.service(), &filter).await?)
    } else {
        None
    };
    if call.query.include.is_empty() {
        let wire = |one| Snapshot::of(one, None, call.now);
        return Ok(Answer::ok(CountedList::of(page, total, wire)));
    }
    let Page { items, next_cursor } = page;
    let items = fates::with_fates(call.service(), items, call.now).await;
    let page = Page { items, next_cursor };
    let wire = |(one, fate)| Snapshot::of(one, Some(fate), call.now);
    Ok(Answer::ok(CountedList::of(page, total, wire)))
}

/// Show a snapshot
///
/// As it is at this moment, with why it is kept and when it will go. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/{id}",
    tag = "snapshots",
    params(("id" = String, Path, description = "The snapshot")),
    responses((status = 200, description = "The snapshot", body = Snapshot,
        headers(("ETag" = String, description = "Its version"))))
)]
async fn show_snapshot(
    call: Call<Viewer>,
    Id(id): Id<SnapshotId>,
) -> Result<Answer<Snapshot>, Problem> {
    let snapshot = views::snapshots::show(call.service(), &id).await?;
    Ok(answer(call.service(), snapshot, call.now).await)
}

/// Take a snapshot
///
/// Records that a snapshot of the instance is wanted and answers at once; it goes through `requested`,
/// `creating` and `pending` to `available` or `error`. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/snapshots",
    tag = "snapshots",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same request within 24 hours makes nothing new")),
    request_body = CreateSnapshot,
    responses(
        (status = 202, description = "It is wanted", body = Snapshot, headers(
            ("Location" = String, description = "Where it is found"),
            ("ETag" = String, description = "Its version"))),
        (status = 404, description = "EC2 has no such instance"),
        (status = 409, description = "No snapshot of the instance can be taken; the detail says why")
    )
)]
async fn create_snapshot(
    call: Call<Operator>,
    creation: Creation<CreateSnapshot>,
) -> Result<Answer<Snapshot>, Problem> {
    let wanted = creation.body.clone();
    let tags = checked_tags("tags", wanted.tags)?;
    let hold = wanted.hold.map(|hold| hold.placed(&call.who, call.now)).transpose()?;
    wanted.expires_at.map_or(Ok(()), |at| ahead("expires_at", at, call.now))?;
    wanted.restore_until.map_or(Ok(()), |at| ahead("restore_until", at, call.now))?;
    let Claimed { id, at } = creation.claim(&call, SnapshotId::derived).await?;
    let new = NewSnapshot {
        id,
        instance_id: wanted.instance_id,
        name: wanted.name.map(|name| name.0),
        description: wanted.description.map(|description| description.0),
        request: Request {
            exclusions: Exclusions {
                boot_volume: wanted.exclude_boot_volume,
                volumes: wanted.exclude_volumes,
                tagged: wanted.exclude_volumes_tagged.into(),
            },
            copy_tags: wanted.copy_tags.unwrap_or(true),
        },
        tags,
        hold,
        expires_at: wanted.expires_at,
        restore_until: wanted.restore_until,
    };
    let snapshot = snapshots::request(call.service(), new, at).await?;
    Ok(accepted(call.service(), snapshot, call.now).await)
}

/// Edit a snapshot
///
/// What is not given stays; null clears. Tags are replaced as a whole, in the record only: its EBS snapshots
/// keep those they were made with. Role: operator; to remove or weaken a hold, to
/// set an earlier expiry, or to give it another schedule, admin.
#[utoipa::path(
    patch,
    path = "/v1/snapshots/{id}",
    tag = "snapshots",
    params(
        ("id" = String, Path, description = "The snapshot"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag")
    ),
    request_body = EditSnapshot,
    responses(
        (status = 200, description = "As it is now", body = Snapshot,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "It is too late, or its schedule's rules decide; the detail says which")
    )
)]
async fn edit_snapshot(
    call: Call<Operator>,
    Id(id): Id<SnapshotId>,
    IfMatch(expected): IfMatch,
    Body(wanted): Body<EditSnapshot>,
) -> Result<Answer<Snapshot>, Problem> {
    if wanted.schedule_id.is_some() {
        call.needs(Role::Admin, "giving it another schedule")?;
    }
    if let Some(Some(at)) = wanted.expires_at {
        ahead("expires_at", at, call.now)?;
    }
    let edited = again(expected, || edit_once(&call, &id, expected, &wanted)).await??;
    Ok(answer(call.service(), edited, call.now).await)
}

/// One attempt at an edit, or why the caller may not make it.
async fn edit_once(
    call: &Call<Operator>,
    id: &SnapshotId,
    mut expected: Option<u64>,
    wanted: &EditSnapshot,
) -> Result<Result<Record, Problem>, shared::Error> {
    let is_looked_at = wanted.hold.is_some() || matches!(wanted.expires_at, Some(Some(_)));
    if call.role < Role::Admin && is_looked_at {
        let present = views::snapshots::show(call.service(), id).await?;
        if let Err(problem) = may_edit(call, wanted, &present) {
            return Ok(Err(problem));
        }
        // What was looked at is what must be there when it is written.
        expected = expected.or(Some(present.version));
    }
    let edit = match wanted.clone().edit() {
        Ok(edit) => edit,
        Err(problem) => return Ok(Err(problem)),
    };
    let editor = Editor { who: &call.who, expected_version: expected };
    snapshots::edit(call.service(), id, edit, editor, call.now).await.map(Ok)
}

/// Refuses what only an admin may.
fn may_edit(call: &Call<Operator>, wanted: &EditSnapshot, present: &Record) -> Result<(), Problem> {
    if let Some(hold) = &wanted.hold {
        let kind = hold.as_ref().map(|hold| hold.kind);
        if hold::is_weaker(present.keepers.hold.as_ref(), kind, call.now) {
            call.needs(Role::Admin, "removing or weakening a hold")?;
        }
    }
    if let Some(Some(at)) = wanted.expires_at
        && present.ending.expires_at.is_none_or(|old| at < old)
    {
        call.needs(Role::Admin, "setting an earlier expiry")?;
    }
    Ok(())
}

/// Delete a snapshot
///
/// It is condemned, and goes at once unless `grace_minutes` asks for a time in which it can be rescued. Copies of it that EC2
/// has not begun are cancelled. With `record_only` only the record goes; what EC2 has stays there, no longer looked after. Role: admin.
#[utoipa::path(
    delete,
    path = "/v1/snapshots/{id}",
    tag = "snapshots",
    params(
        ("id" = String, Path, description = "The snapshot"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag"),
        DeleteParameters
    ),
    responses(
        (status = 200, description = "The record is removed (record_only)", body = Snapshot,
            headers(("ETag" = String, description = "Its version"))),
        (status = 202, description = "It is condemned", body = Snapshot, headers(
            ("Location" = String, description = "Where it is found"),
            ("ETag" = String, description = "Its version"))),
        (status = 409, description = "It is held, in use by an image, being copied, or not in a state to be deleted")
    )
)]
async fn delete_snapshot(
    call: Call<Admin, DeleteParameters>,
    Id(id): Id<SnapshotId>,
    IfMatch(expected_version): IfMatch,
) -> Result<Answer<Snapshot>, Problem> {
    let grace = SignedDuration::from_mins(call.query.grace_minutes.unwrap_or(0).into());
    let request = DeleteRequest { id, who: call.who.clone(), grace, expected_version };
    if call.query.record_only.unwrap_or(false) {
        let removed = snapshots::delete::remove_record(call.service(), request, call.now).await?;
        return Ok(answer(call.service(), removed, call.now).await);
    }
    let attempt = || snapshots::delete(call.service(), request.clone(), call.now);
    let condemned = again(expected_version, attempt).await?;
    Ok(accepted(call.service(), condemned, call.now).await)
}

/// Rescue a snapshot
///
/// Undoes a condemnation, until the deletion has begun. Repeated, it does nothing more. Role: operator.
#[utoipa::path(
    post,
    path = "/v1/snapshots/{id}/rescue",
    tag = "snapshots",
    params(
        ("id" = String, Path, description = "The snapshot"),
        ("If-Match" = Option<String>, Header, description = "The version that must be current, as in ETag")
    ),
    responses(
        (status = 200, description = "It stays", body = Snapshot,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "It is not condemned, or its deletion has begun")
    )
)]
async fn rescue_snapshot(
    call: Call<Operator>,
    Id(id): Id<SnapshotId>,
    IfMatch(expected): IfMatch,
    _: Body<NoFields>,
) -> Result<Answer<Snapshot>, Problem> {
    let attempt = || snapshots::rescue(call.service(), &id, expected, call.now);
    let rescued = again(expected, attempt).await?;
    Ok(answer(call.service(), rescued, call.now).await)
}
