//! The memory of the simulation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{event_queue::EventQueue, ids::Mint, shelf::Shelf};

pub(crate) mod agenda;
pub(crate) mod fast_restore;
pub(crate) mod image;
pub(crate) mod instance;
pub(crate) mod network;
pub(crate) mod recycle_bin;
pub(crate) mod root_replacement;
pub(crate) mod snapshot;
pub(crate) mod tier;
pub(crate) mod volume;

use agenda::Agenda;
use image::Image;
use instance::Instance;
use network::Network;
use recycle_bin::RecycleBin;
use root_replacement::RootReplacement;
use snapshot::{Snapshot, SnapshotSet};
use volume::Volume;

/// Tags, or anything else with a name and a value.
pub type Tags = BTreeMap<String, String>;

/// Everything that is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) regions: BTreeMap<String, Region>,
    pub(crate) mint: Mint,
    pub(crate) events: EventQueue,
}

/// One Region: nothing in it knows of another. What came after the first stored states has a
/// default, so that they still load.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) instances: Shelf<Instance>,
    pub(crate) volumes: Shelf<Volume>,
    pub(crate) snapshots: Shelf<Snapshot>,
    pub(crate) images: Shelf<Image>,
    /// Multi-volume sets some member of which is pending.
    pub(crate) sets: BTreeMap<String, SnapshotSet>,
    /// Client tokens by action and token.
    pub(crate) tokens: BTreeMap<String, UsedToken>,
    pub(crate) agenda: Agenda,
    #[serde(default)]
    pub(crate) root_replacements: Shelf<RootReplacement>,
    #[serde(default)]
    pub(crate) recycle_bin: RecycleBin,
    #[serde(default)]
    pub(crate) network: Network,
}

/// A client token that was used, for what, and what came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UsedToken {
    pub(crate) request: String,
    pub(crate) ids: Vec<String>,
}
