//! Whether a set is whole, by its record and as EC2 shows its members at this moment: a record alone is no evidence.

use jiff::Timestamp;

use super::member::Member;
use super::{Snapshot, Status};
use crate::domain::ids::EbsSnapshotId;
use crate::domain::installation::Installation;
use crate::domain::ownership::{EbsSnapshot, EbsState, StorageTier};
use crate::domain::sighting::Sighting;
use crate::domain::snapshot::Course;

impl Snapshot {
    /// Whether all of it is there to stay, as far as is known: available, every member completed, none that EC2 has failed
    /// to show, none in the archive or out of it for some days only.
    pub fn is_whole(&self) -> bool {
        self.status == Status::Available
            && self.course.absent_since.is_none()
            && self.ending.damaged.is_none()
            && self.members.iter().all(Member::is_sound)
    }

    /// Whether a member of it is in EC2's archive: no volume can be made of it.
    pub fn is_archived(&self) -> bool {
        self.living_members().any(|member| member.tier == StorageTier::Archive)
    }

    /// The same as EC2 shows it now, for judging only: it is not to be stored. One of which a member is not shown is
    /// absent, and so is one that another installation has taken over: we can no longer keep it from going. Of the others it
    /// is said where they stand and where they are kept.
    #[must_use]
    pub fn as_shown(
        &self,
        seen: impl Fn(&EbsSnapshotId) -> Option<Sighting>,
        now: Timestamp,
    ) -> Self {
        let mut shown = self.clone();
        let mut is_absent = false;
        for member in shown.members.iter_mut().filter(|member| !member.deleted) {
            let found = seen(&member.ebs_snapshot_id);
            match found.filter(|found| !self.is_taken_over(found.installation)) {
                Some(found) => *member = member.refreshed(&found),
                None => is_absent = true,
            }
        }
        shown.course.absent_since = is_absent.then(|| self.course.absent_since.unwrap_or(now));
        shown
    }

    /// Which members EC2 says have failed, each with its words, if it has any.
    pub(super) fn why_failed(&self, seen: &[EbsSnapshot]) -> String {
        let failed =
            seen.iter().filter(|one| one.state == EbsState::Error && self.has_member(&one.id));
        let words: Vec<_> = failed
            .filter_map(|one| Some(format!("{}: {}", one.id, one.state_message.as_ref()?)))
            .collect();
        let reports = "EC2 reports that a member of the set failed";
        if words.is_empty() {
            reports.to_owned()
        } else {
            format!("{reports}: {}", words.join("; "))
        }
    }

    /// Whether a member that EC2 shows with this installation is another's by now.
    pub(super) fn is_taken_over(&self, named: Installation) -> bool {
        named == Installation::Another && !self.is_being_adopted()
    }

    /// Whether decisions about it differ from those about `record`, of which it is what EC2 shows: a member is absent or
    /// back, or stands or is kept otherwise.
    pub fn stands_otherwise_than(&self, record: &Self) -> bool {
        let standing = |one: &Self| -> Vec<_> {
            one.members.iter().map(|member| (member.state, member.tier)).collect()
        };
        self.course.absent_since != record.course.absent_since || standing(self) != standing(record)
    }

    /// A condemned one of which EC2 had failed to show a member and shows all now; nothing if that is no news. It is not
    /// touched by it: what absences that lie far apart have in common is nothing.
    pub(super) fn shown_again(&self, seen: &[EbsSnapshot]) -> Option<Self> {
        let is_seen = |id: &EbsSnapshotId| seen.iter().any(|one| one.id == *id);
        let is_news = self.status == Status::Condemned
            && self.course.absent_since.is_some()
            && self.living_members().all(|member| is_seen(&member.ebs_snapshot_id));
        is_news.then(|| Self {
            version: self.version + 1,
            course: Course { absent_since: None, ..self.course.clone() },
            ..self.clone()
        })
    }
}
