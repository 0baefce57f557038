//! Copies of a schedule's snapshots in other regions: where they go, and how long they stay there.

use serde::{Deserialize, Serialize};

use crate::domain::retention::Rules;
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::copying::{CopyOrder, CopyStage};

/// How many regions a schedule has its snapshots copied to at the most.
pub const TARGETS_MAX: usize = 5;
/// How many copies of EBS snapshots may be under way to one region at a time; AWS does not raise it
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html>).
pub const UNDER_WAY_MAX: usize = 20;

/// A region that a schedule has its snapshots copied to, and how long they stay there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyTarget {
    pub region: String,
    /// The key of that region that the copies are encrypted with; without it what is encrypted is encrypted with the
    /// region's default key.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// How long they are kept there; without rules all are.
    #[serde(default)]
    pub rules: Option<Rules>,
}

impl CopyTarget {
    /// The order for a copy there.
    pub fn order(&self) -> CopyOrder {
        CopyOrder {
            region: self.region.clone(),
            kms_key: self.kms_key.clone(),
            stage: CopyStage::Wanted,
        }
    }
}

/// What is wrong with the targets of a schedule's copies, and with which, where `regions` are looked after; nothing if
/// they will do.
pub fn refusal(targets: &[CopyTarget], regions: &[String]) -> Option<(usize, String)> {
    if targets.len() > TARGETS_MAX {
        let reason = format!("at most {TARGETS_MAX} are possible, {} were given", targets.len());
        return Some((TARGETS_MAX, reason));
    }
    targets.iter().enumerate().find_map(|(position, target)| {
        let region = &target.region;
        let reason = if !regions.contains(region) {
            format!("{region} is not looked after; those that are: {}", regions.join(", "))
        } else if targets.iter().take(position).any(|other| other.region == *region) {
            format!("{region} is named twice")
        } else {
            return None;
        };
        Some((position, reason))
    })
}

/// The rules that decide about a snapshot of a schedule: the schedule's own, or those of the region that it was copied
/// to. A region that the schedule does not name any more has none, and what was copied there stays.
pub fn rules_of<'a>(
    own: Option<&'a Rules>,
    copies: &'a [CopyTarget],
    snapshot: &Snapshot,
) -> Option<&'a Rules> {
    match snapshot.copied_to() {
        None => own,
        Some(region) => copies.iter().find(|one| one.region == *region)?.rules.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(region: &str) -> CopyTarget {
        CopyTarget { region: region.to_owned(), kms_key: None, rules: None }
    }

    #[test]
    fn targets_are_regions_that_are_looked_after_each_once() {
        let regions = ["us-east-1".to_owned(), "eu-west-1".to_owned()];
        let refused = |names: &[&str]| {
            let targets: Vec<_> = names.iter().map(|name| to(name)).collect();
            refusal(&targets, &regions)
        };

        assert_eq!(refused(&["eu-west-1", "us-east-1"]), None);
        assert_eq!(
            refused(&["eu-west-1", "eu-west-1"]),
            Some((1, "eu-west-1 is named twice".to_owned()))
        );
        assert!(refused(&["ap-east-1"]).unwrap().1.contains("not looked after"));
        assert!(refused(&["eu-west-1"; 6]).unwrap().1.contains("at most 5"));
    }
}
