//! The time, a pause and a deadline, handed on by a `main` so that nothing below reads a clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The time as a function's shell sees it. Operations take `now`; a loop over many takes it anew for each.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pause: Arc<dyn Fn(SignedDuration) -> Pause + Send + Sync>,
    deadline: Timestamp,
}

impl Clock {
    /// A clock of a way to tell the time and a way to let some of it pass. It has no deadline.
    pub fn new<F>(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        pause: impl Fn(SignedDuration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            now: Arc::new(now),
            pause: Arc::new(move |duration| Box::pin(pause(duration))),
            deadline: Timestamp::MAX,
        }
    }

    /// A clock that stands at `now`, and whose pauses take no time.
    pub fn fixed(now: Timestamp) -> Self {
        Self::new(move || now, |_| std::future::ready(()))
    }

    /// The same clock; no new piece of work is begun after `deadline`.
    #[must_use]
    pub fn until(mut self, deadline: Timestamp) -> Self {
        self.deadline = deadline;
        self
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Lets `duration` pass.
    pub async fn pause(&self, duration: SignedDuration) {
        (self.pause)(duration).await;
    }

    /// Whether so long a pause ends before the deadline.
    pub fn has_room_for(&self, pause: SignedDuration) -> bool {
        self.now().saturating_add(pause).is_ok_and(|end| end < self.deadline)
    }

    /// Whether what is left must wait for the next delivery or tick.
    pub fn is_over(&self) -> bool {
        self.now() >= self.deadline
    }
}

/// Keeps calls of a kind apart: from the beginning of one to that of the next. How long a call itself lasts is a part of
/// it, so that the rate is the one that was set.
#[derive(Debug)]
pub struct Pace {
    apart: SignedDuration,
    last: Mutex<Option<Timestamp>>,
}

impl Pace {
    /// A pace at which the first call waits for nothing.
    pub fn new(apart: SignedDuration) -> Self {
        Self { apart, last: Mutex::default() }
    }

    /// Ends when it is the next call's turn.
    pub async fn wait(&self, clock: &Clock) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = last.map_or(self.apart, |last| clock.now().duration_since(last));
        // A clock that was set back does not make it longer.
        let rest = self.apart - passed.max(SignedDuration::ZERO);
        if rest.is_positive() {
            clock.pause(rest).await;
        }
    }

    /// A call begins at `now`: the next waits for its turn.
    pub fn begin(&self, now: Timestamp) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that a pause moves on, and its hands.
    fn moving() -> (Clock, Arc<Mutex<Timestamp>>) {
        let hands = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let (reader, mover) = (Arc::clone(&hands), Arc::clone(&hands));
        let clock = Clock::new(
            move || *reader.lock().unwrap(),
            move |time| {
                *mover.lock().unwrap() += time;
                std::future::ready(())
            },
        );
        (clock, hands)
    }

    // Paused for whole, calls that last 300 ms each came 1.4 a second where 2.5 were set.
    #[tokio::test]
    async fn how_long_a_call_lasts_is_a_part_of_its_pace() {
        let ms = SignedDuration::from_millis;
        let (clock, hands) = moving();
        let pace = Pace::new(ms(400));
        let mut begun = Vec::new();

        for lasts in [0, 300, 500, 0, 0] {
            pace.wait(&clock).await;
            pace.begin(clock.now());
            begun.push(clock.now().as_millisecond());
            *hands.lock().unwrap() += ms(lasts);
        }

        assert_eq!(begun, [0, 400, 800, 1_300, 1_700]);
    }

    #[tokio::test]
    async fn a_clock_set_back_makes_no_pause_longer() {
        let (clock, hands) = moving();
        let pace = Pace::new(SignedDuration::from_secs(1));
        *hands.lock().unwrap() += SignedDuration::from_hours(1);
        pace.begin(clock.now());
        *hands.lock().unwrap() = Timestamp::UNIX_EPOCH;

        pace.wait(&clock).await;

        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1));
    }
}
