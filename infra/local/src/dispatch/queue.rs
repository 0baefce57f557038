//! Queues and how functions take from them, as SQS and Lambda's event source mappings do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Identity, Outcome};
use crate::template::{Failures, QueueMapping, QueueSettings};

/// A message in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What it says.
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    sent_at: Timestamp,
    visible_at: Timestamp,
    /// When it was received the first time.
    pub first_received_at: Timestamp,
    received_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Queue {
    settings: QueueSettings,
    messages: BTreeMap<u64, Message>,
    sent: u64,
}

/// A function at a queue.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) settings: QueueMapping,
    pub(super) in_flight: usize,
}

impl Message {
    pub(super) fn new(id: String, body: String, now: Timestamp) -> Self {
        Self {
            id,
            body,
            receives: 0,
            sent_at: now,
            visible_at: now,
            first_received_at: now,
            received_at: now,
        }
    }
}

impl Queue {
    pub(super) fn new(settings: QueueSettings) -> Self {
        Self { settings, messages: BTreeMap::new(), sent: 0 }
    }

    pub(super) fn send(&mut self, message: Message) {
        self.sent += 1;
        self.messages.insert(self.sent, message);
    }

    /// A message whose call failed: it comes back when its visibility timeout is over.
    pub(super) fn give_back(&mut self, mut message: Message, now: Timestamp) {
        let hidden_until = message.received_at.checked_add(self.settings.visibility);
        message.visible_at = hidden_until.unwrap_or(Timestamp::MAX).max(now);
        self.send(message);
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    pub(super) fn dead_letters(&self) -> Option<&str> {
        self.settings.redrive.as_ref().map(|redrive| redrive.queue.as_str())
    }

    /// A batch, if one is ready: full, or its window over.
    pub(super) fn receive(&mut self, mapping: &Mapping, now: Timestamp) -> Option<Vec<Message>> {
        if self.ready_at(mapping)? > now {
            return None;
        }
        let visible = self.messages.iter().filter(|(_, message)| message.visible_at <= now);
        let keys: Vec<u64> =
            visible.take(mapping.settings.batch_size).map(|(key, _)| *key).collect();
        let mut batch = Vec::with_capacity(keys.len());
        for mut message in keys.iter().filter_map(|key| self.messages.remove(key)) {
            if message.receives == 0 {
                message.first_received_at = now;
            }
            message.receives += 1;
            message.received_at = now;
            batch.push(message);
        }
        Some(batch)
    }

    /// When the next batch is ready: as soon as it is full, or when its first message has waited for the
    /// window.
    pub(super) fn ready_at(&self, mapping: &Mapping) -> Option<Timestamp> {
        let mut visible: Vec<Timestamp> =
            self.messages.values().map(|message| message.visible_at).collect();
        visible.sort_unstable();
        let by_window = visible.first()?.checked_add(mapping.settings.window).ok();
        let full = visible.get(mapping.settings.batch_size.saturating_sub(1)).copied();
        by_window.into_iter().chain(full).min()
    }

    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let retention = self.settings.retention;
        self.messages.retain(|_, message| now.duration_since(message.sent_at) <= retention);
    }

    /// The messages that would be received once too often, with the queue where they go.
    pub(super) fn take_dead(
        &mut self,
        now: Timestamp,
    ) -> impl Iterator<Item = (String, Message)> + use<> {
        let redrive = self.settings.redrive.clone();
        let dead: Vec<Message> = redrive.as_ref().map_or_else(Vec::new, |redrive| {
            let is_dead = |_: &u64, message: &mut Message| {
                message.visible_at <= now && message.receives >= redrive.receives_max
            };
            self.messages.extract_if(.., is_dead).map(|(_, message)| message).collect()
        });
        let to = redrive.map(|redrive| redrive.queue).unwrap_or_default();
        dead.into_iter().map(move |message| (to.clone(), message))
    }
}

impl Mapping {
    pub(super) fn new(settings: QueueMapping) -> Self {
        Self { settings, in_flight: 0 }
    }

    pub(super) fn has_room(&self) -> bool {
        self.settings.concurrency.is_none_or(|most| self.in_flight < most)
    }

    /// What Lambda gets. `md5OfBody` is left out: nobody here could have changed the body.
    pub(super) fn payload(&self, messages: &[Message], identity: &Identity) -> Value {
        let Identity { account, region } = identity;
        let source = format!("arn:aws:sqs:{region}:{account}:{}", self.settings.queue);
        let record = |message: &Message| {
            json!({
                "messageId": message.id,
                "receiptHandle": format!("{}-{}", message.id, message.receives),
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": message.receives.to_string(),
                    "SentTimestamp": message.sent_at.as_millisecond().to_string(),
                    "SenderId": account,
                    "ApproximateFirstReceiveTimestamp":
                        message.first_received_at.as_millisecond().to_string(),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": source,
                "awsRegion": region,
            })
        };
        json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
    }

    /// The messages that are to be delivered again. An answer that makes no sense fails the whole batch, as
    /// it does in Lambda.
    pub(super) fn failed(&self, messages: Vec<Message>, outcome: &Outcome) -> Vec<Message> {
        let answer = match (outcome, self.settings.failures) {
            (Outcome::Failed(_), _) => return messages,
            (Outcome::Answered(_), Failures::Whole) => return Vec::new(),
            (Outcome::Answered(answer), Failures::Reported) => answer,
        };
        let reported = match answer.get("batchItemFailures") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return messages,
        };
        let ids: Option<BTreeSet<&str>> =
            reported.iter().map(|item| item.get("itemIdentifier")?.as_str()).collect();
        let Some(ids) = ids else { return messages };
        if ids.iter().any(|id| messages.iter().all(|message| message.id != *id)) {
            return messages;
        }
        messages.into_iter().filter(|message| ids.contains(message.id.as_str())).collect()
    }
}
