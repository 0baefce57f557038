//! The REST API over the whole system: lists, fates, conditions, errors.

mod errors;
mod examples;
mod fates;
mod guide;
mod instances;
mod lists;
mod previews;
mod schedules;
