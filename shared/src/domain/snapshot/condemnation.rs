//! Condemnation: who wants a snapshot gone and why, and what keeps it from going.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::hold::Deleter;
use crate::domain::ids::{EbsSnapshotId, ImageId, RestoreId};
use crate::domain::snapshot::Ending;
use crate::domain::snapshot::{Snapshot, Status};

/// Who condemned a snapshot, why, and when it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condemnation {
    /// Which rule or person.
    pub by: CondemnedBy,
    pub reason: String,
    pub at: Timestamp,
    /// Until when it can be rescued for certain.
    pub delete_after: Timestamp,
    /// Where it stood before, and where a rescue brings it back to.
    pub from: Status,
}

/// Which rule or person condemned a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum CondemnedBy {
    /// A person who named this very snapshot.
    Person {
        /// Who.
        who: String,
    },
    /// The retention rules of its schedule.
    Rules {
        /// What they were: [`crate::domain::schedule::Schedule::rules_digest`].
        digest: String,
    },
    /// The rule of its schedule for instances that are gone.
    InstanceGone {
        /// What it was: [`crate::domain::schedule::Schedule::rules_digest`].
        digest: String,
    },
    /// Its `expires_at`.
    Expiry {
        /// What it was.
        expires_at: Timestamp,
    },
    /// It failed, and has been kept long enough to see why.
    Failed,
    /// It was made twice.
    Duplicate,
}

impl CondemnedBy {
    /// Whether a rule or a person.
    pub fn deleter(&self) -> Deleter {
        match self {
            Self::Person { .. } => Deleter::Person,
            Self::Rules { .. }
            | Self::InstanceGone { .. }
            | Self::Expiry { .. }
            | Self::Failed
            | Self::Duplicate => Deleter::Rule,
        }
    }
}

/// Why a snapshot that should be gone is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// What is in the way.
    pub cause: BlockedCause,
    pub since: Timestamp,
    /// What wants it gone, where no condemnation says so: it is still available.
    #[serde(default)]
    pub wanted: Option<WantedDeletion>,
}

/// What wants a snapshot gone, and in which words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedDeletion {
    pub by: CondemnedBy,
    pub reason: String,
}

/// What keeps a condemned snapshot from being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BlockedCause {
    /// An image uses a member of it.
    InUse {
        /// The image, where EC2 says which.
        image_id: Option<ImageId>,
        /// In words: all images of a member, or what EC2 said, which may be that it is enabled for fast restore.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// A member of it is locked.
    Locked {
        /// Which, how and until when, or what EC2 said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// AWS does not let us.
    NotPermitted {
        /// What AWS said.
        message: String,
    },
    /// A hold.
    Held,
    /// A restore that is under way uses it.
    InRestore {
        /// Which.
        restore_id: RestoreId,
    },
    /// It is the newest available snapshot of its instance. Written by earlier versions; now it is rescued.
    Newest,
    /// A member of it does not bear our tags.
    NotMarked {
        /// Which member EC2 lets us put no mark on, and its words; none if it was not asked.
        #[serde(default)]
        message: Option<String>,
    },
    /// EC2 refused for a reason we do not know.
    Refused {
        /// What EC2 said.
        message: String,
    },
}

impl BlockedCause {
    /// These images use `member`, of which the first is the one that is named; none if there are none.
    pub fn used_by(member: &EbsSnapshotId, images: &BTreeSet<ImageId>) -> Option<Self> {
        let first = images.first()?;
        let names: Vec<_> = images.iter().map(ToString::to_string).collect();
        let message = format!("{member} by {}", names.join(", "));
        Some(Self::InUse { image_id: Some(first.clone()), message: Some(message) })
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Self::InUse { message: Some(message), .. } => format!("in use: {message}"),
            Self::InUse { image_id: Some(image), .. } => format!("in use by {image}"),
            Self::InUse { image_id: None, .. } => "in use by an image".to_owned(),
            Self::Locked { message: Some(message) } => format!("locked: {message}"),
            Self::Locked { message: None } => "locked".to_owned(),
            Self::NotPermitted { message } => format!("not permitted: {message}"),
            Self::Held => "held".to_owned(),
            Self::InRestore { restore_id } => format!("in use by the restore {restore_id}"),
            Self::Newest => "newest available snapshot of its instance".to_owned(),
            Self::NotMarked { message: None } => "not yet marked as condemned in EC2".to_owned(),
            Self::NotMarked { message: Some(message) } => {
                format!("cannot be marked as condemned in EC2: {message}")
            }
            Self::Refused { message } => format!("refused: {message}"),
        }
    }
}

impl Snapshot {
    /// What wants it gone: its condemnation, or the rule that cannot condemn it for what is in the way.
    pub fn wanted_by(&self) -> Option<WantedDeletion> {
        let condemned = self.ending.condemnation.as_ref();
        let condemned = condemned
            .map(|past| WantedDeletion { by: past.by.clone(), reason: past.reason.clone() });
        condemned.or_else(|| self.ending.blocked.as_ref()?.wanted.clone())
    }

    /// The snapshot, condemned, with EC2's words why a member can have no mark; nothing if it says so already. It is tried
    /// again as before.
    pub fn mark_refused(&self, words: String, now: Timestamp) -> Option<Self> {
        if !matches!(self.status, Status::Condemned | Status::Deleting) {
            return None;
        }
        let since = self.ending.blocked.as_ref().map_or(now, |blocked| blocked.since);
        let cause = BlockedCause::NotMarked { message: Some(words) };
        let blocked = Some(Blocked { cause, since, wanted: None });
        (blocked != self.ending.blocked).then(|| Self {
            version: self.version + 1,
            ending: Ending { blocked, ..self.ending.clone() },
            ..self.clone()
        })
    }

    /// The snapshot, not condemned, with the image that keeps a rule from condemning it, or without one any more;
    /// nothing if it says so already.
    ///
    /// It stays what it is. Not even [`super::Course::touched_at`] moves, which the deletion of a failed one goes by.
    pub fn noted_in_use(
        &self,
        wanted: Option<(ImageId, WantedDeletion)>,
        now: Timestamp,
    ) -> Option<Self> {
        if !matches!(self.status, Status::Available | Status::Error) {
            return None;
        }
        let since = self.ending.blocked.as_ref().map_or(now, |blocked| blocked.since);
        let blocked = wanted.map(|(image, wanted)| Blocked {
            cause: BlockedCause::InUse { image_id: Some(image), message: None },
            since,
            wanted: Some(wanted),
        });
        (blocked != self.ending.blocked).then(|| Self {
            version: self.version + 1,
            ending: Ending { blocked, ..self.ending.clone() },
            ..self.clone()
        })
    }
}
