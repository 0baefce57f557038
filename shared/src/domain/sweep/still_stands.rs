//! The question before each deletion: does what condemned a snapshot still stand?

use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::condemnation::CondemnedBy;

/// Whether what condemns a snapshot still stands as it did when the plan was made, or the condemnation spoken.
pub fn is_current(by: &CondemnedBy, snapshot: &Snapshot, schedule: Option<&Schedule>) -> bool {
    match by {
        CondemnedBy::Rules { digest } | CondemnedBy::InstanceGone { digest } => {
            schedule.is_some_and(|one| one.rules_digest() == *digest)
        }
        CondemnedBy::Expiry { expires_at } => snapshot.ending.expires_at == Some(*expires_at),
        CondemnedBy::Person { .. } | CondemnedBy::Failed | CondemnedBy::Duplicate => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Ending;
    use crate::domain::sweep::plan::tests::{hour, rules, schedule, snapshot};

    #[test]
    fn rules_stand_as_long_as_the_schedule_has_them() {
        let nightly = schedule(Some(rules(r#"{"keep_last": 5}"#)));
        let edited = schedule(Some(rules(r#"{"keep_last": 6}"#)));
        let snapshot = snapshot(1, Some(&nightly));

        for by in [
            CondemnedBy::Rules { digest: nightly.rules_digest() },
            CondemnedBy::InstanceGone { digest: nightly.rules_digest() },
        ] {
            assert!(is_current(&by, &snapshot, Some(&nightly)));
            assert!(!is_current(&by, &snapshot, Some(&edited)));
            assert!(!is_current(&by, &snapshot, None), "the schedule is deleted");
        }
    }

    #[test]
    fn an_expiry_stands_until_it_is_another_and_the_word_of_a_person_always() {
        let at = |expires_at| {
            let one = snapshot(1, None);
            Snapshot { ending: Ending { expires_at, ..one.ending.clone() }, ..one }
        };
        let by = CondemnedBy::Expiry { expires_at: hour(5) };

        assert!(is_current(&by, &at(Some(hour(5))), None));
        assert!(!is_current(&by, &at(Some(hour(6))), None));
        assert!(!is_current(&by, &at(None), None));
        assert!(is_current(&CondemnedBy::Person { who: "ada".to_owned() }, &at(None), None));
    }
}
