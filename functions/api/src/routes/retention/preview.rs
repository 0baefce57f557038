//! The preview of rules, with snapshots that are given or with those of a schedule.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use shared::domain::ids::{InstanceId, ScheduleId};
use shared::domain::retention::{Rules, Verdict};
use shared::domain::schedule::zone::Zone;
use shared::domain::schedule::{Schedule, Settings};
use shared::domain::sweep::plan::PlanEntry;
use shared::views;
use shared::views::retention_preview::{KeepOrDelete, RECORDS_MAX, SNAPSHOTS_MAX, preview_rules};
use utoipa::ToSchema;

use super::rules::Retention;
use crate::call::{Call, Viewer};
use crate::extract::Body;
use crate::problem::Problem;
use crate::respond::Answer;

/// How large this one body may be.
pub(super) const BODY_KIB_MAX: usize = 2 * 1024;

const ID_LENGTH_MAX: usize = 256;

/// Which rules are to be tried on which snapshots: those given, or those of a schedule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRetention {
    /// The rules. With `schedule_id` the schedule's own if none.
    rules: Option<Retention>,
    /// The IANA zone that their periods are read in; UTC if none, with `schedule_id` the schedule's own.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    timezone: Option<Zone>,
    /// The instant the verdicts are for; now if none.
    now: Option<Timestamp>,
    /// Snapshots of one instance, 10,000 at the most. Of equal instants, an earlier one counts as newer.
    #[schema(max_items = 10_000)]
    snapshots: Option<Vec<GivenSnapshot>>,
    /// A schedule, instead of `snapshots`.
    #[schema(value_type = Option<String>, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: Option<ScheduleId>,
}

/// A snapshot to try rules on. It need not exist.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GivenSnapshot {
    /// Any name for it.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    id: GivenId,
    /// When it was taken.
    taken_at: Timestamp,
}

/// A text of 1 to 256 characters.
#[derive(Debug)]
struct GivenId(String);

impl<'de> Deserialize<'de> for GivenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if (1..=ID_LENGTH_MAX).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format!("must have 1 to {ID_LENGTH_MAX} characters")))
        }
    }
}

/// What rules would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionPreview {
    /// One for each snapshot: in the order they were given, those of a schedule oldest first. Of more than 10,000, first
    /// those that would go, and 10,000 in all.
    verdicts: Vec<SnapshotVerdict>,
    /// Whether there are more than these.
    more: bool,
    /// How many would stay.
    kept: usize,
    /// How many would go.
    deleted: usize,
}

/// What would become of one snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct SnapshotVerdict {
    /// The snapshot, or the name that was given for it.
    id: String,
    /// Its instance; null for a given snapshot.
    #[schema(value_type = Option<String>)]
    instance_id: Option<InstanceId>,
    /// When it was taken: the instant whose content it has.
    taken_at: Timestamp,
    /// What would become of it.
    verdict: PreviewVerdict,
    /// Why, in words: every rule that keeps it, what protects it, or why it goes.
    reasons: Vec<String>,
}

/// What would become of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PreviewVerdict {
    /// It would stay.
    Keep,
    /// It would go.
    Delete,
}

/// Preview retention rules
///
/// Says of every snapshot whether the rules keep it, and why. Given `snapshots` are taken as those of one
/// instance, and only the rules decide. With `schedule_id` it is what a sweep would do with the schedule's
/// available snapshots, instance by instance and with all that protects them; what an image uses stays, if a
/// sweep has found it. Nothing is touched. The body may have 2 MiB. Role: viewer.
#[utoipa::path(
    post,
    path = "/v1/retention/preview",
    tag = "retention",
    request_body = PreviewRetention,
    responses(
        (status = 200, description = "A verdict for every snapshot", body = RetentionPreview),
        (status = 404, description = "There is no such schedule")
    )
)]
pub(super) async fn preview_retention(
    call: Call<Viewer>,
    Body(wanted): Body<PreviewRetention, BODY_KIB_MAX>,
) -> Result<Answer<RetentionPreview>, Problem> {
    let PreviewRetention { rules, timezone, now, snapshots, schedule_id } = wanted;
    let rules = rules.map(|rules| rules.rules_at("rules")).transpose()?;
    let now = now.unwrap_or(call.now);
    let verdicts = match (snapshots, schedule_id) {
        (Some(snapshots), None) => {
            let needed = "must be given with snapshots: at least one rule, such as keep_last";
            let rules = rules.ok_or_else(|| Problem::invalid("rules", needed))?;
            of_given(&snapshots, &rules, &timezone.unwrap_or_default(), now)?
        }
        (None, Some(id)) => {
            let schedule = views::schedules::show(call.service(), &id).await?;
            let timezone = timezone.unwrap_or_else(|| schedule.settings.timezone.clone());
            let rules = rules.or_else(|| schedule.settings.rules.clone());
            let settings = Settings { rules, timezone, ..schedule.settings };
            let schedule = Schedule { settings, ..schedule };
            let entries = preview_rules(call.service(), &schedule, RECORDS_MAX, now).await?;
            entries.into_iter().map(SnapshotVerdict::from).collect()
        }
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("schedule_id", "does not go with snapshots: give one"));
        }
        (None, None) => {
            return Err(Problem::invalid("snapshots", "give snapshots, or a schedule_id instead"));
        }
    };
    Ok(Answer::ok(RetentionPreview::of(verdicts)))
}

fn of_given(
    snapshots: &[GivenSnapshot],
    rules: &Rules,
    zone: &Zone,
    now: Timestamp,
) -> Result<Vec<SnapshotVerdict>, Problem> {
    if snapshots.len() > SNAPSHOTS_MAX {
        let allowed = format!("must be {SNAPSHOTS_MAX} at the most, not {}", snapshots.len());
        return Err(Problem::invalid("snapshots", allowed));
    }
    let taken_at: Vec<_> = snapshots.iter().map(|snapshot| snapshot.taken_at).collect();
    let verdicts = rules.plan(&taken_at, zone, now);
    let verdict = |(snapshot, verdict): (&GivenSnapshot, Verdict)| {
        let GivenSnapshot { id: GivenId(id), taken_at } = snapshot;
        let Verdict { keep, reasons } = verdict;
        let (id, taken_at) = (id.clone(), *taken_at);
        let (verdict, reasons) = if keep {
            (PreviewVerdict::Keep, reasons)
        } else {
            (PreviewVerdict::Delete, vec!["no rule keeps it".to_owned()])
        };
        SnapshotVerdict { id, instance_id: None, taken_at, verdict, reasons }
    };
    Ok(snapshots.iter().zip(verdicts).map(verdict).collect())
}

impl RetentionPreview {
    fn of(mut verdicts: Vec<SnapshotVerdict>) -> Self {
        let count = |wanted| verdicts.iter().filter(|one| one.verdict == wanted).count();
        let (kept, deleted) = (count(PreviewVerdict::Keep), count(PreviewVerdict::Delete));
        let more = verdicts.len() > SNAPSHOTS_MAX;
        if more {
            verdicts.sort_by_key(|one| one.verdict == PreviewVerdict::Keep);
            verdicts.truncate(SNAPSHOTS_MAX);
        }
        Self { verdicts, more, kept, deleted }
    }
}

impl From<KeepOrDelete> for PreviewVerdict {
    fn from(fate: KeepOrDelete) -> Self {
        match fate {
            KeepOrDelete::Keep => Self::Keep,
            KeepOrDelete::Delete => Self::Delete,
        }
    }
}

impl From<PlanEntry> for SnapshotVerdict {
    fn from(entry: PlanEntry) -> Self {
        let PlanEntry {
            snapshot_id,
            instance_id,
            schedule_id: _schedule_id,
            taken_at,
            verdict,
            reasons,
            shielded_from: _shielded_from,
            group: _group,
            outcome: _outcome,
        } = entry;
        Self {
            id: snapshot_id.to_string(),
            instance_id: Some(instance_id),
            taken_at,
            verdict: KeepOrDelete::of(&verdict).into(),
            reasons,
        }
    }
}
