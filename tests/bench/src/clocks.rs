//! The real clock, and the one thread on which everything runs.

use std::future::Future;
use std::time::Duration;

use tokio::runtime;

use crate::proc::processor_time;

/// Runs this on one thread, as Lambda does with one event at a time.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// How much of the processor each of several runs took, the shortest first: whatever else the machine does, it is the same.
pub(crate) fn timed<T>(runs: usize, mut work: impl FnMut() -> T) -> Vec<Duration> {
    let one = |_| {
        let begun = processor_time();
        let done = work();
        let took = processor_time().saturating_sub(begun);
        drop(std::hint::black_box(done));
        took
    };
    let mut took: Vec<_> = (0..runs).map(one).collect();
    took.sort();
    took
}

/// A time in milliseconds, with as many digits as say something.
pub(crate) fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1_000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2}"),
        ms if ms < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}
