//! The clock everything in the simulation is told the time by.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// The simulated time: set by hand, or driven by a function.
///
/// Clones share the same hands.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Manual(Arc<Mutex<Timestamp>>),
    Driven(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

impl Clock {
    /// A clock that stands at `time` until somebody moves it.
    pub fn at(time: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(time))))
    }

    /// A clock that asks `time` each time it is looked at.
    pub fn from_fn(time: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Source::Driven(Arc::new(time)))
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
            Source::Driven(time) => time(),
        }
    }

    /// Moves a manual clock to `to`, backwards as well; a driven clock is not moved.
    pub fn set(&self, to: Timestamp) {
        match &self.0 {
            Source::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner) = to,
            Source::Driven(_) => {}
        }
    }

    /// Moves a manual clock on by `by`, at most to the end of time; a driven clock is not moved.
    pub fn advance(&self, by: SignedDuration) {
        match &self.0 {
            Source::Manual(time) => {
                let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
                *time = later(*time, by);
            }
            Source::Driven(_) => {}
        }
    }

    /// Whether it stands still unless moved, so that waiting for it would be waiting forever.
    pub fn is_manual(&self) -> bool {
        match &self.0 {
            Source::Manual(_) => true,
            Source::Driven(_) => false,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// `time` and `by` after it, or the end of time.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long `to` is after `from`; negative when it is before.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from)
}

/// As EC2 writes a time: RFC 3339 in UTC with milliseconds.
pub(crate) fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// As the `Date` header wants it: IMF-fixdate.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_the_hands_of_a_manual_clock() {
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        let other = clock.clone();

        clock.advance(SignedDuration::from_secs(5));

        assert_eq!(other.now(), Timestamp::new(5, 0).unwrap());
    }

    #[test]
    fn a_driven_clock_is_not_moved() {
        let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);

        clock.set(Timestamp::MAX);
        clock.advance(SignedDuration::from_secs(5));

        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn times_are_written_as_ec2_and_http_write_them() {
        let time: Timestamp = "2026-11-22T06:07:08.009Z".parse().unwrap();

        assert_eq!(wire_time(time), "2026-11-22T06:07:08.009Z");
        assert_eq!(http_date(time), "Sun, 22 Nov 2026 06:07:08 GMT");
    }
}
