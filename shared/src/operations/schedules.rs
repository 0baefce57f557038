//! Schedules: made, edited, deleted, assigned to instances.

pub mod assign;
pub mod edit;

pub use self::assign::assign;
pub use self::edit::{create, delete, edit, plan_edit, planned};
