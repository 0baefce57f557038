//! The time, a pause and a deadline, handed on by a `main` so that nothing below reads a clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
