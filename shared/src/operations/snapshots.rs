//! Snapshots: asked for, taken, brought in line with EC2, edited, deleted by name, reaped.

pub mod batch;
pub mod delete;
pub mod edit;
pub mod leftovers;
pub(crate) mod mark;
pub(crate) mod newest;
pub mod reap;
pub mod recover;
pub mod refresh;
pub mod request;
pub mod rescue;
pub mod take;

pub use self::delete::delete;
pub use self::edit::edit;
pub use self::reap::reap;
pub use self::recover::recover_members;
pub use self::refresh::refresh_members;
pub use self::request::request;
pub use self::rescue::rescue;
pub use self::take::take;
