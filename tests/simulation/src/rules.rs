//! What retention rules promise, worked out anew from their description: restic's meaning, in as few lines as it takes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// Rules of a schedule, those that are judged here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) keep_last: Option<u32>,
    pub(crate) keep_hourly: Option<u32>,
    pub(crate) keep_daily: Option<u32>,
    pub(crate) max_age_hours: Option<i64>,
}

/// How far clocks may be off each other.
const CLOCKS_OFF: SignedDuration = SignedDuration::from_mins(12);

impl Promise {
    /// As the API takes it.
    pub(crate) fn json(&self) -> Value {
        let Self { keep_last, keep_hourly, keep_daily, max_age_hours } = *self;
        let mut rules = Map::new();
        let counts =
            [("keep_last", keep_last), ("keep_hourly", keep_hourly), ("keep_daily", keep_daily)];
        for (name, count) in counts {
            if let Some(count) = count {
                rules.insert(name.to_owned(), count.into());
            }
        }
        if let Some(hours) = max_age_hours {
            rules.insert("max_age".to_owned(), format!("{hours}h").into());
        }
        Value::Object(rules)
    }

    /// Whether one of those taken at `taken`, newest first, is kept at `now`.
    pub(crate) fn keeps(&self, subject: usize, taken: &[Timestamp], now: Timestamp) -> bool {
        let Self { keep_last, keep_hourly, keep_daily, max_age_hours } = *self;
        let young = |hours: i64| {
            let age = now.duration_since(taken[subject]);
            age < SignedDuration::from_hours(hours) - CLOCKS_OFF
        };
        keep_last.is_some_and(|count| subject < usize::try_from(count).unwrap_or(usize::MAX))
            || keep_hourly.is_some_and(|count| newest_of_each(3_600, count, subject, taken))
            || keep_daily.is_some_and(|count| newest_of_each(86_400, count, subject, taken))
            || max_age_hours.is_some_and(young)
    }
}

/// Whether the subject is the newest of one of the last `count` periods that have any, or, while there is room, the oldest.
fn newest_of_each(seconds: i64, count: u32, subject: usize, taken: &[Timestamp]) -> bool {
    let mut room = count;
    let mut last = None;
    for (at, instant) in taken.iter().enumerate() {
        let period = instant.as_second().div_euclid(seconds);
        let is_oldest = at + 1 == taken.len();
        if room > 0 && (last != Some(period) || is_oldest) {
            if at == subject {
                return true;
            }
            room -= 1;
            last = Some(period);
        }
    }
    false
}
