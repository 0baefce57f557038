//! The keys of what is found of all EBS snapshots.

use super::{FINDINGS, Key};
use crate::domain::finding::PageReference;

/// What is known of a region's EBS snapshots.
pub fn region_findings(region: &str) -> Key {
    Key::new(FINDINGS, region)
}

/// One page of a region's findings, from 1 on. A run has its own, so that a reader sees one run or the other.
pub fn findings_page(page: &PageReference) -> Key {
    let PageReference { region, run, bucket, number, .. } = page;
    Key::new(format!("FINDINGS#{region}#{run}"), format!("{bucket}#{number:06}"))
}

/// When somebody last asked for a look at all EBS snapshots.
pub fn look_asked() -> Key {
    Key::new("META", "LOOK_ASKED")
}
