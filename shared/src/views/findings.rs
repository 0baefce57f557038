//! Findings of the reconciler about all EBS snapshots, read in pages.

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::finding::{
    Finding, FindingFilter, FindingsPosition, RegionFindings, pages_after,
};
use crate::error::Error;
use crate::service::Service;
use crate::views::known_region;

/// How many stored pages one page of an answer reads: where few of many are wanted, it is short.
const READ_MAX: usize = 10;

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What is known of each region that is looked after, by name.
    pub regions: Vec<RegionFindings>,
    /// The findings, each with its region.
    pub page: Page<(String, Finding)>,
}

/// One page of what the last looks have found, by region, owner, place and id. Nothing is asked of EC2.
pub async fn list(
    service: &Service,
    wanted: &FindingFilter,
    request: &PageRequest,
) -> Result<Findings, Error> {
    let is_looked_after = |region| service.settings.regions.contains(region);
    if !wanted.region.as_ref().is_none_or(is_looked_after) {
        return Err(known_region::refusal(service));
    }
    let mut position = match &request.cursor {
        Some(cursor) => {
            let parsed = cursor.key().parse::<FindingsPosition>();
            Some(parsed.map_err(|reason| Error::invalid("cursor", reason))?)
        }
        None => None,
    };
    let regions = regions(service).await?;
    let pages = pages_after(&regions, wanted, position.as_ref());
    let mut items = Vec::new();
    let mut more = pages.len() > READ_MAX;
    'pages: for page in pages.iter().take(READ_MAX) {
        let findings = service.table.findings_page(page).await?;
        if findings.is_empty() {
            // It has expired: the region was out of reach for a week. A reader goes on all the same.
            let (region, after) = (page.region.clone(), page.begins.clone());
            position = Some(FindingsPosition { region, bucket: page.bucket, after });
        }
        for finding in findings {
            let is_before = position.as_ref().is_some_and(|at| {
                (&at.region, at.bucket) == (&page.region, page.bucket)
                    && finding.ebs_snapshot_id <= at.after
            });
            if is_before {
                continue;
            }
            if items.len() == request.limit {
                more = true;
                break 'pages;
            }
            let after = finding.ebs_snapshot_id.clone();
            position =
                Some(FindingsPosition { region: page.region.clone(), bucket: page.bucket, after });
            if wanted.wants(&finding) {
                items.push((page.region.clone(), finding));
            }
        }
    }
    let next_cursor = position.filter(|_| more).map(|at| Cursor::after(at.to_string()));
    Ok(Findings { regions, page: Page { items, next_cursor } })
}

/// Returns the findings of each region that is looked after.
pub(crate) async fn regions(service: &Service) -> Result<Vec<RegionFindings>, Error> {
    let known = service.table.every_region_findings().await?;
    let is_ours = |one: &RegionFindings| service.settings.regions.contains(&one.region);
    Ok(known.into_iter().filter(is_ours).collect())
}
