//! What EC2 tells of a snapshot's members in lists of their own, noted on its record.

use jiff::Timestamp;

use super::member::Member;
use super::{Snapshot, Status};
use crate::domain::notes::{NotesOfRegion, Sharing};

/// What EC2 says stands in the way of a deletion, as it was last noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    /// In words.
    pub because: String,
    /// Until when at the most; nobody knows without it.
    pub until: Option<Timestamp>,
}

impl Snapshot {
    /// The snapshot with what EC2 tells of its members; nothing if it is noted already. Of what is there no place in the
    /// Recycle Bin is noted, and of what has gone missing nothing else.
    ///
    /// It stays what it is: not even [`super::Course::touched_at`] moves.
    pub fn with_notes(&self, told: &NotesOfRegion, sharing: &Sharing) -> Option<Self> {
        let mut later = Self { version: self.version + 1, ..self.clone() };
        let is_missing = self.status == Status::Missing;
        for member in later.members.iter_mut().filter(|member| !member.deleted) {
            let mut notes = told.get(&member.ebs_snapshot_id).cloned().unwrap_or_default();
            notes.recycled_until = notes.recycled_until.filter(|_| is_missing);
            notes.shared_with = sharing.of(&member.ebs_snapshot_id, &member.notes.shared_with);
            member.notes = notes;
        }
        (later.members != self.members).then_some(later)
    }

    /// What keeps EC2 from deleting a member at `now`, as far as is noted.
    pub fn in_the_way(&self, now: Timestamp) -> Option<InTheWay> {
        let mut found: Option<InTheWay> = None;
        for member in self.living_members() {
            for one in in_the_way_of(member, now) {
                found = Some(match found {
                    None => one,
                    Some(before) => InTheWay {
                        because: format!("{}; {}", before.because, one.because),
                        until: before.until.zip(one.until).map(|(one, other)| one.max(other)),
                    },
                });
            }
        }
        found
    }

    /// Until when all that has gone missing of it lies in the Recycle Bin: until then it can be had back whole.
    pub fn recycled_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.status != Status::Missing {
            return None;
        }
        self.living_members().filter_map(|member| member.notes.recycled_at(now)).min()
    }
}

fn in_the_way_of(member: &Member, now: Timestamp) -> Vec<InTheWay> {
    let id = &member.ebs_snapshot_id;
    let lock = member.notes.lock_at(now).map(|lock| {
        let state = &lock.state;
        let because = match lock.until {
            Some(end) => format!("{id} is locked in EC2 ({state}) until {end}"),
            None => format!("{id} is locked in EC2 ({state})"),
        };
        InTheWay { because, until: lock.until }
    });
    let zones: Vec<_> = member.notes.fast_restore_zones.iter().map(String::as_str).collect();
    let fast = (!zones.is_empty()).then(|| InTheWay {
        because: format!(
            "{id} is enabled for fast snapshot restore in {}, and until that is disabled EC2 does not delete it",
            zones.join(", ")
        ),
        until: None,
    });
    lock.into_iter().chain(fast).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::notes::{LockNote, Notes};

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn locked(until: Option<Timestamp>) -> Notes {
        Notes { lock: Some(LockNote { state: "compliance".to_owned(), until }), ..Notes::default() }
    }

    fn fast(zone: &str) -> Notes {
        Notes { fast_restore_zones: [zone.to_owned()].into(), ..Notes::default() }
    }

    /// A set with a member for each of these.
    fn noted(status: Status, notes: &[Notes]) -> Snapshot {
        let mut snapshot = super::super::tests::available();
        let member = snapshot.members.remove(0);
        snapshot.status = status;
        snapshot.members =
            notes.iter().map(|notes| Member { notes: notes.clone(), ..member.clone() }).collect();
        snapshot
    }

    #[test]
    fn what_is_in_the_way_lasts_as_long_as_the_last_of_it() {
        for (notes, expected) in [
            (vec![Notes::default()], None),
            (vec![locked(Some(at(5)))], Some(Some(at(5)))),
            (vec![locked(Some(at(5))), locked(Some(at(9)))], Some(Some(at(9)))),
            // Just over.
            (vec![locked(Some(at(1)))], None),
            (vec![locked(None)], Some(None)),
            (vec![fast("us-east-1b")], Some(None)),
            (vec![locked(Some(at(5))), fast("us-east-1b")], Some(None)),
        ] {
            let found = noted(Status::Available, &notes).in_the_way(at(1));

            assert_eq!(found.map(|one| one.until), expected, "{notes:?}");
        }
    }

    #[test]
    fn a_set_can_be_had_back_whole_until_the_first_of_it_leaves_the_recycle_bin() {
        let recycled = |until| Notes { recycled_until: Some(until), ..Notes::default() };
        let both = [recycled(at(9)), recycled(at(5))];

        assert_eq!(noted(Status::Missing, &both).recycled_until(at(1)), Some(at(5)));
        assert_eq!(noted(Status::Missing, &both).recycled_until(at(5)), Some(at(9)));
        assert_eq!(noted(Status::Available, &both).recycled_until(at(1)), None);
    }

    #[test]
    fn what_is_noted_already_is_no_news() {
        let snapshot = noted(Status::Available, &[Notes::default()]);
        let id = snapshot.members[0].ebs_snapshot_id.clone();
        let told = NotesOfRegion::from([(id, fast("us-east-1b"))]);

        let noted =
            |one: &Snapshot, told: &NotesOfRegion| one.with_notes(told, &Sharing::default());
        let once = noted(&snapshot, &told).unwrap();

        assert_eq!(once.version, snapshot.version + 1);
        assert_eq!(once.course, snapshot.course);
        assert_eq!(noted(&once, &told), None);
        assert_eq!(noted(&snapshot, &NotesOfRegion::new()), None);
        assert_eq!(noted(&once, &NotesOfRegion::new()).unwrap().members, snapshot.members);
    }
}
