//! The rules of the house, as tests.

mod documents;
mod features;
mod guide;
mod imports;
mod lockfile;
mod schema;
mod sources;
