//! Copies in other regions: ordered, and brought there.

pub mod advance;
pub(crate) mod order;

pub use self::advance::advance;
