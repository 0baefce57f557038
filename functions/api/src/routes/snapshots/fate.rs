//! The fate of a snapshot on the wire: why it is kept or goes, when, and what is in the way.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::fate as foresight;
use shared::domain::snapshot::condemnation::{BlockedCause, CondemnedBy};
use shared::domain::snapshot::{self as domain};
use utoipa::ToSchema;

/// Why a snapshot is kept, and when it will go, as far as its schedule and the rules foresee it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fate {
    /// The reasons that a sweep would give now; none if it would let it go or has no say.
    #[schema(example = json!(["daily 3 of 7"]))]
    kept_by: Vec<String>,
    /// Whether it will go.
    outlook: FateOutlook,
    /// With outlook `at`: when it goes, or shortly after; its grace is over then.
    expected_deletion_at: Option<Timestamp>,
    /// Why then, or why not, in words.
    because: String,
}

/// Whether a snapshot will go.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FateOutlook {
    /// At an instant, if the schedule goes on firing and nobody steps in.
    At,
    /// Not as things stand.
    Never,
    /// It cannot be told.
    Unknown,
}

/// Who condemned a snapshot, why, and when it goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Condemned {
    /// Which rule or person.
    cause: Condemner,
    /// Who, if it was a person.
    by: Option<String>,
    /// In words.
    reason: String,
    /// When.
    at: Timestamp,
    /// Until when it can be rescued for certain.
    delete_after: Timestamp,
}

/// Which rule or person condemns.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condemner {
    /// A person who named this very snapshot.
    Person,
    /// The retention rules of its schedule.
    Rules,
    /// The rule of its schedule for instances that are gone.
    InstanceGone,
    /// Its `expires_at`.
    Expiry,
    /// It failed, and has been kept long enough to see why.
    Failed,
    /// It was made twice, by a lost reply of EC2.
    Duplicate,
}

/// Why a snapshot should be gone and is not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Blocked {
    /// What is in the way.
    cause: BlockedBy,
    /// The same in words.
    detail: String,
    /// Since when.
    since: Timestamp,
}

/// What tore a snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Damaged {
    /// What was in the way of those members that are left.
    cause: BlockedBy,
    /// The same in words.
    detail: String,
    /// When.
    at: Timestamp,
}

/// What is in the way of a deletion.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BlockedBy {
    /// An image uses it, or it is enabled for fast snapshot restore.
    InUse,
    /// It is locked in EC2.
    Locked,
    /// AWS does not permit it.
    NotPermitted,
    /// A hold.
    Held,
    /// A restore that is under way.
    InRestore,
    /// It is the newest available snapshot of its instance.
    Newest,
    /// It is not yet marked as condemned in EC2, or EC2 lets us put no mark on it.
    NotMarked,
    /// EC2 refused.
    Refused,
}

impl FateOutlook {
    /// The word, and the instant that goes with `at`.
    pub(crate) fn of(outlook: foresight::Outlook) -> (Self, Option<Timestamp>) {
        match outlook {
            foresight::Outlook::At(instant) => (Self::At, Some(instant)),
            foresight::Outlook::Never => (Self::Never, None),
            foresight::Outlook::Unknown => (Self::Unknown, None),
        }
    }
}

impl From<foresight::Fate> for Fate {
    fn from(fate: foresight::Fate) -> Self {
        let foresight::Fate { kept_by, outlook, because } = fate;
        let (outlook, expected_deletion_at) = FateOutlook::of(outlook);
        Self { kept_by, outlook, expected_deletion_at, because }
    }
}

impl From<domain::condemnation::Condemnation> for Condemned {
    fn from(condemnation: domain::condemnation::Condemnation) -> Self {
        let domain::condemnation::Condemnation { by, reason, at, delete_after, from: _from } =
            condemnation;
        let cause = Condemner::from(&by);
        let by = match by {
            CondemnedBy::Person { who } => Some(who),
            CondemnedBy::Rules { .. }
            | CondemnedBy::InstanceGone { .. }
            | CondemnedBy::Expiry { .. }
            | CondemnedBy::Failed
            | CondemnedBy::Duplicate => None,
        };
        Self { cause, by, reason, at, delete_after }
    }
}

impl From<&CondemnedBy> for Condemner {
    fn from(by: &CondemnedBy) -> Self {
        match by {
            CondemnedBy::Person { .. } => Self::Person,
            CondemnedBy::Rules { .. } => Self::Rules,
            CondemnedBy::InstanceGone { .. } => Self::InstanceGone,
            CondemnedBy::Expiry { .. } => Self::Expiry,
            CondemnedBy::Failed => Self::Failed,
            CondemnedBy::Duplicate => Self::Duplicate,
        }
    }
}

impl From<domain::condemnation::Blocked> for Blocked {
    fn from(blocked: domain::condemnation::Blocked) -> Self {
        let domain::condemnation::Blocked { cause, since, wanted: _wanted } = blocked;
        Self { cause: BlockedBy::from(&cause), detail: cause.describe(), since }
    }
}

impl From<domain::Damaged> for Damaged {
    fn from(damaged: domain::Damaged) -> Self {
        let domain::Damaged { cause, at } = damaged;
        Self { cause: BlockedBy::from(&cause), detail: cause.describe(), at }
    }
}

impl From<&BlockedCause> for BlockedBy {
    fn from(cause: &BlockedCause) -> Self {
        match cause {
            BlockedCause::InUse { .. } => Self::InUse,
            BlockedCause::Locked { .. } => Self::Locked,
            BlockedCause::NotPermitted { .. } => Self::NotPermitted,
            BlockedCause::Held => Self::Held,
            BlockedCause::InRestore { .. } => Self::InRestore,
            BlockedCause::Newest => Self::Newest,
            BlockedCause::NotMarked { .. } => Self::NotMarked,
            BlockedCause::Refused { .. } => Self::Refused,
        }
    }
}
