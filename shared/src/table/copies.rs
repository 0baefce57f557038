//! Copies in other regions, as a queue for each.

use jiff::{SignedDuration, Timestamp};

use super::client::{Range, Table};
use super::keys::{self, Index};
use super::turns::Turn;
use crate::domain::cursor::Order;
use crate::domain::snapshot::Snapshot;
use crate::error::Error;

/// How long a turn at the copies to a region lasts: a tick's minute, less what the clocks of two workers may be apart.
const COPY_TURN_LASTS: SignedDuration = SignedDuration::from_secs(50);

impl Table {
    /// The first copies to a region that their originals wait for, as they are at this moment, first asked for first.
    pub async fn awaited_copies(&self, region: &str, limit: usize) -> Result<Vec<Snapshot>, Error> {
        let found = self.query_positions(&in_queue(region, limit)).await?;
        let snapshots = self.resolve(found.items).await?;
        Ok(snapshots.into_iter().map(|(_, snapshot)| snapshot).collect())
    }

    /// Whether any copy to a region is waited for.
    pub async fn has_awaited_copies(&self, region: &str) -> Result<bool, Error> {
        Ok(!self.query_positions(&in_queue(region, 1)).await?.items.is_empty())
    }

    /// Takes the turn at the copies to a region, if nobody has within the last 50 seconds.
    pub async fn take_copy_turn(&self, region: &str, now: Timestamp) -> Result<Turn, Error> {
        self.take_turn_at(&keys::copies::turn(region), COPY_TURN_LASTS, now).await
    }
}

fn in_queue(region: &str, limit: usize) -> Range {
    let range = Range::of(Some(Index::Due), keys::copies::queue(region));
    Range { order: Order::OldestFirst, limit, ..range }
}
