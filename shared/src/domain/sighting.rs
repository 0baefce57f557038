//! What decisions take of an EBS snapshot that EC2 shows: a sweep keeps one of each that there is, and there can be a hundred
//! thousand in a region.

use jiff::Timestamp;

use crate::domain::installation::Installation;
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};

/// An EBS snapshot as EC2 shows it, without what tells whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub state: EbsState,
    /// Progress in percent.
    pub progress_percent: u8,
    /// The full size of its data, where EC2 says.
    pub full_size_bytes: Option<i64>,
    /// Where EC2 keeps it.
    pub tier: StorageTier,
    /// Out of the archive for some days only: until when.
    pub restore_expires_at: Option<Timestamp>,
    /// Whose it is by the installation that its tags name.
    pub installation: Installation,
    pub mark: Mark,
}

/// Whether it bears the mark without which it may not be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It does not say that it is of a set of ours: its marks are not ours to change.
    NotOurs,
    /// It does.
    Condemned,
    /// It does not.
    None,
}

impl From<&EbsSnapshot> for Sighting {
    fn from(seen: &EbsSnapshot) -> Self {
        let mark = match (seen.set(), seen.is_marked_condemned()) {
            (None, _) => Mark::NotOurs,
            (Some(_), true) => Mark::Condemned,
            (Some(_), false) => Mark::None,
        };
        Self {
            state: seen.state,
            progress_percent: seen.progress_percent,
            full_size_bytes: seen.full_size_bytes,
            tier: seen.tier,
            restore_expires_at: seen.restore_expires_at,
            installation: seen.installation,
            mark,
        }
    }
}
