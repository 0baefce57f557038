//! Findings about each region's EBS snapshots: a record a region, and the pages that it names.
//!
//! Pages of a run are written first, then the region's record is switched to them; those of the run before expire.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::{Condition, Range, Table, Written};
use super::keys;
use super::record::Record;
use crate::domain::cursor::Order;
use crate::domain::finding::{Finding, PageReference, RegionFindings};
use crate::error::Error;

/// How long pages are kept after they were written.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When pages that still say what is true are written again, lest they expire.
pub const RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How many regions are read at the most; AWS has some forty.
const REGIONS_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
struct LookAsked {
    at: Timestamp,
}

impl Table {
    /// When somebody last asked for a look at everything.
    pub async fn look_asked_at(&self) -> Result<Option<Timestamp>, Error> {
        let asked: Option<LookAsked> = self.get(keys::findings::look_asked()).await?;
        Ok(asked.map(|asked| asked.at))
    }

    /// Somebody asks for a look at everything at `at`, if nobody has since it was read when that was last: at `before`. The
    /// other way round it takes that back.
    pub async fn ask_look(
        &self,
        before: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Written, Error> {
        let record = Record {
            key: keys::findings::look_asked(),
            version: asked_version(at),
            indexes: Vec::new(),
            body: &LookAsked { at },
            expires_at: None,
        };
        let condition =
            before.map_or(Condition::Absent, |before| Condition::Version(asked_version(before)));
        self.put(record, condition).await
    }

    /// What is known of every region that somebody has looked at.
    pub async fn every_region_findings(&self) -> Result<Vec<RegionFindings>, Error> {
        let range = Range {
            order: Order::OldestFirst,
            limit: REGIONS_MAX,
            ..Range::of(None, keys::FINDINGS)
        };
        Ok(self.query(&range).await?.items)
    }

    /// What is known of this region.
    pub async fn region_findings(&self, region: &str) -> Result<Option<RegionFindings>, Error> {
        self.get(keys::findings::region_findings(region)).await
    }

    /// Puts what is known of a region, if the record still has the version before (or is absent, before the first).
    pub async fn put_region_findings(&self, new: &RegionFindings) -> Result<Written, Error> {
        let record = Record {
            key: keys::findings::region_findings(&new.region),
            version: new.version,
            indexes: Vec::new(),
            body: new,
            expires_at: None,
        };
        let condition = match new.version {
            0 | 1 => Condition::Absent,
            version => Condition::Version(version - 1),
        };
        self.put(record, condition).await
    }

    /// A page of findings; empty if it has expired.
    pub async fn findings_page(&self, page: &PageReference) -> Result<Vec<Finding>, Error> {
        Ok(self.get(keys::findings::findings_page(page)).await?.unwrap_or_default())
    }

    /// Stores a page of findings; under the same run there can only be the same.
    pub async fn store_findings_page(
        &self,
        page: &PageReference,
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<(), Error> {
        let record = Record {
            key: keys::findings::findings_page(page),
            version: 1,
            indexes: Vec::new(),
            body: &findings,
            expires_at: Some(now.as_second().saturating_add(KEPT.as_secs())),
        };
        self.overwrite(record).await
    }
}

fn asked_version(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}
