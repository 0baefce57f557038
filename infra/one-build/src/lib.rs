//! Nothing but dependencies: the union of what the members of this workspace use.
//!
//! Cargo unites the features of what is built together, so `cargo test -p shared` alone would want other
//! features of `bytes`, `tokio` and `serde` than the whole workspace, and compile `aws-sdk-ec2` once more, for
//! minutes. Every member has this crate among its dev-dependencies, so that each of its builds with tests wants
//! the same features as all others. Released binaries know nothing of it.
