//! The circumstances of an instance that a stop or a start of it depends on.

/// What a stop or a start of an instance depends on, and costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Why it is in its state, where EC2 says.
    pub reason: Option<StateReason>,
    /// The public address that it loses with a stop; none if it has none, or an Elastic IP address, which stays.
    pub passing_address: Option<String>,
    /// How it is paid for.
    pub purchase: Purchase,
}

/// Why an instance is in its state
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateReason {
    /// `Client.UserInitiatedShutdown`, `Server.InsufficientInstanceCapacity`, …
    pub code: String,
    /// In words, which begin with the code.
    pub message: String,
}

/// How an instance is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purchase {
    /// By the second, or reserved.
    #[default]
    Ordinary,
    /// As spare capacity.
    Spot,
}

impl StateReason {
    /// Whether somebody has stopped it, by the API or from within.
    pub fn is_shutdown(&self) -> bool {
        ["Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown"]
            .contains(&self.code.as_str())
    }

    /// Whether it is hibernated: its root volume holds its memory, which goes with the other volumes as they were.
    pub fn is_hibernation(&self) -> bool {
        self.code == "Client.UserInitiatedHibernate"
    }

    /// Whether the same start may succeed later.
    pub fn passes(&self) -> bool {
        self.code == "Server.InsufficientInstanceCapacity"
    }
}
