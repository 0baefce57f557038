//! Snapshots on their way into the archive and out of it.

use jiff::SignedDuration;

use super::Task;
use crate::{
    clock::later,
    shelf::Moment,
    state::{
        Region,
        tier::{StorageTier, TierChangeKind, TierChangeStage},
    },
};

impl Region {
    /// The snapshot is where it was to go.
    pub(super) fn tier_arrives(&mut self, id: &str, moment: Moment) {
        let Some(snapshot) = self.snapshots.get(id) else { return };
        let Some(last) = snapshot.tiering.last.clone() else { return };
        if last.stage == TierChangeStage::Completed {
            return;
        }
        let days = SignedDuration::from_hours(24 * i64::from(last.days.unwrap_or_default()));
        let until = later(moment.now, days);
        self.snapshots.change(id, moment, |snapshot| {
            let tiering = &mut snapshot.tiering;
            if let Some(last) = tiering.last.as_mut() {
                last.stage = TierChangeStage::Completed;
            }
            match last.kind {
                TierChangeKind::Archival => {
                    tiering.tier = StorageTier::Archive;
                    tiering.archived_at = Some(moment.now);
                    tiering.restored_until = None;
                }
                TierChangeKind::TemporaryRestore => {
                    tiering.tier = StorageTier::Standard;
                    tiering.restored_until = Some(until);
                }
                TierChangeKind::PermanentRestore => {
                    tiering.tier = StorageTier::Standard;
                    tiering.archived_at = None;
                    tiering.restored_until = None;
                }
            }
        });
        if last.kind == TierChangeKind::TemporaryRestore {
            self.agenda.plan(until, Task::RestoreExpires(id.to_owned()));
        }
    }

    /// A temporary restore is over, if it was not made longer or permanent.
    pub(super) fn restore_expires(&mut self, id: &str, moment: Moment) {
        let over = self.snapshots.get(id).is_some_and(|snapshot| {
            snapshot.tiering.restored_until.is_some_and(|until| until <= moment.now)
        });
        if over {
            self.snapshots.change(id, moment, |snapshot| {
                snapshot.tiering.tier = StorageTier::Archive;
                snapshot.tiering.restored_until = None;
            });
        }
    }
}
