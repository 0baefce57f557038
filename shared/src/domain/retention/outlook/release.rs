//! The reasons for which a snapshot goes or never goes, in words.
//!
//! # Why a rule that has let go does not take back
//!
//! What a counting rule counts it keeps. The periods newer than a snapshot's that are within the count are thus
//! there at the next sweep too, each with its newest snapshot, and further ones only come on top. And a newer
//! snapshot of the same period is kept as long as the rule would keep the older one. So both only ever grow: the
//! number of newer periods, and the number of snapshots whose place a newer one has taken.
//!
//! A span of months can take back: 31 March less one month is 3 March, 1 April less one month 1 March. So after
//! the last rule has let go all are asked again for that very sweep.

use jiff::Timestamp;

use super::{End, Rule, coming::NoFire};
use crate::domain::retention::{Span, period::Period};

/// The first sweep at which something no longer keeps a snapshot, and what had kept it until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    pub(super) sweep: Timestamp,
    pub(super) cause: Cause,
}

/// What lets go. With a rule comes the fire by which it does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    /// Nothing keeps it as it is.
    Nothing,
    /// Its hold ends.
    HoldOver(Timestamp),
    /// It is no longer the newest of its instance.
    NewerThere(Timestamp),
    /// The rule has its count without it.
    Full(Rule, Timestamp),
    /// The rule has its count without it, if a snapshot is begun late, from this instant on.
    FullIfLate(Rule, Timestamp),
    /// A newer one of the same period takes its place.
    Surpassed(Rule, Timestamp),
    /// The span no longer reaches it.
    OutOfSpan(Rule, Timestamp),
    /// It is older than this.
    TooOld(Span),
}

/// What never lets go, or not as far as anybody looks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lasting {
    /// A hold without end.
    Held,
    /// It is the newest of its instance.
    Newest,
    /// A rule without limit.
    All(Rule),
    /// A rule that waits for something that does not come.
    Waits(Rule, NoFire),
}

impl Release {
    /// This one, or the other if that is later.
    pub(super) fn postponed(self, sweep: Timestamp, cause: Cause) -> Self {
        if sweep > self.sweep { Self { sweep, cause } } else { self }
    }
}

impl Cause {
    pub(super) fn describe(self) -> String {
        match self {
            Self::Nothing => "no rule keeps it then".to_owned(),
            Self::HoldOver(end) => format!("held until {end}"),
            Self::NewerThere(fire) => {
                format!("the newest of its instance until the snapshot of {fire}")
            }
            Self::Full(rule, fire) => {
                format!("from the snapshot of {fire} on, {} has enough newer ones", rule.name())
            }
            Self::FullIfLate(rule, at) => {
                format!(
                    "from the first snapshot begun after {at} on, {} has enough newer ones",
                    rule.name()
                )
            }
            Self::Surpassed(rule, fire) => {
                let noun = rule.period().map_or("period", Period::noun);
                format!(
                    "the snapshot of {fire}, of the same {noun}, takes its place in {}",
                    rule.name()
                )
            }
            Self::OutOfSpan(rule, fire) => {
                format!("from the snapshot of {fire} {} does not reach back to it", rule.name())
            }
            Self::TooOld(span) => format!("kept while younger than {span}"),
        }
    }
}

impl Lasting {
    pub(super) fn end(self) -> End {
        match self {
            Self::Held | Self::All(_) => End::Never,
            // Somebody else may take a newer one at any time.
            Self::Newest => End::Unforeseen,
            Self::Waits(_, no_fire) => match no_fire {
                NoFire::Over => End::Never,
                NoFire::Far | NoFire::Many => End::Unforeseen,
            },
        }
    }

    pub(super) fn describe(self) -> String {
        let (keeper, no_fire) = match self {
            Self::Held => return "held: never delete automatically".to_owned(),
            Self::All(rule) => return format!("{} keeps all", rule.name()),
            Self::Newest => {
                return "kept as long as it is the newest of its instance".to_owned();
            }
            Self::Waits(rule, no_fire) => (format!("by {}", rule.name()), no_fire),
        };
        match no_fire {
            NoFire::Over => format!("kept {keeper}, and the schedule no longer fires"),
            NoFire::Far => format!("kept {keeper}: it does not go within the next ten years"),
            NoFire::Many => format!("kept {keeper}: more snapshots come first than are looked at"),
        }
    }
}

impl Rule {
    /// The kind of period it goes by.
    fn period(self) -> Option<Period> {
        match self {
            Self::Count(period, _) | Self::Within(period, _) => Some(period),
            Self::MaxAge(_) => None,
        }
    }

    /// As reasons say it: "daily", "within 14d daily".
    fn name(self) -> String {
        match self {
            Self::Count(period, _) => period.adjective().to_owned(),
            Self::Within(Period::Each, span) => format!("within {span}"),
            Self::Within(period, span) => format!("within {span} {}", period.adjective()),
            Self::MaxAge(span) => format!("younger than {span}"),
        }
    }
}
