//! Copies in other regions: ordered, and brought there.

pub mod advance;
pub(crate) mod cancel;
pub(crate) mod new_copy;
pub(crate) mod order;

pub use self::advance::advance;
