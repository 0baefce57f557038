//! The images that use a snapshot, as noted on its record.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ABSENCE_UNCERTAIN, Snapshot};
use crate::domain::ids::ImageId;
use crate::domain::snapshot::Keepers;

/// The images that use a snapshot's members. It is for showing: whether something may be deleted is asked of EC2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesNote {
    /// The images, in the order of their ids.
    pub ids: Vec<ImageId>,
    /// When they last became others.
    pub at: Timestamp,
}

impl Snapshot {
    /// The images that use its members, as far as is known.
    pub fn image_ids(&self) -> &[ImageId] {
        self.keepers.images.as_ref().map_or(&[], |note| &note.ids)
    }

    /// The snapshot with these images noted at `now`; nothing if they are noted already.
    ///
    /// It stays what it is: not even [`super::Course::touched_at`] moves.
    pub fn with_images(&self, ids: BTreeSet<ImageId>, now: Timestamp) -> Option<Self> {
        let ids: Vec<_> = ids.into_iter().collect();
        (ids != self.image_ids()).then(|| Self {
            version: self.version + 1,
            keepers: Keepers { images: Some(ImagesNote { ids, at: now }), ..self.keepers.clone() },
            ..self.clone()
        })
    }

    /// Whether its images were noted so short a time ago that EC2 may not show it yet.
    pub fn has_fresh_images(&self, now: Timestamp) -> bool {
        let age = |note: &ImagesNote| now.duration_since(note.at);
        self.keepers
            .images
            .as_ref()
            .is_some_and(|note| (SignedDuration::ZERO..ABSENCE_UNCERTAIN).contains(&age(note)))
    }
}
