//! The review: things for a person to look at from time to time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::domain::cost::{self, Price, VolumesMonth};
use shared::domain::ids::{InstanceId, RestoreId, ScheduleId, SnapshotId};
use shared::domain::restore::Restore;
use shared::domain::restore::seen::SeenVolume;
use shared::domain::snapshot::Snapshot;
use shared::domain::statistics::Measure;
use shared::views;
use shared::views::restores::WithVolumes;
use shared::views::review::{DisabledSchedule, ReviewBounds, Section};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};
use crate::respond::Answer;

const OLDER_THAN_DAYS: u32 = 90;
const BLOCKED_DAYS: u32 = 7;
const DAYS_MAX: u32 = 3_650;

/// The route of the review.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(review_snapshots))
}

/// From when on something is worth a look.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ReviewParameters {
    /// How many days old a snapshot is that no rule, expiry or hold speaks of.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 3650, default = 90)]
    older_than_days: u32,
    /// For how many days something has been in the way of a deletion.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 3650, default = 7)]
    blocked_days: u32,
}

impl FromQuery for ReviewParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let older = given.number("older_than_days", (1, DAYS_MAX))?;
        let blocked = given.number("blocked_days", (1, DAYS_MAX))?;
        Ok(Self {
            older_than_days: older.unwrap_or(OLDER_THAN_DAYS),
            blocked_days: blocked.unwrap_or(BLOCKED_DAYS),
        })
    }
}

/// What is worth a look: of each kind the first 20.
#[derive(Debug, Serialize, ToSchema)]
struct SnapshotReview {
    /// The instant of the answer.
    as_of: Timestamp,
    /// Held, and the hold's `review_at` is past. `GET /v1/holds?review_due=true` lists all.
    held_review_due: ReviewedSnapshots,
    /// They are torn: EC2 has deleted members of them and refuses to delete others. `DELETE /v1/snapshots/{id}` tries again.
    damaged: ReviewedSnapshots,
    /// They should be gone, and something has been in the way for long. `GET /v1/sweeps/blocked` lists all.
    blocked_long: ReviewedSnapshots,
    /// Old, available, and no rule, expiry or hold says for how long they stay; looked for among the 500 oldest.
    kept_without_rules: ReviewedSnapshots,
    /// Schedules that are disabled and of which snapshots are stored.
    disabled_schedules: ReviewedSchedules,
    /// Restores and drills that have stopped, and hold their instances and snapshots until somebody acts; with what there is
    /// of them, and what that costs.
    stopped_restores: ReviewedRestores,
    /// Restores whose old volumes are there, cost, and are past the time for which they are kept.
    old_volumes_due: ReviewedRestores,
    /// Restores that have kept an image for 14 days or more: it costs, and keeps the snapshot from deletion.
    kept_images: ReviewedRestores,
}

/// Restores that are worth a look.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedRestores {
    /// The restores, the oldest first.
    items: Vec<ReviewedRestore>,
    /// Whether there may be more.
    more: bool,
}

/// A restore that is worth a look.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedRestore {
    /// The restore.
    #[schema(value_type = String, example = "rst_0195500c-6d00-7000-8000-000000000000")]
    restore_id: RestoreId,
    /// The instance that its snapshot is of.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Why it is worth a look, in words.
    #[schema(
        example = "a person may delete since 2026-03-16T10:00:00Z: vol-0123456789abcdef0; at the list price of us-east-1 they cost 8.00 USD a month"
    )]
    why: String,
}

impl ReviewedRestores {
    fn of<T>(section: Section<T>, row: impl Fn(T) -> ReviewedRestore) -> Self {
        Self { items: section.items.into_iter().map(row).collect(), more: section.more }
    }
}

impl ReviewedRestore {
    fn new(restore: Restore, why: String) -> Self {
        Self { why, restore_id: restore.id, instance_id: restore.instance_id }
    }

    /// One that has stopped: where and why, and what there is of it.
    fn stopped(stopped: WithVolumes) -> Self {
        let WithVolumes { restore, volumes } = stopped;
        let failure = restore.course.failure.as_ref();
        let said = failure.map(|one| format!("{}: {}", one.step, one.message)).unwrap_or_default();
        let exists = restore.standing().map(|stands| stands.exists.join("; ")).unwrap_or_default();
        let why = format!("stopped at {said}. What there is: {exists}{}", month_of(&volumes));
        Self::new(restore, why)
    }

    fn with_old_volumes(old: WithVolumes) -> Self {
        let WithVolumes { restore, volumes } = old;
        let since = restore.before.old_volumes_expire_at;
        let since = since.map(|at| at.to_string()).unwrap_or_default();
        let ids: Vec<_> = volumes.iter().map(|one| one.id.as_str()).collect();
        let names = if ids.is_empty() {
            "its old volumes, which this installation cannot see".to_owned()
        } else {
            ids.join(", ")
        };
        let why = format!("a person may delete since {since}: {names}{}", month_of(&volumes));
        Self::new(restore, why)
    }

    fn with_image(restore: Restore) -> Self {
        let image = restore.kept_image().map(ToString::to_string).unwrap_or_default();
        let since = restore.course.finished_at.map(|at| at.to_string()).unwrap_or_default();
        let gib: i32 = restore.made.volumes.iter().map(|volume| volume.size_gib).sum();
        let price = Price::of(&restore.region).map(|price| {
            let month = price.standard_month(f64::from(gib));
            let Price { currency, region, .. } = price;
            format!(
                "; at the list price of {region} that costs at most {month:.2} {currency} a month"
            )
        });
        let why = format!(
            "keeps the image {image} since {since}, and with it the {gib} GiB of {}, which nothing deletes before \
             somebody deregisters it{}",
            restore.snapshot_id,
            price.unwrap_or_default()
        );
        Self::new(restore, why)
    }
}

/// What volumes cost, in words that go behind their names.
fn month_of(volumes: &[SeenVolume]) -> String {
    let month = cost::volumes_month(volumes.iter().map(|one| (&*one.volume_type, one.size_gib)));
    month.map_or_else(String::new, |month| {
        let VolumesMonth { price, currency, region } = month;
        format!("; at the list price of {region} they cost {price:.2} {currency} a month")
    })
}

/// Snapshots that are worth a look.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedSnapshots {
    /// The snapshots, the oldest first.
    items: Vec<ReviewedSnapshot>,
    /// Whether there may be more.
    more: bool,
}

/// Schedules that are worth a look.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedSchedules {
    /// The schedules.
    items: Vec<ReviewedSchedule>,
    /// Whether there may be more.
    more: bool,
}

/// A snapshot that is worth a look.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedSnapshot {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its name.
    name: String,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its schedule.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The instant whose content it has.
    taken_at: Timestamp,
    /// The sum of its volumes' sizes.
    size_gib: i64,
    /// Why it is worth a look, in words.
    #[schema(example = "no rule, expiry or hold says for how long it stays")]
    why: String,
}

/// A schedule that is disabled and of which snapshots are stored.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewedSchedule {
    /// The schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    name: String,
    /// How many snapshots of it are stored.
    snapshots: i64,
    /// The sizes of their volumes.
    size_gib: i64,
}

/// Review what stays
///
/// What a person should look at from time to time: holds whose review is due, torn sets, deletions that have been blocked
/// for long, old snapshots that nothing lets go, disabled schedules whose snapshots are still there, restores that have
/// stopped, old volumes of restores that are past their time. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/review",
    tag = "snapshots",
    params(ReviewParameters),
    responses((status = 200, description = "What is worth a look", body = SnapshotReview))
)]
async fn review_snapshots(
    call: Call<Viewer, ReviewParameters>,
) -> Result<Answer<SnapshotReview>, Problem> {
    let days = |count: u32| SignedDuration::from_hours(24 * i64::from(count));
    let bounds = ReviewBounds {
        older_than: days(call.query.older_than_days),
        blocked_for: days(call.query.blocked_days),
    };
    let review = views::review::review(call.service(), bounds, call.now).await?;
    let views::review::Review {
        held,
        damaged,
        blocked,
        without_rules,
        disabled,
        stopped_restores,
        old_volumes,
        kept_images,
    } = review;
    Ok(Answer::ok(SnapshotReview {
        as_of: call.now,
        held_review_due: ReviewedSnapshots::of(held, |one| {
            let review_at = one.keepers.hold.as_ref().and_then(|hold| hold.review_at);
            review_at.map_or_else(String::new, |at| format!("its hold was to be reviewed by {at}"))
        }),
        damaged: ReviewedSnapshots::of(damaged, |one| {
            let damaged = one.ending.damaged.as_ref();
            let words = damaged.map(|it| {
                format!(
                    "members of it were deleted at {}, and others not: {}",
                    it.at,
                    it.cause.describe()
                )
            });
            words.unwrap_or_default()
        }),
        blocked_long: ReviewedSnapshots::of(blocked, |one| {
            let blocked = one.ending.blocked.as_ref();
            let words = blocked.map(|it| format!("{} since {}", it.cause.describe(), it.since));
            words.unwrap_or_default()
        }),
        kept_without_rules: ReviewedSnapshots::of(without_rules, |_| {
            "no rule, expiry or hold says for how long it stays".to_owned()
        }),
        disabled_schedules: ReviewedSchedules::of(disabled),
        stopped_restores: ReviewedRestores::of(stopped_restores, ReviewedRestore::stopped),
        old_volumes_due: ReviewedRestores::of(old_volumes, ReviewedRestore::with_old_volumes),
        kept_images: ReviewedRestores::of(kept_images, ReviewedRestore::with_image),
    }))
}

impl ReviewedSnapshots {
    fn of(section: Section<Snapshot>, why: impl Fn(&Snapshot) -> String) -> Self {
        let Section { items, more } = section;
        let items = items.into_iter().map(|one| ReviewedSnapshot::of(one, &why)).collect();
        Self { items, more }
    }
}

impl ReviewedSnapshot {
    fn of(snapshot: Snapshot, why: impl Fn(&Snapshot) -> String) -> Self {
        Self {
            why: why(&snapshot),
            schedule_id: snapshot.schedule_id().cloned(),
            taken_at: snapshot.taken_at(),
            size_gib: snapshot.size_gib(),
            snapshot_id: snapshot.id,
            name: snapshot.name,
            instance_id: snapshot.source.instance_id,
        }
    }
}

impl ReviewedSchedules {
    fn of(section: Section<DisabledSchedule>) -> Self {
        let Section { items, more } = section;
        let of = |one: DisabledSchedule| ReviewedSchedule {
            schedule_id: one.schedule.id,
            name: one.schedule.settings.name,
            snapshots: one.tally.get(Measure::Stored),
            size_gib: one.tally.get(Measure::VolumeGib),
        };
        Self { items: items.into_iter().map(of).collect(), more }
    }
}
