//! The rules of the house, as tests.

mod docs;
mod documents;
mod features;
mod imports;
mod lockfile;
mod schema;
mod sources;
