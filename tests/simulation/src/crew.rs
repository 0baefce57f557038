//! Those at work at the same time: one of them is polled at a time, in an order that the seed decides, and any of them can
//! be ended at any await.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;
use jiff::Timestamp;

use crate::rng::Rng;

/// When somebody's work ends, if not by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// After so many polls.
    pub(crate) polls: Option<u32>,
    /// At this instant.
    pub(crate) until: Timestamp,
}

/// How somebody's work ended.
pub(crate) enum Ending<T> {
    /// By itself.
    Done(T),
    /// In the middle.
    Killed,
}

/// Somebody at work: what of, and what comes of it.
struct Worker<K, T> {
    kind: K,
    work: LocalBoxFuture<'static, T>,
    flag: Arc<Flag>,
    limits: Limits,
    began: Timestamp,
    polls: u32,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All who are at work.
pub(crate) struct Crew<K, T>(Vec<Worker<K, T>>);

impl<K, T> fmt::Debug for Crew<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Crew").field(&self.0.len()).finish()
    }
}

impl<K: Clone, T> Crew<K, T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Somebody begins, at `began` or now.
    pub(crate) fn begin(
        &mut self,
        kind: K,
        (began, limits): (Timestamp, Limits),
        work: LocalBoxFuture<'static, T>,
    ) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.0.push(Worker { kind, work, flag, limits, began, polls: 0 });
    }

    /// Whether somebody can go on.
    pub(crate) fn is_anybody_ready(&self) -> bool {
        self.0.iter().any(|worker| worker.flag.0.load(Ordering::Relaxed))
    }

    /// When the next one must end who does not end by itself.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|worker| worker.limits.until).min()
    }

    /// Lets somebody who can go on do so until the next await; nothing if nobody can. Whose time is over is ended.
    pub(crate) fn turn(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        mut before: impl FnMut(&K, Timestamp),
    ) -> Option<Option<(K, Ending<T>)>> {
        if let Some(late) = self.0.iter().position(|worker| worker.limits.until <= now) {
            let worker = self.0.remove(late);
            return Some(Some((worker.kind, Ending::Killed)));
        }
        let is_ready = |worker: &Worker<K, T>| worker.flag.0.load(Ordering::Relaxed);
        let ready: Vec<usize> = (0..self.0.len()).filter(|at| is_ready(&self.0[*at])).collect();
        if ready.is_empty() {
            return None;
        }
        let at = *rng.pick(&ready);
        let worker = &mut self.0[at];
        worker.polls += 1;
        if worker.limits.polls.is_some_and(|most| worker.polls > most) {
            let worker = self.0.remove(at);
            return Some(Some((worker.kind, Ending::Killed)));
        }
        worker.flag.0.store(false, Ordering::Relaxed);
        before(&worker.kind, worker.began);
        let waker = Waker::from(Arc::clone(&worker.flag));
        match worker.work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => Some(None),
            Poll::Ready(done) => {
                let worker = self.0.remove(at);
                Some(Some((worker.kind, Ending::Done(done))))
            }
        }
    }
}
