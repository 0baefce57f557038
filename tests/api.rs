//! The REST API over the whole system: lists, fates, conditions, errors.

mod errors;
mod examples;
mod fates;
mod instances;
mod lists;
mod previews;
mod readme;
mod schedules;
