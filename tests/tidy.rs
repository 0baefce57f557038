//! The rules of the house, as tests.

mod circles;
mod documents;
mod features;
mod imports;
mod lockfile;
mod schema;
mod sources;
mod writers;
