//! Which sweeps, and which entries of a plan, are wanted.

use shared::views::sweeps::{EntryFilter, SweepFilter, VerdictKind};
use utoipa::IntoParams;

use super::plan::PlanVerdict;
use super::wire::{SweepMode, SweepStatus};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};

/// Which sweeps are wanted: those to which everything given applies.
#[derive(Debug)]
pub(super) struct SweepParameters {
    pub(super) filter: SweepFilter,
    pub(super) count: Option<bool>,
    pub(super) page: PageParameters,
}

/// The same as the document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is only described")]
struct SweepFilterParameters {
    /// Standing there; may be repeated, and then any of them will do.
    #[param(value_type = Vec<SweepStatus>, required = false, inline)]
    status: Vec<SweepStatus>,
    /// Of this mode.
    #[param(value_type = Option<SweepMode>, inline)]
    mode: Option<SweepMode>,
    /// Tell how many there are in all.
    count: Option<bool>,
}

impl IntoParams for SweepParameters {
    fn into_params(
        parameter_in_provider: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        SweepFilterParameters::into_params(parameter_in_provider)
    }
}

impl FromQuery for SweepParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let status: Vec<SweepStatus> = given.all("status")?;
        let mode: Option<SweepMode> = given.one("mode")?;
        let status = status.into_iter().map(Into::into).collect();
        let filter = SweepFilter { status, mode: mode.map(Into::into) };
        let count = given.flag("count")?;
        Ok(Self { filter, count, page: PageParameters::from_query(given)? })
    }
}

/// Which entries of a plan are wanted: those to which everything given applies.
#[derive(Debug)]
pub(super) struct PlanParameters {
    pub(super) filter: EntryFilter,
    pub(super) page: PageParameters,
}

/// The same as the document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is only described")]
struct EntryFilterParameters {
    /// With this verdict; may be repeated, and then any of them will do.
    #[param(value_type = Vec<PlanVerdict>, required = false, inline)]
    verdict: Vec<PlanVerdict>,
    /// Those that count for the brake, or those that do not.
    unexpected: Option<bool>,
    /// Of this schedule.
    #[param(value_type = Option<String>)]
    schedule_id: Option<String>,
    /// Of this instance.
    #[param(value_type = Option<String>)]
    instance_id: Option<String>,
}

impl IntoParams for PlanParameters {
    fn into_params(
        parameter_in_provider: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        EntryFilterParameters::into_params(parameter_in_provider)
    }
}

impl FromQuery for PlanParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let verdicts: Vec<PlanVerdict> = given.all("verdict")?;
        let kind = |verdict| match verdict {
            PlanVerdict::Keep => VerdictKind::Keep,
            PlanVerdict::Delete => VerdictKind::Delete,
            PlanVerdict::Blocked => VerdictKind::Blocked,
        };
        let filter = EntryFilter {
            verdicts: verdicts.into_iter().map(kind).collect(),
            unexpected: given.flag("unexpected")?,
            schedule_id: given.one("schedule_id")?,
            instance_id: given.one("instance_id")?,
        };
        Ok(Self { filter, page: PageParameters::from_query(given)? })
    }
}
