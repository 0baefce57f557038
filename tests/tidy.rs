//! The rules of the house, as tests.

mod alarms;
mod documents;
mod features;
mod imports;
mod lockfile;
mod schema;
mod sources;
