//! What is planned for later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::instance::InstanceState;

/// Tasks by the time they are due, in the order they were planned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Agenda(BTreeMap<Timestamp, Vec<Task>>);

/// Something that happens to an object when its time has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// The instance is in this state now, if it still was on its way there.
    Instance { id: String, from: InstanceState, to: InstanceState },
    /// The terminated instance is no longer listed.
    ForgetInstance(String),
    /// The volume can be used.
    VolumeReady(String),
    /// The volume is gone again: its key could not be used.
    VolumeVanishes(String),
    /// The volume is attached or detached, whichever was under way.
    Attachment(String),
    /// The snapshot has been copied.
    Snapshot(String),
    /// All snapshots of the image have ended.
    Image(String),
    /// The replacement of a root volume is one step further.
    RootReplacement(String),
    /// The snapshot's time in the Recycle Bin is over.
    RecycleBin(String),
    /// The snapshot is in the tier it was to go to.
    Tier(String),
    /// The snapshot's temporary restore from the archive is over.
    RestoreExpires(String),
}

impl Agenda {
    /// Plans `task` for `due`.
    pub(crate) fn plan(&mut self, due: Timestamp, task: Task) {
        self.0.entry(due).or_default().push(task);
    }

    /// Takes what is due first, if anything is by `now`.
    pub(crate) fn take_first_due(&mut self, now: Timestamp) -> Option<(Timestamp, Vec<Task>)> {
        let first = self.0.first_entry()?;
        (*first.key() <= now).then(|| first.remove_entry())
    }
}
