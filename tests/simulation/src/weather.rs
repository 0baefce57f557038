//! What goes wrong with calls at present, and with what chance.

use std::collections::BTreeSet;

use crate::rng::Rng;

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Ec2,
    DynamoDb,
    Bus,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fortune {
    /// It goes well.
    Well,
    /// It is refused as one too many, with nothing done.
    Throttled,
    /// A server's error, with nothing done.
    ErrorBefore,
    /// A server's error, after all was done.
    ErrorAfter,
    /// The connection breaks, with nothing done.
    ResetBefore,
    /// The connection breaks after all was done.
    ResetAfter,
    /// Nothing is done, and nobody ever answers.
    Silent,
    /// All is done, and nobody ever answers.
    SilentAfter,
    /// Some of what was to be published is refused.
    PartlyRefused,
}

/// How rough it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storm {
    /// Nothing goes wrong.
    Calm,
    /// A call now and then.
    Breeze,
    /// One call in ten.
    Gale,
}

/// What goes wrong at present.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) storm: Storm,
    pub(crate) rng: Rng,
    /// The regions whose EC2 does not answer.
    pub(crate) regions_out: BTreeSet<String>,
    /// The bus takes nothing.
    pub(crate) bus_out: bool,
}

impl Weather {
    /// Calm, with the numbers of this seed.
    pub(crate) fn calm(seed: u64) -> Self {
        let rng = Rng::new(seed);
        Self { storm: Storm::Calm, rng, regions_out: BTreeSet::new(), bus_out: false }
    }

    /// What becomes of a call of `called`; `region` matters for EC2 only.
    pub(crate) fn fortune(&mut self, called: Called, region: &str) -> Fortune {
        match called {
            Called::Ec2 if self.regions_out.contains(region) => return Fortune::ErrorBefore,
            Called::Bus if self.bus_out => return Fortune::ErrorBefore,
            Called::Ec2 | Called::Bus | Called::DynamoDb => {}
        }
        let per_mille = match self.storm {
            Storm::Calm => return Fortune::Well,
            Storm::Breeze => 12,
            Storm::Gale => 100,
        };
        if !self.rng.chance(per_mille) {
            return Fortune::Well;
        }
        let kinds = [
            (5, Fortune::Throttled),
            (3, Fortune::ErrorBefore),
            (3, Fortune::ErrorAfter),
            (2, Fortune::ResetBefore),
            (4, Fortune::ResetAfter),
            (1, Fortune::Silent),
            (1, Fortune::SilentAfter),
        ];
        let fortune = *self.rng.weighted(&kinds);
        match (called, fortune) {
            (Called::Bus, Fortune::Throttled) => Fortune::PartlyRefused,
            (_, fortune) => fortune,
        }
    }

    /// How long a call takes, in milliseconds.
    pub(crate) fn slowness(&mut self) -> i64 {
        match self.storm {
            Storm::Breeze if self.rng.chance(30) => self.rng.within(1, 4_000),
            Storm::Gale if self.rng.chance(100) => self.rng.within(1, 30_000),
            Storm::Calm | Storm::Breeze | Storm::Gale => 0,
        }
    }
}
