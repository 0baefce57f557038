//! Holds: what keeps a snapshot from being deleted, with who, when and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Keeps a snapshot from deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// How far it goes.
    pub kind: HoldKind,
    pub by: String,
    pub at: Timestamp,
    /// Why, in the words of who placed it.
    pub reason: Option<String>,
    /// When somebody should look whether it is still wanted. Nothing happens by itself then.
    #[serde(default)]
    pub review_at: Option<Timestamp>,
}

/// How far a hold goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "instant")]
pub enum HoldKind {
    /// Never delete automatically; a person may.
    Never,
    /// Nobody deletes it before this instant.
    Until(Timestamp),
}

/// Who wants to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleter {
    /// A rule: retention, an expiry, a failed set, a duplicate.
    Rule,
    /// A person who named this very snapshot.
    Person,
}

impl Hold {
    /// Whether it forbids a deletion at `now`. An `until` ends with its instant.
    pub fn forbids(&self, deleter: Deleter, now: Timestamp) -> bool {
        match (self.kind, deleter) {
            (HoldKind::Never, Deleter::Rule) => true,
            (HoldKind::Never, Deleter::Person) => false,
            (HoldKind::Until(instant), Deleter::Rule | Deleter::Person) => now < instant,
        }
    }

    /// In words, as a reason for keeping.
    pub fn describe(&self) -> String {
        match self.kind {
            HoldKind::Never => "held: never delete automatically".to_owned(),
            HoldKind::Until(instant) => format!("held until {instant}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(kind: HoldKind) -> Hold {
        Hold {
            kind,
            by: "ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            reason: None,
            review_at: None,
        }
    }

    #[test]
    fn never_stops_rules_but_not_people() {
        let hold = hold(HoldKind::Never);

        assert!(hold.forbids(Deleter::Rule, Timestamp::MAX));
        assert!(!hold.forbids(Deleter::Person, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn until_stops_everybody_up_to_its_instant() {
        let end: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let before: Timestamp = "2026-02-28T23:59:59.999Z".parse().unwrap();
        let hold = hold(HoldKind::Until(end));

        for deleter in [Deleter::Rule, Deleter::Person] {
            assert!(hold.forbids(deleter, before));
            assert!(!hold.forbids(deleter, end));
        }
    }
}
