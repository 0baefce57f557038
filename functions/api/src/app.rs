//! The state that all routes share.

use std::sync::OnceLock;

use axum::body::Bytes;
use shared::Service;
use shared::clock::Clock;

use crate::conditional::Premade;

/// What the whole API has in common.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    /// The OpenAPI document, written out.
    pub(crate) document: Bytes,
    /// Its tag and its compressed form, once somebody has asked for it.
    pub(crate) premade: OnceLock<Option<Premade>>,
}
