//! The tokens of transactions, by which one that is sent again is not carried out again.

use std::collections::{BTreeMap, VecDeque};

/// How many are remembered. DynamoDB does for ten minutes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>); there is no clock here,
/// and only a call that got no answer is sent again, soon.
const REMEMBERED: usize = 200;

/// Tokens with what came with them.
#[derive(Debug, Default)]
pub(crate) struct TokensSeen {
    order: VecDeque<String>,
    bodies: BTreeMap<String, Vec<u8>>,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    /// With the same request.
    Same,
    /// With another request.
    Other,
}

impl TokensSeen {
    pub(crate) fn seen(&self, token: &str, body: &[u8]) -> Seen {
        match self.bodies.get(token) {
            None => Seen::Never,
            Some(before) if before == body => Seen::Same,
            Some(_) => Seen::Other,
        }
    }

    /// Remembers a transaction that was carried out.
    pub(crate) fn remember(&mut self, token: String, body: &[u8]) {
        self.order.push_back(token.clone());
        self.bodies.insert(token, body.to_vec());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.bodies.remove(&oldest);
        }
    }
}
