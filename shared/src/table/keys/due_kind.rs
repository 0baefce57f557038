//! The kinds of records that the tick looks at.

/// What the tick looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueKind {
    /// Schedules, by their next due time.
    Schedule,
    /// Runs under way.
    Run,
    /// Snapshots that were asked for and not made.
    Creation,
    /// Snapshots whose deletion is due, or under way.
    Deletion,
    /// Sweeps that were asked for and not finished.
    Sweep,
    /// Restores under way.
    Restore,
    /// Images under way.
    Image,
    /// Snapshots of which copies are to be asked for.
    Copy,
    /// Drills of schedules.
    Drill,
}

impl DueKind {
    /// Its partition of [`Index::Due`](super::Index::Due).
    pub fn partition(self) -> &'static str {
        match self {
            Self::Schedule => "SCHEDULE",
            Self::Run => "RUN",
            Self::Creation => "CREATION",
            Self::Deletion => "DELETION",
            Self::Sweep => "SWEEP",
            Self::Restore => "RESTORE",
            Self::Image => "IMAGE",
            Self::Copy => "COPY",
            Self::Drill => "DRILL",
        }
    }
}
