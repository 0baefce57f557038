//! The rules of the house, as tests.

mod alarms;
mod circles;
mod documents;
mod features;
mod guide;
mod imports;
mod lockfile;
mod markdown;
mod parameters;
mod schema;
mod sources;
mod writers;
