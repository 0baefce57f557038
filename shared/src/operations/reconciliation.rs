//! Every EBS snapshot of the account held against every record; adoption.

pub mod adopt;
pub mod reconcile;
pub mod recount;
mod reindex;
pub mod request;
pub mod tag_adopted;

pub use self::adopt::adopt;
pub use self::reconcile::reconcile;
pub use self::request::request;
pub use self::tag_adopted::tag_adopted;
