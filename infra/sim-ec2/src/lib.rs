//! A simulated EC2: the part of it that Snapkeep uses, at the wire.
//!
//! [`SimEc2`] answers the query protocol with EC2's XML, in process as the SDK's HTTP client
//! ([`SimEc2::http_client`]) or over HTTP ([`SimEc2::router`]). Everything goes by a [`Clock`]
//! that a test can set: snapshots are pending for a while, Describe lags behind, buckets refill.
//! What goes wrong is asked for with [`Fault`] and [`EventFault`].
//!
//! # Map
//!
//! A request goes `wire` → `sim` (counts, `throttle`, `faults`) → `agenda` (what time has
//! brought about) → one of `actions` → `xml`. Objects stand on a `shelf`, which keeps the shape
//! that Describe still shows beside the present one. `events` are what EventBridge would get.
//!
//! # Invariants
//!
//! - An action that fails has changed nothing.
//! - Regions know nothing of each other, but for the source of a copy; ids are unique across them.
//! - The same seed, clock and calls give the same ids and answers.
//! - Signatures are not checked; the Region is read from them, and the access key: what is signed with one that
//!   [`SimEc2::permit`] knows may do what its policy allows, and whoever has another is the account's owner.

mod actions;
mod agenda;
mod auto_scaling;
mod clock;
mod config;
mod document;
mod errors;
mod event_queue;
mod events;
mod faults;
mod filters;
pub mod iam;
mod ids;
mod inspect;
mod paging;
mod persist;
mod request;
mod rights;
mod seed;
mod shelf;
mod sim;
mod state;
mod throttle;
mod wire;
mod xml;
mod zones;

pub use clock::Clock;
pub use config::{Completion, Config, Throttling};
pub use event_queue::EventFault;
pub use faults::{Fault, Loss};
pub use seed::{InstanceSpec, SeedVolume};
pub use sim::{Answer, Delivery, SimEc2};
pub use state::{
    Tags,
    fast_restore::FastRestore,
    image::{Image, ImageDevice, ImageState, ImageSupport, OnTermination},
    instance::{
        Device, Hibernation, Instance, InstanceState, LaunchSettings, PublicAddress, Purchase,
        RootDevice, StateReason, Stopping, Termination,
    },
    recycle_bin::{Recycled, RetentionRule},
    root_replacement::{ReplacedVolume, ReplacementState, RootReplacement},
    snapshot::{CopySource, Deletion, Fate, Lock, LockMode, Snapshot, SnapshotState},
    tier::{StorageTier, TierChange, TierChangeKind, TierChangeStage, Tiering},
    volume::{Attachment, AttachmentState, Volume, VolumeState},
};
