//! The keys of drills: when those of a schedule are looked at, and how the last one ended.

use super::Key;
use crate::domain::ids::{InstanceId, ScheduleId};

/// Where both are.
const DRILLS: &str = "DRILLS";

/// When the drills of a schedule are looked at.
pub fn entry(id: &ScheduleId) -> Key {
    Key::new(DRILLS, format!("DUE#{id}"))
}

/// The schedule whose entry has this key.
pub fn schedule_of(entry: &Key) -> Option<ScheduleId> {
    entry.sk.strip_prefix("DUE#")?.parse().ok()
}

/// How the last drill of an instance ended.
pub fn last_of_instance(id: &InstanceId) -> Key {
    Key::new(DRILLS, format!("LAST#{id}"))
}

/// How the last drill of a schedule's snapshots ended.
pub fn last_of_schedule(id: &ScheduleId) -> Key {
    Key::new(DRILLS, format!("LAST#{id}"))
}
