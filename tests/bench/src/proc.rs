//! What Linux says of this process.

use std::fs;
use std::time::Duration;

/// A size in KiB by its name in `/proc/self/status`, such as `VmHWM`.
pub(crate) fn kib(name: &str) -> u64 {
    kib_in(&fs::read_to_string("/proc/self/status").unwrap(), name)
}

fn kib_in(status: &str, name: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The processor time of this thread. It alone works here.
pub(crate) fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// What this was measured on: the processor, how many there are, and how busy they were.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpu.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    let name = name.split(':').nth(1).unwrap_or_default().trim();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    format!("{name}, {cores} cores, load {load}")
}

/// What Linux says of another process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    /// The processor time of all its threads.
    pub(crate) processor: Duration,
    pub(crate) peak_kib: u64,
}

/// What Linux says of a process that is there.
pub(crate) fn of_process(id: u32) -> Process {
    let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    Process { processor: Duration::from_nanos(times.sum()), peak_kib: kib_in(&status, "VmHWM") }
}
