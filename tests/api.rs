//! The REST API over the whole system: lists, conditions, errors.

mod errors;
mod instances;
mod lists;
mod previews;
mod schedules;
