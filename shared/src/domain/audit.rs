//! The audit: what a change of a record leaves behind, for the audit, for the history of an instance and for
//! other systems.
//!
//! Whoever writes a record asks `entries_of_…` what the change is worth. Progress, looks and nudges are worth
//! nothing; the rest becomes an [`AuditItem`] and, where the [`Action`] is announced, a [`DomainEvent`]. An entry's
//! identity follows from the record's own, so that the same change written twice is one entry.

pub mod action;
mod images;
mod restores;
mod runs;
mod schedules;
mod snapshots;
mod sweeps;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::action::{Action, RecordKind};
pub use self::images::entries_of_image;
pub use self::restores::entries_of_restore;
pub use self::runs::entries_of_run;
pub use self::schedules::{entries_of_removed_schedule, entries_of_schedule};
pub use self::snapshots::entries_of_snapshot;
pub use self::sweeps::entries_of_sweep;
use crate::domain::ids::{EventId, InstanceId, ScheduleId};

/// How long a text from elsewhere may be in an entry: EC2's messages have no bound of their own.
const TEXT_CHARACTERS_MAX: usize = 1_000;

/// Who changes records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Actor {
    /// A person, or a program of theirs, through the API.
    Person {
        /// The name that their token gives.
        who: String,
        /// The role that they had.
        role: String,
        /// API Gateway's identifier of the request.
        request_id: String,
    },
    /// One of our functions, by its rules.
    Rule {
        /// Which.
        function: String,
    },
}

impl Actor {
    /// The person, or the function.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { who, .. } => who,
            Self::Rule { function } => function,
        }
    }

    /// The request by which a person did it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Person { request_id, .. } => Some(request_id),
            Self::Rule { .. } => None,
        }
    }
}

/// Who changes records, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub actor: Actor,
    /// Why, if it was said; else it is what the record says.
    pub reason: Option<String>,
}

impl Author {
    /// One of our functions.
    pub fn rule(function: &str) -> Self {
        Self { actor: Actor::Rule { function: function.to_owned() }, reason: None }
    }
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    pub field: String,
    /// What it was; null if there was nothing.
    pub before: Value,
    /// What it is; null if there is nothing any more.
    pub after: Value,
}

/// Whose timeline an entry is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// An instance's.
    Instance(InstanceId),
    /// A schedule's, of which the instances that it is for see what concerns them.
    Schedule(ScheduleId),
}

/// What a change is worth telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: Timestamp,
    /// What became of the record.
    pub action: Action,
    pub resource_id: String,
    /// Which of its writes this is.
    pub version: u64,
    /// The instance that it is about.
    pub instance_id: Option<InstanceId>,
    /// The schedule that it is about.
    pub schedule_id: Option<ScheduleId>,
    /// Where it is shown besides the audit.
    pub timeline: Option<Timeline>,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
    /// Why, where the record says so.
    pub reason: Option<String>,
    pub summary: String,
    /// The record as other systems are told of it. Bounded: an event has room for 256 KB.
    pub subject: Value,
}

/// A change as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditItem {
    /// The entry's identifier, and that of its event.
    pub id: EventId,
    pub at: Timestamp,
    pub actor: Actor,
    pub action: Action,
    pub resource_id: String,
    /// Which of its writes.
    pub version: u64,
    #[serde(default)]
    pub instance_id: Option<InstanceId>,
    #[serde(default)]
    pub schedule_id: Option<ScheduleId>,
    /// From what to what.
    pub changes: Vec<FieldChange>,
    pub reason: Option<String>,
    pub summary: String,
}

/// A change as other systems hear of it. `events/schemas` has the form of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEvent {
    /// What became of the record.
    pub action: Action,
    /// The event's `detail`.
    pub detail: Value,
}

impl Entry {
    /// What became of a record by its write of this version, in one sentence. It is about nothing else yet.
    pub fn new(
        action: Action,
        (resource_id, version): (&str, u64),
        at: Timestamp,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            at,
            action,
            resource_id: resource_id.to_owned(),
            version,
            instance_id: None,
            schedule_id: None,
            timeline: None,
            changes: Vec::new(),
            reason: None,
            summary: summary.into(),
            subject: Value::Null,
        }
    }

    /// It is about this instance, and on its timeline.
    #[must_use]
    pub fn of_instance(self, id: &InstanceId) -> Self {
        let timeline = Some(Timeline::Instance(id.clone()));
        Self { instance_id: Some(id.clone()), timeline, ..self }
    }

    /// It is about this schedule, and on its timeline.
    #[must_use]
    pub fn of_schedule(self, id: &ScheduleId) -> Self {
        let timeline = Some(Timeline::Schedule(id.clone()));
        Self { schedule_id: Some(id.clone()), timeline, ..self }
    }

    /// These fields changed.
    #[must_use]
    pub fn changing(self, changes: Vec<FieldChange>) -> Self {
        Self { changes, ..self }
    }

    /// The record gives this reason.
    #[must_use]
    pub fn because(self, reason: Option<&str>) -> Self {
        Self { reason: reason.map(shortened), ..self }
    }

    /// Other systems are told this of the record, where the action is announced.
    #[must_use]
    pub fn about(self, subject: Value) -> Self {
        Self { subject, ..self }
    }

    /// Its identifier: the same for the same write of the same record.
    pub fn id(&self) -> EventId {
        let version = self.version.to_string();
        // An instance may be assigned to several schedules at the same instant.
        let schedule = self.schedule_id.as_ref().map_or("", ScheduleId::as_str);
        EventId::derived(self.at, &[&self.resource_id, schedule, &version, self.action.as_str()])
    }

    /// The entry as it is kept.
    pub fn recorded(&self, author: &Author) -> AuditItem {
        AuditItem {
            id: self.id(),
            at: self.at,
            actor: author.actor.clone(),
            action: self.action,
            resource_id: self.resource_id.clone(),
            version: self.version,
            instance_id: self.instance_id.clone(),
            schedule_id: self.schedule_id.clone(),
            changes: self.changes.clone(),
            reason: self.reason(author),
            summary: self.summary.clone(),
        }
    }

    /// The event that tells other systems, if they are told.
    pub fn event(&self, author: &Author) -> Option<DomainEvent> {
        let action = Some(self.action).filter(|action| action.is_announced())?;
        let reason = self.reason(author);
        let because = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let mut detail = Map::from_iter([
            ("event_id".to_owned(), json!(self.id())),
            ("type".to_owned(), json!(action.event_type())),
            ("occurred_at".to_owned(), json!(self.at)),
            ("actor".to_owned(), json!(author.actor)),
            ("summary".to_owned(), json!(format!("{}{because}", self.summary))),
            ("reason".to_owned(), json!(reason)),
        ]);
        detail.insert(action.kind().as_str().to_owned(), self.subject.clone());
        Some(DomainEvent { action, detail: Value::Object(detail) })
    }

    fn reason(&self, author: &Author) -> Option<String> {
        author.reason.clone().or_else(|| self.reason.clone())
    }
}

/// The fields of a record that the audit compares.
type Fields = Vec<(&'static str, Value)>;

/// Which fields differ. Without a record before, those that have a value.
fn differences(before: Option<&Fields>, after: Option<&Fields>) -> Vec<FieldChange> {
    let value = |fields: Option<&Fields>, name: &str| {
        let found = fields.and_then(|fields| fields.iter().find(|(field, _)| *field == name));
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let names = after.or(before).into_iter().flatten().map(|(name, _)| *name);
    names
        .map(|name| FieldChange {
            field: name.to_owned(),
            before: value(before, name),
            after: value(after, name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

/// A value as the audit shows it. What we keep serializes; if it did not, null would only hide it.
fn shown(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_CHARACTERS_MAX).collect()
}
