//! Restores and copies under way: while one uses a snapshot, nobody condemns it.

use jiff::Timestamp;

use super::Snapshot;
use super::transitions::Refusal;
use crate::domain::ids::RestoreId;
use crate::domain::snapshot::Keepers;

/// How many restores may use one snapshot at a time.
const RESTORES_MAX: usize = 20;

impl Snapshot {
    /// A restore begins to use it.
    pub fn restore_begun(&self, id: &RestoreId) -> Result<Self, Refusal> {
        if self.keepers.restores.len() >= RESTORES_MAX {
            return Err(format!(
                "{} restores of the snapshot are under way, and more are not begun; retry or cancel those that failed",
                self.keepers.restores.len()
            ));
        }
        let mut next = self.restore_ended(id);
        next.keepers.restores.push(id.clone());
        Ok(next)
    }

    /// A restore is over.
    #[must_use]
    pub fn restore_ended(&self, id: &RestoreId) -> Self {
        let restores = self.keepers.restores.iter().filter(|one| *one != id).cloned().collect();
        Self {
            version: self.version + 1,
            keepers: Keepers { restores, ..self.keepers.clone() },
            ..self.clone()
        }
    }

    pub(super) fn must_be_unused(&self, now: Timestamp) -> Result<(), Refusal> {
        if let Some(id) = self.keepers.restores.first() {
            return Err(format!(
                "the restore {id} uses the snapshot; wait for its end, or cancel it"
            ));
        }
        self.awaited_copy(now).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::condemnation::CondemnedBy;
    use crate::domain::snapshot::{Origin, Source, Status};

    fn available() -> Snapshot {
        let id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
        let source: Source = serde_json::from_value(serde_json::json!({
            "instance_id": "i-0123456789abcdef0", "instance_name": null, "instance_type": null,
            "architecture": null, "platform": null, "region": "us-east-1", "zone": null,
        }))
        .unwrap();
        let wanted = Snapshot::requested(id, Origin::Manual, source, None, Timestamp::UNIX_EPOCH);
        Snapshot { status: Status::Available, ..wanted }
    }

    fn restore(number: usize) -> RestoreId {
        RestoreId::derived(Timestamp::UNIX_EPOCH, &[&number.to_string()])
    }

    #[test]
    fn neither_rule_nor_person_condemns_what_a_restore_uses() {
        let (now, used) = (Timestamp::UNIX_EPOCH, available().restore_begun(&restore(1)).unwrap());

        for by in [CondemnedBy::Failed, CondemnedBy::Person { who: "ada".to_owned() }] {
            let refusal = used.condemn(by.clone(), "x", now, now).unwrap_err();

            assert!(refusal.contains(restore(1).as_str()), "{refusal}");
            assert!(used.restore_ended(&restore(1)).condemn(by, "x", now, now).is_ok());
        }
        assert!(used.record_removed(now).is_err());
        let condemned = Snapshot { status: Status::Condemned, ..used };
        assert!(condemned.begin_deletion(now).is_err());
    }

    #[test]
    fn it_is_free_once_all_restores_are_over() {
        let both = available().restore_begun(&restore(1)).unwrap();
        let both = both.restore_begun(&restore(2)).unwrap();

        assert_eq!(both.restore_ended(&restore(1)).keepers.restores, [restore(2)]);
        assert_eq!(both.restore_begun(&restore(1)).unwrap().keepers.restores.len(), 2);
    }

    #[test]
    fn only_so_many_use_it_at_once() {
        let mut used = available();
        for number in 0..RESTORES_MAX {
            used = used.restore_begun(&restore(number)).unwrap();
        }

        assert!(used.restore_begun(&restore(99)).is_err());
    }
}
