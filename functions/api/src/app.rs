//! The state that all routes share.

use axum::body::Bytes;
use shared::Service;
use shared::clock::Clock;

/// What the whole API has in common.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    /// The OpenAPI document, written out.
    pub(crate) document: Bytes,
}
