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
