//! Parameters of requests about restores.

use jiff::Timestamp;
use shared::domain::ids::{InstanceId, SnapshotId};
use shared::domain::restore::RestoreStatus;
use shared::views::restores::RestoreFilter;
use utoipa::IntoParams;

use super::words::RestoreStatusWord;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};

/// Which restores are wanted: those to which everything given applies.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RestoreParameters {
    /// Of snapshots of this instance.
    #[param(value_type = Option<String>, example = "i-0123456789abcdef0")]
    instance_id: Option<InstanceId>,
    /// Of this snapshot.
    #[param(value_type = Option<String>)]
    snapshot_id: Option<SnapshotId>,
    /// Standing there.
    #[param(value_type = Option<RestoreStatusWord>, inline)]
    status: Option<RestoreStatus>,
    /// Only those whose old volumes are past the time for which they are kept: nothing deletes them, a person does.
    old_volumes_due: Option<bool>,
    #[param(ignore)]
    pub(super) page: PageParameters,
}

impl FromQuery for RestoreParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            instance_id: given.one("instance_id")?,
            snapshot_id: given.one("snapshot_id")?,
            status: given.one("status")?,
            old_volumes_due: given.flag("old_volumes_due")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

impl RestoreParameters {
    /// The filter they make at `now`.
    pub(super) fn filter(&self, now: Timestamp) -> RestoreFilter {
        RestoreFilter {
            instance_id: self.instance_id.clone(),
            snapshot_id: self.snapshot_id.clone(),
            status: self.status,
            old_volumes_due: (self.old_volumes_due == Some(true)).then_some(now),
        }
    }
}

/// Whether it is only to be told.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestParameters {
    /// Record and change nothing: the answer is the restore as it would be, with its outlook.
    pub(super) preview: Option<bool>,
}

impl FromQuery for RequestParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { preview: given.flag("preview")? })
    }
}
