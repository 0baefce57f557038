//! Instances, as EC2 has them.

mod pages;

pub use pages::{InstanceList, list_instances};

use crate::domain::ids::InstanceId;
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::schedule::{TagMatch, Targets};
use crate::ec2::InstanceFilter;
use crate::error::Error;
use crate::regions::find_instance;
use crate::service::Service;

/// How many instances EC2 is asked for by their ids.
const ASKED_BY_ID_MAX: usize = 200;

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
    pub region: Option<String>,
    pub state: Option<InstanceState>,
    /// That these are for.
    pub targets: Option<Targets>,
}

impl InstanceQuery {
    /// The filter that EC2 is given: for targets that are selected by tags only or by ids only, exactly those.
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
pub async fn show(service: &Service, id: &InstanceId) -> Result<Instance, Error> {
    find_instance(service, id).await
}
