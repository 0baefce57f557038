//! What people expect of snapshot management, row by row.
//!
//! Four products for the same job have been gone through, feature by feature, and so has what users of ten others
//! ask for and complain about. Each feature has a letter and a number: `u` for what a cloud's console offers, `m` for
//! a shop platform's snapshots, `w` for scheduled snapshots of web servers, `b` for a cloud's snapshot API, and `t`
//! for the wishes. The tests carry them in their names; `tests/tidy/features.rs` has the list and says which are
//! missing.

mod adoption;
mod creation;
mod deletion;
mod history;
mod images;
mod instances;
mod lists;
mod money;
mod regions;
mod restore;
mod schedules;
mod wishes;
