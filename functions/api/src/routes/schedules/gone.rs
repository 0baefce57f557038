//! What becomes of the snapshots of instances that are no more, on the wire.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use shared::domain::schedule as domain;
use utoipa::ToSchema;

/// What becomes of the snapshots of an instance that is terminated, or that EC2 no longer has.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub(super) enum WhenGone {
    /// What `retention` says, as while it was there.
    Apply {},
    /// The newest `count` stay, whatever `retention` says.
    KeepLast {
        /// How many.
        #[schema(value_type = u32, minimum = 1, example = 3)]
        count: NonZeroU32,
    },
    /// All stay.
    KeepAll {},
}

impl From<WhenGone> for domain::WhenGone {
    fn from(rule: WhenGone) -> Self {
        match rule {
            WhenGone::Apply {} => Self::Apply,
            WhenGone::KeepLast { count } => Self::KeepLast(count),
            WhenGone::KeepAll {} => Self::KeepAll,
        }
    }
}

impl From<domain::WhenGone> for WhenGone {
    fn from(rule: domain::WhenGone) -> Self {
        match rule {
            domain::WhenGone::Apply => Self::Apply {},
            domain::WhenGone::KeepLast(count) => Self::KeepLast { count },
            domain::WhenGone::KeepAll => Self::KeepAll {},
        }
    }
}
