//! Every EBS snapshot of the account held against every record; adoption.

pub mod adopt;
pub mod reconcile;
pub mod recount;
mod reindex;
pub mod request;
pub mod tag_adopted;
