//! The roles of callers.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// What a caller may do. Each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Reads.
    Viewer,
    /// Takes snapshots, keeps schedules, places holds, asks for plans.
    Operator,
    /// Deletes, edits retention rules, removes holds, executes and approves sweeps.
    Admin,
}

impl Role {
    /// All of them, the lowest first.
    pub(crate) const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The group whose members have it.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Viewer => "snapkeep-viewers",
            Self::Operator => "snapkeep-operators",
            Self::Admin => "snapkeep-admins",
        }
    }

    /// The scope that gives it to a program.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Viewer => "snapkeep/viewer",
            Self::Operator => "snapkeep/operator",
            Self::Admin => "snapkeep/admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
