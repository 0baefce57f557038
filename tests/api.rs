//! The REST API over the whole system: lists, fates, conditions, errors.

mod batch;
mod conditions;
mod costs;
mod errors;
mod examples;
mod fates;
mod guide;
mod instances;
mod lists;
mod overview;
mod previews;
mod schedules;
