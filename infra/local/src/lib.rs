//! Snapkeep on one machine: the whole system in one process, wired as `infra/template.yaml` says.
//!
//! # Map
//!
//! [`template`] reads the wiring. [`dispatch`] is what lies between the functions (rules, queues, retries,
//! ticks), without time or I/O. [`world`] puts functions, dispatch and the HTTP API together; tests drive it
//! step by step with their own clock. [`system`] drives a world by the simulated time of [`clock`], keeps its
//! state in the folder of [`state`] and serves it on loopback ports ([`endpoints`], [`http`]).

pub mod aws;
pub mod clock;
pub mod connections;
pub mod demo;
pub mod dispatch;
pub mod endpoints;
pub mod error;
pub mod function;
mod guard;
pub mod http;
pub mod options;
pub mod retold;
mod rights;
pub mod samples;
mod screen;
mod server;
pub mod state;
pub mod system;
pub mod template;
pub mod world;

pub use error::StartError;
pub use options::Options;
pub use system::{Running, System};
