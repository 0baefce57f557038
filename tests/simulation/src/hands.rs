//! The time of a world, and sleeping until some of it has passed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep as SdkSleep};
use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};

/// The hands of a world's clock. Clones are the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Hands {
    clock: sim_ec2::Clock,
    sleepers: Arc<Mutex<Sleepers>>,
}

#[derive(Debug, Default)]
struct Sleepers {
    minted: u64,
    waiting: BTreeMap<(Timestamp, u64), Waker>,
}

impl Hands {
    pub(crate) fn at(start: Timestamp) -> Self {
        Self { clock: sim_ec2::Clock::at(start), sleepers: Arc::default() }
    }

    /// The clock that EC2 goes by.
    pub(crate) fn clock(&self) -> &sim_ec2::Clock {
        &self.clock
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends when `time` has passed.
    pub(crate) fn sleep(&self, time: SignedDuration) -> Sleep {
        let until = self.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        Sleep { hands: self.clone(), until, id: None }
    }

    /// When the next one who sleeps wants to be woken.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.sleepers().waiting.keys().next().map(|(at, _)| *at)
    }

    /// Moves the hands on, never back, and wakes whose time has come.
    pub(crate) fn set(&self, to: Timestamp) {
        let now = self.now().max(to);
        self.clock.set(now);
        let mut sleepers = self.sleepers();
        let later = sleepers.waiting.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut sleepers.waiting, later);
        drop(sleepers);
        due.into_values().for_each(Waker::wake);
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A while that passes.
#[derive(Debug)]
pub(crate) struct Sleep {
    hands: Hands,
    until: Timestamp,
    id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.hands.now() >= self.until {
            return Poll::Ready(());
        }
        let until = self.until;
        let mut sleepers = self.hands.sleepers();
        let id = self.id.unwrap_or_else(|| {
            sleepers.minted += 1;
            sleepers.minted
        });
        sleepers.waiting.insert((until, id), cx.waker().clone());
        drop(sleepers);
        self.id = Some(id);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.hands.sleepers().waiting.remove(&(self.until, id));
        }
    }
}

impl AsyncSleep for Hands {
    fn sleep(&self, duration: Duration) -> SdkSleep {
        let time = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        SdkSleep::new(Hands::sleep(self, time))
    }
}

#[expect(clippy::disallowed_types, reason = "what the SDK's clients go by")]
impl TimeSource for Hands {
    fn now(&self) -> std::time::SystemTime {
        self.clock.now().into()
    }
}
