//! The rules of the house, as tests.

mod documents;
mod imports;
mod lockfile;
mod schema;
mod sources;
