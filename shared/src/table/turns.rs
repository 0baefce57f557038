//! Turns: at creating snapshots of an instance, of which EC2 allows one of a volume every 15 seconds; at the copies to a
//! region.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::{Condition, Table};
use super::keys::{self, Key};
use super::record::Record;
use crate::domain::ids::InstanceId;
use crate::error::Error;

/// How far two turns lie apart: EC2's 15 seconds
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html>), and one in which the second
/// call may overtake the first.
pub const TURN_LASTS: SignedDuration = SignedDuration::from_secs(16);
/// How long the record of a turn is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The caller's.
    Ours,
    /// Another's, until then.
    FreeAt(Timestamp),
}

#[derive(Serialize, Deserialize)]
struct TurnBody {
    at: Timestamp,
}

impl Table {
    /// Takes the turn at an instance, if nobody has within the last 16 seconds. Whoever dies with a turn delays
    /// the next one by no more than that.
    pub async fn take_turn(&self, instance: &InstanceId, now: Timestamp) -> Result<Turn, Error> {
        self.take_turn_at(&keys::turn(instance), TURN_LASTS, now).await
    }

    /// Takes the turn of this key, if nobody has for as long as one lasts.
    pub(super) async fn take_turn_at(
        &self,
        key: &Key,
        lasts: SignedDuration,
        now: Timestamp,
    ) -> Result<Turn, Error> {
        let record = Record {
            key: key.clone(),
            version: millis(now),
            indexes: Vec::new(),
            body: &TurnBody { at: now },
            expires_at: Some(now.as_second().saturating_add(KEPT.as_secs())),
        };
        // One that lies far ahead was taken by a clock that was wrong.
        let from = now.saturating_sub(lasts).unwrap_or(now);
        let to = now.saturating_add(lasts).unwrap_or(now);
        let condition = Condition::Outside(millis(from) + 1, millis(to));
        if self.put(record, condition).await?.is_done() {
            return Ok(Turn::Ours);
        }
        let last: Option<TurnBody> = self.get(key.clone()).await?;
        let free_at = last.and_then(|last| last.at.saturating_add(lasts).ok());
        Ok(Turn::FreeAt(free_at.unwrap_or(now)))
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}
