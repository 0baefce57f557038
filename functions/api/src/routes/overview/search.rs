//! What a search finds, on the wire.

use serde::Serialize;
use shared::domain::snapshot::Snapshot;
use shared::views::search::{Found, Hit};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};

/// How many characters of a text are looked for.
const LENGTH_MAX: usize = 100;

/// What is looked for.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParameters {
    /// An identifier, or a part of a name; case does not matter.
    #[param(value_type = String, required = true, min_length = 1, max_length = 100, example = "snap-0123456789abcdef0")]
    q: Option<String>,
}

impl FromQuery for SearchParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { q: given.one("q")? })
    }
}

impl SearchParameters {
    /// The text, which must be given.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        let text = self.q.as_deref().map(str::trim);
        let is_text = |text: &&str| (1..=LENGTH_MAX).contains(&text.chars().count());
        text.filter(is_text).ok_or_else(|| {
            let allowed = format!("must be given, with 1 to {LENGTH_MAX} characters");
            Problem::invalid("q", allowed)
        })
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchResult {
    /// What bears the identifier or the name.
    items: Vec<SearchHit>,
    /// Whether there may be more: of a name, only the newest snapshots are looked at.
    more: bool,
    /// The regions that gave no answer.
    regions_out_of_reach: Vec<String>,
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchHit {
    /// What it is.
    #[serde(rename = "type")]
    kind: SearchHitType,
    /// Its identifier.
    #[schema(example = "snp_0195500c-6d00-7000-8000-000000000000", pattern = "^.+$")]
    id: String,
    /// Its name, where it has one.
    name: Option<String>,
    /// Its region, where it is in one.
    region: Option<String>,
    /// Where this API shows it.
    #[schema(example = "/v1/snapshots/snp_0195500c-6d00-7000-8000-000000000000")]
    path: String,
}

/// What a search finds.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SearchHitType {
    /// An instance that EC2 shows.
    Instance,
    /// An instance that EC2 shows no more, and of which there are or were snapshots.
    GoneInstance,
    /// A snapshot.
    Snapshot,
    /// An EBS snapshot of a snapshot, which `path` leads to.
    EbsSnapshot,
    /// A schedule.
    Schedule,
    /// A sweep.
    Sweep,
    /// A restore.
    Restore,
    /// An image.
    Image,
    /// What a request has done.
    AuditEntry,
}

impl SearchResult {
    /// What was found.
    pub(super) fn of(found: Found) -> Self {
        let Found { hits, more, out_of_reach } = found;
        let items = hits.into_iter().map(SearchHit::of).collect();
        Self { items, more, regions_out_of_reach: out_of_reach }
    }
}

impl SearchHit {
    fn of(hit: Hit) -> Self {
        match hit {
            Hit::Instance(one) => Self {
                kind: SearchHitType::Instance,
                path: format!("/v1/instances/{}", one.id),
                id: one.id.to_string(),
                name: one.name,
                region: Some(one.region),
            },
            Hit::GoneInstance(newest) => Self {
                kind: SearchHitType::GoneInstance,
                path: format!("/v1/instances/{}/history", newest.source.instance_id),
                id: newest.source.instance_id.to_string(),
                name: newest.source.instance_name,
                region: Some(newest.source.region),
            },
            Hit::Snapshot(one) => {
                Self::of_snapshot(SearchHitType::Snapshot, one.id.to_string(), *one)
            }
            Hit::EbsSnapshot(member, set) => {
                Self::of_snapshot(SearchHitType::EbsSnapshot, member.to_string(), *set)
            }
            Hit::Schedule(one) => Self {
                kind: SearchHitType::Schedule,
                path: format!("/v1/schedules/{}", one.id),
                id: one.id.to_string(),
                name: Some(one.settings.name),
                region: None,
            },
            Hit::Sweep(one) => Self {
                kind: SearchHitType::Sweep,
                path: format!("/v1/sweeps/{}", one.id),
                id: one.id.to_string(),
                name: None,
                region: None,
            },
            Hit::Restore(one) => Self {
                kind: SearchHitType::Restore,
                path: format!("/v1/restores/{}", one.id),
                id: one.id.to_string(),
                name: Some(one.snapshot_name),
                region: Some(one.region),
            },
            Hit::Image(one) => Self {
                kind: SearchHitType::Image,
                path: format!("/v1/images/{}", one.id),
                id: one.id.to_string(),
                name: Some(one.name),
                region: Some(one.region),
            },
            Hit::AuditEntry(one) => Self {
                kind: SearchHitType::AuditEntry,
                path: format!("/v1/audit?resource_id={}", one.resource_id),
                id: one.id.to_string(),
                name: Some(one.summary),
                region: None,
            },
        }
    }

    fn of_snapshot(kind: SearchHitType, id: String, snapshot: Snapshot) -> Self {
        Self {
            kind,
            id,
            path: format!("/v1/snapshots/{}", snapshot.id),
            name: Some(snapshot.name),
            region: Some(snapshot.source.region),
        }
    }
}
