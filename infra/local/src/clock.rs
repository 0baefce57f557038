//! The one clock of a run: simulated time, as fast as wanted, never backwards.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;

/// Reads the real clock. A `main` brings it.
pub type RealTime = fn() -> Timestamp;

/// Simulated time: `start` plus the real time since then, times `speed`. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SimulatedClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    real: RealTime,
    real_start: Timestamp,
    start: Timestamp,
    speed: u32,
    /// The latest time told, in microseconds: the real clock may be set back.
    latest: AtomicI64,
}

impl SimulatedClock {
    /// A clock that starts now, or at `not_before` if that is later.
    pub fn start(real: RealTime, speed: u32, not_before: Option<Timestamp>) -> Self {
        let real_start = real();
        let start = not_before.map_or(real_start, |earliest| earliest.max(real_start));
        Self::begun(real, real_start, start, speed)
    }

    /// A clock that starts at `start`, whatever the real one says.
    pub fn at(real: RealTime, speed: u32, start: Timestamp) -> Self {
        Self::begun(real, real(), start, speed)
    }

    fn begun(real: RealTime, real_start: Timestamp, start: Timestamp, speed: u32) -> Self {
        let latest = AtomicI64::new(start.as_microsecond());
        Self(Arc::new(Inner { real, real_start, start, speed, latest }))
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        let inner = &self.0;
        let elapsed = (inner.real)().duration_since(inner.real_start);
        let passed = i32::try_from(inner.speed).ok().and_then(|speed| elapsed.checked_mul(speed));
        let passed = passed.unwrap_or(SignedDuration::MAX);
        let now = inner.start.checked_add(passed).unwrap_or(Timestamp::MAX).as_microsecond();
        let latest = inner.latest.fetch_max(now, Ordering::Relaxed).max(now);
        Timestamp::from_microsecond(latest).unwrap_or(Timestamp::MAX)
    }

    /// How many times faster than real time it goes.
    pub fn speed(&self) -> u32 {
        self.0.speed
    }

    /// How much real time `duration` takes.
    pub fn real_duration(&self, duration: SignedDuration) -> Duration {
        if duration.is_negative() {
            return Duration::ZERO;
        }
        duration.unsigned_abs() / self.0.speed
    }

    /// The clock that functions are given.
    pub fn for_functions(&self) -> Clock {
        let (now, pause) = (self.clone(), self.clone());
        Clock::new(
            move || now.now(),
            move |duration| tokio::time::sleep(pause.real_duration(duration)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(second, 0).unwrap()
    }

    #[test]
    fn time_passes_as_many_times_faster() {
        static REAL: AtomicI64 = AtomicI64::new(1_000);
        let clock = SimulatedClock::start(|| at(REAL.load(Ordering::Relaxed)), 60, None);

        assert_eq!(clock.now(), at(1_000));
        REAL.store(1_002, Ordering::Relaxed);
        assert_eq!(clock.now(), at(1_120));
        assert_eq!(clock.real_duration(SignedDuration::from_mins(1)), Duration::from_secs(1));
    }

    #[test]
    fn it_goes_on_from_where_an_earlier_run_was() {
        let ahead = SimulatedClock::start(|| at(1_000), 1, Some(at(5_000)));
        let behind = SimulatedClock::start(|| at(1_000), 1, Some(at(500)));

        assert_eq!(ahead.now(), at(5_000));
        assert_eq!(behind.now(), at(1_000));
    }

    #[test]
    fn it_can_begin_in_the_past() {
        let clock = SimulatedClock::at(|| at(5_000), 1, at(1_000));

        assert_eq!(clock.now(), at(1_000));
    }

    #[test]
    fn a_real_clock_set_back_does_not_turn_it_back() {
        static REAL: AtomicI64 = AtomicI64::new(1_000);
        let clock = SimulatedClock::start(|| at(REAL.load(Ordering::Relaxed)), 1, None);

        REAL.store(1_010, Ordering::Relaxed);
        assert_eq!(clock.now(), at(1_010));
        REAL.store(900, Ordering::Relaxed);
        assert_eq!(clock.now(), at(1_010));
    }
}
