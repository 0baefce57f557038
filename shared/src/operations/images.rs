//! Images: asked for, registered, deregistered; their uses of snapshots noted.

pub mod advance;
pub mod delete;
pub(crate) mod note_uses;
pub mod request;

pub use self::advance::advance;
pub use self::delete::delete;
pub use self::request::request;
