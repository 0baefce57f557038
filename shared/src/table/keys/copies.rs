//! Keys of copies in other regions.

use super::Key;
use crate::domain::snapshot::Snapshot;

/// The partition of the due index that has the copies which their originals wait for, by when they were asked for.
pub fn queue(region: &str) -> String {
    format!("COPY#{region}")
}

/// Whether a snapshot is a copy that its original waits for.
pub fn is_awaited(snapshot: &Snapshot) -> bool {
    snapshot.copy_of.as_ref().is_some_and(|original| original.is_awaited)
}

/// Whose turn it is at the copies to a region.
pub fn turn(region: &str) -> Key {
    Key::new(format!("TURN#COPY#{region}"), "TURN")
}
