//! The rule for instances that are gone, on the wire.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use shared::domain::schedule as domain;
use utoipa::ToSchema;

use crate::problem::Problem;

/// What becomes of the snapshots of an instance that is terminated, or that EC2 no longer has.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
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

/// The same as it is asked for; whether a count is wanted depends on the type.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedWhenGone {
    #[serde(rename = "type")]
    kind: WhenGoneType,
    count: Option<Count>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhenGoneType {
    Apply,
    KeepLast,
    KeepAll,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Count(NonZeroU32);

impl TryFrom<i64> for Count {
    type Error = String;

    fn try_from(count: i64) -> Result<Self, Self::Error> {
        let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
        count.map(Self).ok_or_else(|| format!("must be a number from 1 to {}", u32::MAX))
    }
}

impl WantedWhenGone {
    /// What is asked for, if its parts fit each other.
    pub(super) fn rule(self) -> Result<domain::WhenGone, Problem> {
        let refused = |reason| Problem::invalid("when_gone.count", reason);
        match (self.kind, self.count) {
            (WhenGoneType::Apply, None) => Ok(domain::WhenGone::Apply),
            (WhenGoneType::KeepAll, None) => Ok(domain::WhenGone::KeepAll),
            (WhenGoneType::KeepLast, Some(Count(count))) => Ok(domain::WhenGone::KeepLast(count)),
            (WhenGoneType::KeepLast, None) => {
                Err(refused("say how many the type keep_last keeps, 1 or more"))
            }
            (WhenGoneType::Apply | WhenGoneType::KeepAll, Some(_)) => {
                Err(refused("goes with the type keep_last only; leave it out"))
            }
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
