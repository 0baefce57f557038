//! Instances, as EC2 has them.

mod pages;

pub use pages::{InstanceList, list_instances};

use crate::domain::cursor::Order;
use crate::domain::ids::InstanceId;
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::schedule::{TagMatch, Targets};
use crate::domain::snapshot::Snapshot;
use crate::ec2::InstanceFilter;
use crate::error::Error;
use crate::regions::find_instance;
use crate::service::Service;
use crate::table::keys::{self, Index, Presence};
use crate::table::snapshots::{Listed, Slice, SnapshotList};

/// How many instances EC2 is asked for by their ids.
const ASKED_BY_ID_MAX: usize = 200;
/// Among how many records a newer one is looked for first: almost always one of the latest is newer, and each deletion
/// looks for one.
const FIRST_LOOK: usize = 4;
/// How many times as many the next look is at.
const FURTHER: usize = 4;
/// And at the most.
const LOOK_MAX: usize = 1_000;

/// Which instances are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct InstanceQuery {
    /// Bearing all of these tags.
    pub tags: Vec<TagMatch>,
    /// With this text in id, name or type; case does not matter.
    pub q: Option<String>,
    /// Of which a snapshot can be taken, or cannot. Those of which none can be taken because too many are pending are
    /// among them either way: who knows of these leaves them out.
    pub eligible: Option<bool>,
    /// Of this region.
    pub region: Option<String>,
    /// In this state.
    pub state: Option<InstanceState>,
    /// That these are for.
    pub targets: Option<Targets>,
}

impl InstanceQuery {
    /// What EC2 can be asked: for what targets select by tags or by ids only, no more than that.
    fn filter(&self) -> InstanceFilter {
        let mut filter = InstanceFilter { tags: self.tags.clone(), ..InstanceFilter::default() };
        if let Some(targets) = &self.targets {
            let count = targets.instance_ids.len();
            if count == 0 {
                filter.like = targets.tags.clone();
            } else if targets.tags.is_empty() && count <= ASKED_BY_ID_MAX {
                filter.ids.clone_from(&targets.instance_ids);
            }
        }
        filter
    }

    fn wants(&self, instance: &Instance) -> bool {
        let has_text = |text: &str| {
            let text = text.to_lowercase();
            let places = [
                Some(instance.id.as_str()),
                instance.name.as_deref(),
                Some(instance.instance_type.as_str()),
            ];
            places.into_iter().flatten().any(|place| place.to_lowercase().contains(&text))
        };
        (self.eligible != Some(true) || instance.eligibility().is_ok())
            && self.state.is_none_or(|state| instance.state == state)
            && self.targets.as_ref().is_none_or(|targets| targets.include(instance))
            && self.q.as_deref().is_none_or(has_text)
    }
}

/// The instance of this id, whichever region has it. EC2 shows a terminated one for about an hour.
pub async fn show_instance(service: &Service, id: &InstanceId) -> Result<Instance, Error> {
    find_instance(service, id).await
}

/// A good snapshot of the same instance in the same region that is a newer restore point than `snapshot`; none where
/// none is found.
///
/// It is not enough to look at the record that was made last: that of a set that was adopted or copied is made long
/// after its content. So the records are gone through, the last made first, until one is newer. Mostly that is one of
/// the first few, in one look; for a snapshot that is the newest itself all are read, a thousand at a time at the most.
pub(crate) async fn newer_available(
    service: &Service,
    snapshot: &Snapshot,
) -> Result<Option<Snapshot>, Error> {
    let partition = keys::instance(snapshot.source.instance_id.as_str(), Presence::Here);
    let list = SnapshotList { index: Index::Instance, partition };
    let mut slice = Slice { order: Order::NewestFirst, limit: FIRST_LOOK, after: None };
    loop {
        let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
        // Where not one of many is there any more, there is no place to go on from.
        let is_stuck = snapshots.is_empty() && slice.limit == LOOK_MAX;
        if let Some((position, _)) = snapshots.last() {
            slice.after = Some(position.clone());
        }
        let mut looked_at = snapshots.into_iter().map(|(_, one)| one);
        let newer = looked_at.find(|one| is_newer(one, snapshot));
        if newer.is_some() || !more || is_stuck {
            return Ok(newer);
        }
        slice.limit = (slice.limit * FURTHER).min(LOOK_MAX);
    }
}

/// Whether `one` is good, and a newer restore point in the region of `snapshot` than that.
fn is_newer(one: &Snapshot, snapshot: &Snapshot) -> bool {
    one.is_good()
        && one.source.region == snapshot.source.region
        && one.id != snapshot.id
        && (one.standing(), &one.id) > (snapshot.standing(), &snapshot.id)
}
