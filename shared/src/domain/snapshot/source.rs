//! The instance that a snapshot is of, as it was then.

use serde::{Deserialize, Serialize};

use crate::domain::ids::InstanceId;
use crate::domain::instance::InstanceType;
use crate::domain::instance::launch::LaunchSettings;
use crate::domain::tags::Tags;

/// What a snapshot is of, as it was when it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub instance_id: InstanceId,
    /// Its `Name` tag then.
    pub instance_name: Option<String>,
    /// Its type then.
    pub instance_type: Option<String>,
    pub architecture: Option<String>,
    pub platform: Option<String>,
    /// The region in which the snapshot is: the instance's, but for a copy.
    pub region: String,
    /// The availability zone then.
    pub zone: Option<String>,
    /// Its tags then.
    #[serde(default)]
    pub tags: Tags,
    /// How it was launched.
    #[serde(default)]
    pub launch: LaunchSettings,
    /// What its type offered then, where EC2 said.
    #[serde(default)]
    pub machine: Option<InstanceType>,
}

impl Source {
    /// An instance of which nothing else is known.
    pub fn unknown(instance_id: InstanceId, region: impl Into<String>) -> Self {
        Self {
            instance_id,
            instance_name: None,
            instance_type: None,
            architecture: None,
            platform: None,
            region: region.into(),
            zone: None,
            tags: Tags::new(),
            launch: LaunchSettings::default(),
            machine: None,
        }
    }
}
