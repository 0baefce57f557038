//! Sweeps: the routes.

mod blocked;
mod plan;
mod wire;

use std::sync::Arc;

use serde::Deserialize;
use shared::domain::cursor::{Cursor, Order, Page, PageRequest};
use shared::domain::ids::SweepId;
use shared::domain::sweep as domain;
use shared::domain::sweep::plan::PlanEntry;
use shared::operations::sweeps;
use shared::views;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{Sweep, SweepMode, SweepWithPlan};
use super::wire::List;
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, Id};
use crate::problem::Problem;
use crate::query::PageParameters;
use crate::respond::Answer;
use crate::role::Role;

/// Routes of sweeps.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_sweeps, request_sweep))
        .routes(routes!(show_sweep))
        .merge(blocked::routes())
        .routes(routes!(approve_sweep))
}

/// A sweep that is wanted.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestSweep {
    /// Whether it only plans.
    mode: SweepMode,
}

/// Which plan is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApproveSweep {
    /// The plan's hash, as the sweep shows it.
    plan_hash: String,
}

fn accepted(sweep: domain::Sweep) -> Answer<Sweep> {
    let path = format!("/v1/sweeps/{}", sweep.id);
    Answer::accepted(sweep.into()).location(path)
}

/// List sweeps
///
/// Newest first, without their plans. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/sweeps",
    tag = "sweeps",
    params(PageParameters),
    responses((status = 200, description = "A page of sweeps", body = List<Sweep>))
)]
async fn list_sweeps(call: Call<Viewer, PageParameters>) -> Result<Answer<List<Sweep>>, Problem> {
    let request = call.query.request(Order::default());
    let page = views::sweeps::list(call.service(), &request).await?;
    Ok(Answer::ok(List::of(page, Sweep::from)))
}

/// Show a sweep with its plan
///
/// `limit` and `cursor` page through the plan: every snapshot that could go, oldest first, each with verdict
/// and reasons. The plan of an hourly sweep has only what is not kept. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/sweeps/{id}",
    tag = "sweeps",
    params(("id" = String, Path, description = "The sweep"), PageParameters),
    responses((status = 200, description = "The sweep and a page of its plan", body = SweepWithPlan))
)]
async fn show_sweep(
    call: Call<Viewer, PageParameters>,
    Id(id): Id<SweepId>,
) -> Result<Answer<SweepWithPlan>, Problem> {
    let request = call.query.request(Order::default());
    let position = PlanPosition::of(request.cursor.as_ref())?;
    let sweep = views::sweeps::show(call.service(), &id).await?;
    let entries = if position.page <= sweep.plan_pages {
        views::sweeps::plan_entries(call.service(), &sweep, position.page).await?
    } else {
        Vec::new()
    };
    let page = part(entries, &position, &request, sweep.plan_pages);
    Ok(Answer::ok(SweepWithPlan::of(sweep, page)))
}

/// Ask for a sweep
///
/// `plan_only` makes a plan and carries nothing of it out; `execute` carries it out, as far as the brake lets
/// it. Role: operator; to execute, admin.
#[utoipa::path(
    post,
    path = "/v1/sweeps",
    tag = "sweeps",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same request within 24 hours makes nothing new")),
    request_body = RequestSweep,
    responses((status = 202, description = "It is wanted", body = Sweep,
        headers(("Location" = String, description = "Where it is found"))))
)]
async fn request_sweep(
    call: Call<Operator>,
    creation: Creation<RequestSweep>,
) -> Result<Answer<Sweep>, Problem> {
    let mode = creation.body.mode.into();
    match mode {
        domain::SweepMode::PlanOnly => {}
        domain::SweepMode::Execute => call.needs(Role::Admin, "executing a sweep")?,
    }
    let Claimed { id, at } = creation.claim(&call, SweepId::derived).await?;
    let sweep = sweeps::request(call.service(), id, mode, &call.who, at).await?;
    Ok(accepted(sweep))
}

/// Approve a sweep
///
/// Releases what the brake has stopped: this very plan, within an hour of it and while the rules, the zone and
/// `when_gone` of the stopped schedules are what it was made with. What a plan of the moment in which it is carried
/// out does not delete, by the same rule, is left out with outcome `changed`. Repeated, it does nothing more.
/// Role: admin.
#[utoipa::path(
    post,
    path = "/v1/sweeps/{id}/approve",
    tag = "sweeps",
    params(("id" = String, Path, description = "The sweep")),
    request_body = ApproveSweep,
    responses(
        (status = 202, description = "It is released", body = Sweep,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 409, description = "It does not need approval, or the plan is another, too old, or made with other rules")
    )
)]
async fn approve_sweep(
    call: Call<Admin>,
    Id(id): Id<SweepId>,
    Body(ApproveSweep { plan_hash }): Body<ApproveSweep>,
) -> Result<Answer<Sweep>, Problem> {
    let service = call.service();
    let sweep = sweeps::approve(service, &id, &plan_hash, &call.who, call.now).await?;
    Ok(accepted(sweep))
}

/// Where a page of a plan begins: so many entries into a stored page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlanPosition {
    page: u32,
    skip: usize,
}

impl PlanPosition {
    fn of(cursor: Option<&Cursor>) -> Result<Self, Problem> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, skip: 0 }) };
        let parts = cursor.key().split_once(':');
        parts
            .and_then(|(page, skip)| {
                Some(Self { page: page.parse().ok()?, skip: skip.parse().ok()? })
            })
            .filter(|position| position.page > 0)
            .ok_or_else(|| {
                let reason = "is no cursor of this list; take the next_cursor of the page before";
                Problem::invalid("cursor", reason)
            })
    }

    fn cursor(self) -> Cursor {
        Cursor::after(format!("{}:{}", self.page, self.skip))
    }
}

/// The wanted part of a stored page of a plan that has `pages` of them.
fn part(
    entries: Vec<PlanEntry>,
    position: &PlanPosition,
    request: &PageRequest,
    pages: u32,
) -> Page<PlanEntry> {
    let end = position.skip.saturating_add(request.limit);
    let next = if end < entries.len() {
        Some(PlanPosition { page: position.page, skip: end })
    } else if position.page < pages {
        Some(PlanPosition { page: position.page + 1, skip: 0 })
    } else {
        None
    };
    let items = entries.into_iter().skip(position.skip).take(request.limit).collect();
    Page { items, next_cursor: next.map(PlanPosition::cursor) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::domain::ids::SnapshotId;
    use shared::domain::sweep::brake::group::Group;
    use shared::domain::sweep::plan::Verdict;

    use super::*;

    fn entries(count: usize) -> Vec<PlanEntry> {
        let entry = |number: usize| PlanEntry {
            snapshot_id: SnapshotId::derived(Timestamp::UNIX_EPOCH, &[&number.to_string()]),
            instance_id: "i-0123456789abcdef0".parse().unwrap(),
            schedule_id: None,
            taken_at: Timestamp::UNIX_EPOCH,
            verdict: Verdict::Keep,
            reasons: Vec::new(),
            shielded_from: None,
            group: Group::default(),
            outcome: None,
        };
        (0..count).map(entry).collect()
    }

    #[test]
    fn pages_of_a_plan_meet_without_gap_or_overlap() {
        let stored = [entries(200), entries(30)];
        let mut request = PageRequest { limit: 70, ..PageRequest::default() };
        let mut counts = Vec::new();

        loop {
            let position = PlanPosition::of(request.cursor.as_ref()).unwrap();
            let entries = stored[position.page as usize - 1].clone();
            let page = part(entries, &position, &request, 2);
            counts.push(page.items.len());
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }

        assert_eq!(counts, [70, 70, 60, 30]);
    }

    #[test]
    fn a_plan_that_is_not_there_yet_is_an_empty_page() {
        let page = part(Vec::new(), &PlanPosition { page: 1, skip: 0 }, &PageRequest::default(), 0);

        assert!(page.items.is_empty() && page.next_cursor.is_none());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        for key in ["x", "0:0", "1:", "2026-03-01T00:00:00.000Z#snp"] {
            PlanPosition::of(Some(&Cursor::after(key))).unwrap_err();
        }
    }
}
