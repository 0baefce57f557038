//! What a month costs, of measured calls, units and times, at dated prices.

use clap::Args;

/// What of a month is reckoned.
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// Prints the table.
pub(crate) async fn main(_options: &Options) {}
