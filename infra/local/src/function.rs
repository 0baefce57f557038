//! The functions that can run here, by the name of their binary.

use std::{fmt, str::FromStr};

/// A function of Snapkeep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// The REST API.
    Api,
    /// The page.
    Console,
    /// The tick.
    Scheduler,
    /// Takes snapshots.
    Snapshotter,
    /// Hears of what EC2 reports.
    Tracker,
    /// Plans and condemns.
    Sweeper,
    /// Deletes.
    Reaper,
    /// Compares EC2 with the table.
    Reconciler,
    /// Restores, and registers images.
    Restorer,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Api,
        Self::Console,
        Self::Scheduler,
        Self::Snapshotter,
        Self::Tracker,
        Self::Sweeper,
        Self::Reaper,
        Self::Reconciler,
        Self::Restorer,
    ];

    /// The name of its binary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Scheduler => "scheduler",
            Self::Snapshotter => "snapshotter",
            Self::Tracker => "tracker",
            Self::Sweeper => "sweeper",
            Self::Reaper => "reaper",
            Self::Reconciler => "reconciler",
            Self::Restorer => "restorer",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Function {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|function| function.name() == text);
        found.ok_or_else(|| format!("the local run knows no function {text:?}"))
    }
}
