//! Subnets, security groups and key pairs that were put there, beside the default ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A Region's one network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    /// Zones by subnet.
    pub(crate) subnets: BTreeMap<String, String>,
    /// Names by security group.
    pub(crate) groups: BTreeMap<String, String>,
    /// Key pairs, by name.
    pub(crate) keys: BTreeSet<String>,
}
