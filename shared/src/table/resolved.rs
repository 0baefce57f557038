//! Snapshots at positions of an index: their records, and which of them cannot be read.

use tracing::error;

use super::client::{IndexEntry, Table};
use super::keys::{self, Key};
use crate::domain::snapshot::Snapshot;
use crate::error::{Error, chain};

/// The records at positions, and the ids of those that cannot be read.
pub(super) struct Resolved {
    pub(super) snapshots: Vec<(String, Snapshot)>,
    pub(super) unreadable: Vec<String>,
}

impl Table {
    /// The records at these positions that can be read.
    pub(super) async fn resolve(
        &self,
        positions: Vec<IndexEntry>,
    ) -> Result<Vec<(String, Snapshot)>, Error> {
        Ok(self.resolve_each(positions).await?.snapshots)
    }

    /// The records at these positions, in order; what is not there is left out.
    pub(super) async fn resolve_each(&self, positions: Vec<IndexEntry>) -> Result<Resolved, Error> {
        let keys: Vec<_> = positions.iter().map(|position| position.key.clone()).collect();
        let mut found = self.get_each(&keys).await?;
        let mut resolved = Resolved { snapshots: Vec::new(), unreadable: Vec::new() };
        for position in positions {
            let Some(record) = found.remove(&position.key) else { continue };
            match readable(&position.key, record) {
                Some(snapshot) => resolved.snapshots.push((position.sort, snapshot)),
                None => {
                    resolved.unreadable.extend(keys::snapshot_id(&position.key).map(String::from));
                }
            }
        }
        Ok(resolved)
    }
}

/// The snapshot, if its record can be read. One that cannot guards no other and is not deleted until it can again.
pub(super) fn readable(key: &Key, snapshot: Result<Snapshot, Error>) -> Option<Snapshot> {
    let id = keys::snapshot_id(key).map_or_else(|| key.pk.clone(), String::from);
    snapshot
        .inspect_err(|error| {
            error!(snapshot.id = %id, error.chain = %chain(error), "Snapshot {id} cannot be read, and is left alone");
        })
        .ok()
}
