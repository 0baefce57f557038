//! The coverage of an instance beside what its schedules promise: how often they take a snapshot of it, and whether the
//! newest one is as new as that.

use jiff::{SignedDuration, Timestamp};

use crate::domain::schedule::Schedule;
use crate::domain::schedule::slots::Timing;
use crate::domain::words::words;

/// How far ahead slots are looked at for the longest gap between them, and how many at the least.
const AHEAD: SignedDuration = SignedDuration::from_hours(35 * 24);
const GAPS_MIN: usize = 2;
/// How many slots are looked at one by one; of those behind them only gaps of more than an hour are found.
const EXACT_MAX: usize = 600;
const COARSE: SignedDuration = SignedDuration::from_hours(1);
/// How many there can be at the most: two for each hour ahead, and those looked at one by one.
const STEPS_MAX: usize = 3_000;

words! {
    /// How an instance is protected.
    ProtectionStatus {
        /// As promised.
        Ok => "ok",
        /// By schedules that do not keep what they promise.
        Late => "late",
        /// By no schedule that fires.
        Unprotected => "unprotected",
    }
}

/// What there is of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastTaken {
    /// No record of any snapshot.
    Never,
    /// Records, but no available snapshot among the newest.
    NoneAvailable,
    /// An available snapshot whose content is of this instant, and none that is newer.
    At(Timestamp),
}

/// How an instance is protected, and why that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    pub status: ProtectionStatus,
    pub reason: String,
}

/// The longest time between one snapshot and the next that these schedules promise together, by their next fires: of
/// the coming 35 days, or more where they are few. Nothing if less than two fires are to come. Those that are
/// disabled promise nothing.
pub fn promised_interval(schedules: &[&Schedule], now: Timestamp) -> Option<SignedDuration> {
    let timings: Vec<_> =
        schedules.iter().filter(|one| one.settings.enabled).map(|one| Timing::of(one)).collect();
    let next = |after| timings.iter().filter_map(|one| one.next_after(after)).min();
    let last = |until| timings.iter().filter_map(|one| one.last_at_or_before(until)).max();
    let begin = next(now)?;
    let (mut at, mut longest, mut gaps) = (begin, None, 0);
    for step in 0..STEPS_MAX {
        if at.duration_since(begin) >= AHEAD && gaps >= GAPS_MIN {
            break;
        }
        // Within a window as long as the longest gap there is no longer one: its last slot is where to go on.
        let floor = if step < EXACT_MAX { SignedDuration::ZERO } else { COARSE };
        let window = longest.unwrap_or(SignedDuration::ZERO).max(floor);
        let skipped = last(at.saturating_add(window).unwrap_or(at)).filter(|slot| *slot > at);
        if let Some(slot) = skipped {
            (at, gaps) = (slot, gaps + 1);
            continue;
        }
        let Some(slot) = next(at) else { break };
        longest = longest.max(Some(slot.duration_since(at)));
        (at, gaps) = (slot, gaps + 1);
    }
    longest
}

/// How long after its time a snapshot may be available before that counts as late: a quarter of the interval, one hour
/// at the least and a day at the most. EC2 needs its time to write it, and what is not taken at once is tried again.
pub fn tolerance(promised: Option<SignedDuration>) -> SignedDuration {
    let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
    promised.map_or(hour, |interval| (interval / 4).clamp(hour, day))
}

/// How an instance is protected by `schedules`, all of which are for it and promise an interval together
/// ([`promised_interval`]). It is `late` if a slot was due longer than the [`tolerance`] ago and nothing available was
/// taken since, by whomever. `since` is when the instance was there at the least. A slot before it or before its schedule
/// was made does not count, nor, as long as there is no record of the instance, one from before the schedule's last
/// edit: it may not have been for the instance then.
pub fn assess(
    schedules: &[&Schedule],
    promised: Option<SignedDuration>,
    taken: LastTaken,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Assessment {
    let firing: Vec<_> = schedules
        .iter()
        .copied()
        .filter(|one| one.settings.enabled && Timing::of(one).next_after(now).is_some())
        .collect();
    let upcoming = firing
        .iter()
        .filter_map(|one| Some((Timing::of(one).next_after(now)?, *one)))
        .min_by_key(|one| one.0);
    let Some((next, first)) = upcoming else {
        return Assessment { status: ProtectionStatus::Unprotected, reason: no_promise(schedules) };
    };
    let missed = firing
        .iter()
        .filter_map(|one| Some((kept_by(one, promised, taken, since, now)?, *one)))
        .filter(|(slot, _)| match taken {
            LastTaken::Never | LastTaken::NoneAvailable => true,
            LastTaken::At(newest) => newest < *slot,
        })
        .max_by_key(|one| one.0);
    let newest = match taken {
        LastTaken::Never => "there is no snapshot of it yet".to_owned(),
        LastTaken::NoneAvailable => "none of its newest snapshots is available".to_owned(),
        LastTaken::At(newest) => {
            format!("its newest available snapshot is {} old", in_words(now.duration_since(newest)))
        }
    };
    let promise = promised.map_or_else(String::new, |interval| {
        format!("; one at least every {} is promised", in_words(interval))
    });
    match missed {
        Some((slot, schedule)) => Assessment {
            status: ProtectionStatus::Late,
            reason: format!("{newest}, and {} was due at {slot}{promise}", schedule.settings.name),
        },
        None => Assessment {
            status: ProtectionStatus::Ok,
            reason: format!("{newest}{promise}; {} is due at {next}", first.settings.name),
        },
    }
}

/// The latest slot of a schedule that must have led to something available by `now`.
fn kept_by(
    schedule: &Schedule,
    promised: Option<SignedDuration>,
    taken: LastTaken,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let spread = SignedDuration::from_mins(schedule.settings.spread_minutes.unwrap_or(0).into());
    let until = now.checked_sub(tolerance(promised) + spread).ok()?;
    let slot = Timing::of(schedule).last_at_or_before(until)?;
    let edited = match taken {
        LastTaken::Never => schedule.updated_at,
        LastTaken::NoneAvailable | LastTaken::At(_) => schedule.created_at,
    };
    let counts =
        slot > schedule.created_at && slot > edited && since.is_none_or(|since| slot >= since);
    counts.then_some(slot)
}

fn no_promise(schedules: &[&Schedule]) -> String {
    let disabled: Vec<_> = schedules
        .iter()
        .filter(|one| !one.settings.enabled)
        .map(|one| one.settings.name.as_str())
        .collect();
    match (schedules.len(), disabled.len()) {
        (0, _) => "no schedule is for it".to_owned(),
        (all, count) if all == count => {
            format!("no enabled schedule is for it; disabled: {}", disabled.join(", "))
        }
        _ => "the schedules that are for it have no fire to come".to_owned(),
    }
}

/// A length of time in its two largest units, rounded down to minutes.
pub fn in_words(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(0);
    let units = [(minutes / 1_440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let first = units.iter().position(|(count, _)| *count > 0);
    let Some(first) = first else { return "less than a minute".to_owned() };
    let words = units.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    let words = words.map(|(count, unit)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
