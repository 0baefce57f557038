//! What the reconciler has found of all EBS snapshots, read in pages, and asked for anew.

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::finding::{Finding, Position, RegionFindings, Wanted, pages_after};
use crate::error::{Error, chain};
use crate::events::{OwnEvent, ReconciliationRequested};
use crate::service::Service;

/// How many stored pages one page of an answer reads: where few of many are wanted, it is short.
const READ_MAX: usize = 10;
/// How long one must wait before asking for another look.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How long a look that was asked for may be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What is known of each region that is looked after, by name.
    pub regions: Vec<RegionFindings>,
    /// The findings, each with its region.
    pub page: Page<(String, Finding)>,
}

/// One page of what the last looks have found, by region, owner, place and id. Nothing is asked of EC2.
pub async fn list_findings(
    service: &Service,
    wanted: &Wanted,
    request: &PageRequest,
) -> Result<Findings, Error> {
    if let Some(region) = &wanted.region {
        let all = &service.settings.regions;
        if !all.contains(region) {
            let reason = format!("is not looked after; there are {}", all.join(", "));
            return Err(Error::invalid("region", reason));
        }
    }
    let mut position = match &request.cursor {
        Some(cursor) => {
            let parsed = cursor.key().parse::<Position>();
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
            position = Some(Position { region, bucket: page.bucket, after });
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
            position = Some(Position { region: page.region.clone(), bucket: page.bucket, after });
            if wanted.wants(&finding) {
                items.push((page.region.clone(), finding));
            }
        }
    }
    let next_cursor = position.filter(|_| more).map(|at| Cursor::after(at.to_string()));
    Ok(Findings { regions, page: Page { items, next_cursor } })
}

/// What is known of each region that is looked after.
async fn regions(service: &Service) -> Result<Vec<RegionFindings>, Error> {
    let known = service.table.every_region_findings().await?;
    let is_ours = |one: &RegionFindings| service.settings.regions.contains(&one.region);
    Ok(known.into_iter().filter(is_ours).collect())
}

/// Asks the reconciler for a look at everything now. It is [`Error::Conflict`] where the last look was less than five
/// minutes ago, or where one that was asked for less than fifteen minutes ago is still under way.
pub async fn request_reconciliation(
    service: &Service,
    who: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let regions = regions(service).await?;
    let latest = regions.iter().map(|one| one.looked_at).max();
    if let Some(latest) = latest.filter(|latest| now.duration_since(*latest) < PAUSE) {
        return Err(Error::conflict(format!(
            "everything was looked at at {latest}; ask again five minutes after it"
        )));
    }
    let asked = service.table.look_asked_at().await?;
    let is_under_way = |asked: Timestamp| {
        now.duration_since(asked) < UNDER_WAY && latest.is_none_or(|latest| latest < asked)
    };
    if let Some(asked) = asked.filter(|asked| is_under_way(*asked)) {
        return Err(under_way(asked));
    }
    if !service.table.ask_look(asked, now).await?.is_done() {
        return Err(under_way(now));
    }
    let detail = ReconciliationRequested { requested_by: who.to_owned() };
    let published = service.bus.publish(&[OwnEvent::ReconciliationRequested(detail)]).await;
    if published.is_err() {
        // Else nobody could ask for a while. It holds nobody back for longer than that if this fails as well.
        if let Err(error) = service.table.forget_asked_look(now).await {
            warn!(error.chain = %chain(&error), "A look may be asked for only later");
        }
    }
    published
}

/// A look was asked for at `asked`, and may not have ended.
fn under_way(asked: Timestamp) -> Error {
    let again = asked.saturating_add(UNDER_WAY).unwrap_or(asked);
    Error::conflict(format!(
        "a look was asked for at {asked}; ask again when it has ended, or at {again}"
    ))
}
