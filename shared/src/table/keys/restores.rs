//! The keys of restores.

use super::{DueKind, Index, IndexKeys, Key, due_keys, instant};
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId};
use crate::domain::restore::{Restore, RestoreStatus};

/// Where all restores are.
pub const RESTORES: &str = "RESTORES";

/// A restore.
pub fn restore(id: &RestoreId) -> Key {
    Key::new(RESTORES, id.as_str())
}

/// Which restore has an instance to itself.
pub fn restoring(id: &InstanceId) -> Key {
    Key::new(format!("RESTORING#{id}"), "RESTORING")
}

/// Where the restores that concern an instance are in [`Index::Instance`].
pub fn restores_of_instance(id: &InstanceId) -> String {
    format!("RESTORES#{id}")
}

/// Where the restores of a snapshot are in [`Index::All`].
pub fn restores_of_snapshot(id: &SnapshotId) -> String {
    format!("RESTORES#{id}")
}

/// Where the restores that stand there are in [`Index::Status`].
pub fn restores_that_are(status: RestoreStatus) -> String {
    format!("RESTORES#{status}")
}

/// The index keys of a restore.
pub(in crate::table) fn of_restore(restore: &Restore) -> IndexKeys {
    let position = format!("{}#{}", instant(restore.created_at), restore.id);
    let mut keys = vec![
        (Index::All.partition(), restores_of_snapshot(&restore.snapshot_id)),
        (Index::Instance.partition(), restores_of_instance(&restore.instance_id)),
        (Index::Status.partition(), restores_that_are(restore.status)),
        (Index::All.sort(), position),
    ];
    if let Some(at) = restore.course.attention_at {
        keys.extend(due_keys(DueKind::Restore, at, restore.id.as_str()));
    }
    keys
}
