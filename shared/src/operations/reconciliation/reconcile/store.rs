//! Findings stored for readers: the pages of a run first, then the switch to them.

use jiff::Timestamp;
use tracing::info;

use crate::domain::finding::{Finding, FoundPages, PageReference, Pages, RegionFindings};
use crate::error::Error;
use crate::service::Service;
use crate::table::findings::RENEWED_AFTER;

/// How much of a reason is kept.
const REASON_MAX: usize = 500;

/// Stores what was found in a region. Where it is what is stored already, only its `as_of` is written, and once a day
/// the pages. Died in between, readers see the run before; its pages, and those that nobody switched to, expire.
pub(super) async fn store(
    service: &Service,
    region: &str,
    findings: Vec<Finding>,
    now: Timestamp,
) -> Result<(), Error> {
    let pages = Pages::of(findings);
    let run = pages.digest();
    let old = service.table.region_findings(region).await?;
    let before = old.as_ref().and_then(|old| old.found.as_ref());
    let is_fresh = |found: &&FoundPages| {
        found.run == run && now.duration_since(found.written_at) < RENEWED_AFTER
    };
    let written_at = if let Some(found) = before.filter(is_fresh) {
        found.written_at
    } else {
        write_pages(service, region, (&run, &pages), now).await?;
        now
    };
    let found = FoundPages { run, written_at, as_of: now, buckets: pages.summary() };
    let version = old.map_or(0, |old| old.version) + 1;
    let new = RegionFindings {
        region: region.to_owned(),
        version,
        found: Some(found),
        looked_at: now,
        out_of_reach: None,
    };
    if !service.table.put_region_findings(&new).await?.is_done() {
        info!("Somebody else has looked at {region} at the same time; what they found stands");
    }
    Ok(())
}

async fn write_pages(
    service: &Service,
    region: &str,
    (run, pages): (&str, &Pages),
    now: Timestamp,
) -> Result<(), Error> {
    for (bucket, pages) in &pages.pages {
        for (number, findings) in (1..).zip(pages) {
            let Some(first) = findings.first() else { continue };
            let (region, run) = (region.to_owned(), run.to_owned());
            let begins = first.ebs_snapshot_id.clone();
            let page = PageReference { region, run, bucket: *bucket, number, begins };
            service.table.store_findings_page(&page, findings, now).await?;
        }
    }
    Ok(())
}

/// Notes that a region is out of reach; what was found there before stays.
pub(super) async fn note_out_of_reach(
    service: &Service,
    region: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let old = service.table.region_findings(region).await?;
    let new = RegionFindings {
        region: region.to_owned(),
        version: old.as_ref().map_or(0, |old| old.version) + 1,
        found: old.and_then(|old| old.found),
        looked_at: now,
        out_of_reach: Some(reason.chars().take(REASON_MAX).collect()),
    };
    // Whoever has written meanwhile has looked later.
    _ = service.table.put_region_findings(&new).await?;
    Ok(())
}
