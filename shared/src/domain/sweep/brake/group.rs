//! The groups of a schedule's snapshots that the brake counts apart.

use serde::{Deserialize, Serialize};

use crate::domain::snapshot::Snapshot;

/// Snapshots of a schedule that are counted together. The loss of a small group must not look small beside a large one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// All of its own, adopted ones too, but for copies.
    #[default]
    Own,
    /// The adopted ones among its own, and those that a person has given it.
    Adopted,
    /// Its copies in a region.
    CopiesIn(String),
}

/// A group in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// Which.
    pub group: Group,
    /// How many would go that the rules of the last executed sweep would have kept, now or once nothing protects them
    /// any more.
    pub unexpected: u32,
    /// How many available snapshots it has.
    pub available: u32,
}

impl Group {
    /// The narrowest group that a snapshot is in.
    pub fn of(snapshot: &Snapshot) -> Self {
        match (snapshot.copied_to(), snapshot.joined_at()) {
            (Some(region), _) => Self::CopiesIn(region.clone()),
            (None, Some(_)) => Self::Adopted,
            (None, None) => Self::Own,
        }
    }

    /// Every group that counts what is in this one.
    pub fn counted_in(self) -> Vec<Self> {
        match self {
            Self::Adopted => vec![Self::Own, Self::Adopted],
            Self::Own | Self::CopiesIn(_) => vec![self],
        }
    }
}
