//! Many seeds on all cores, or one again.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::{Parser, ValueEnum as _};

use crate::lies::Lie;
use crate::plan::Plan;
use crate::run::{Verdict, carry_out};
use crate::shrink::shortened;

/// What is to be run.
#[derive(Clone, Debug, Parser)]
#[command(name = "simulation", about = "Plays Snapkeep's life from seeds, and judges it")]
pub struct Options {
    /// Plays this one, and prints its history.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Plays so many.
    #[arg(long, default_value_t = 100)]
    pub seeds: u64,
    /// From this one on.
    #[arg(long, default_value_t = 1)]
    pub from: u64,
    /// Goes on after a failure, and says at the end which seeds found what.
    #[arg(long)]
    pub keep_going: bool,
    /// Prints the whole history, not the shortened one.
    #[arg(long)]
    pub whole: bool,
    /// With each call of AWS in it, of those whose caller or name has this in it.
    #[arg(long)]
    pub calls: Option<String>,
    /// In which way the world lies to the product.
    #[arg(long)]
    pub lie: Option<Lie>,
    /// Proves the oracle: for each lie, or the one that is named, how many seeds it takes until the right invariant notices.
    #[arg(long)]
    pub prove: bool,
    /// How many threads; one a core unless told otherwise.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Begins no further seed after so many seconds.
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Runs what is asked for.
pub fn main(options: &Options) -> ExitCode {
    let found = match options.seed {
        Some(seed) => one(seed, options),
        None if options.prove => !prove(options),
        None => many(options),
    };
    if found { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The plan of a seed in a world that lies as is asked for.
fn plan(seed: u64, lie: Option<Lie>) -> Plan {
    let plan = Plan::of(seed);
    match lie {
        Some(lie) => plan.lying(lie),
        None => plan,
    }
}

/// Whether each lie was noticed by the right invariant.
fn prove(options: &Options) -> bool {
    let mut proved = true;
    let asked = |lie: &&Lie| options.lie.is_none_or(|only| only == **lie);
    for lie in Lie::value_variants().iter().filter(asked) {
        let noticed =
            (options.from..).take(usize::try_from(options.seeds).unwrap_or(0)).find_map(|seed| {
                let verdict = carry_out(&plan(seed, Some(*lie)));
                let kinds = verdict.violations.iter().map(|one| one.kind);
                let kind = kinds.into_iter().find(|kind| lie.noticed_by().contains(kind))?;
                Some((seed, kind))
            });
        if let Some((seed, kind)) = noticed {
            say(format!("{lie:?}: noticed by {kind} after {} seeds", seed - options.from + 1));
        } else {
            say(format!("{lie:?}: NOT NOTICED within {} seeds", options.seeds));
            proved = false;
        }
    }
    proved
}

fn say(text: impl AsRef<str>) {
    // Nowhere is left to say it if this fails.
    drop(writeln!(io::stdout(), "{}", text.as_ref()));
}

fn one(seed: u64, options: &Options) -> bool {
    let mut whole = plan(seed, options.lie);
    whole.setup.tells_calls = options.calls.is_some();
    let verdict = carry_out(&whole);
    let told = |line: &&String| match (&options.calls, line.split_once("    calls: ")) {
        (Some(wanted), Some((_, call))) => call.contains(wanted.as_str()),
        (_, _) => true,
    };
    let Some(first) = verdict.violations.first() else {
        if options.whole {
            verdict.history.iter().filter(told).for_each(say);
            verdict.calls_by.iter().for_each(|(what, count)| say(format!("{count:>7} {what}")));
        }
        say(format!(
            "seed {seed}: nothing found in {} acts, {} events, {} calls",
            verdict.acts, verdict.events, verdict.calls
        ));
        return false;
    };
    if options.whole {
        verdict.history.iter().filter(told).for_each(say);
        return true;
    }
    let (plan, shorter) = shortened(&plan(seed, options.lie), first.kind);
    report(seed, &plan, &shorter);
    true
}

fn report(seed: u64, plan: &Plan, verdict: &Verdict) {
    say(format!("seed {seed}, shortened to {} acts; the world: {:?}", plan.acts.len(), plan.setup));
    verdict.history.iter().for_each(say);
    for violation in &verdict.violations {
        say(format!("\n{}: {}", violation.kind, violation.text));
    }
    say(format!("\nagain: cargo run -p simulation -- --seed {seed}"));
}

/// What many seeds have found so far.
#[derive(Debug, Default)]
struct Findings {
    /// The seeds by the invariant that they broke.
    by_kind: BTreeMap<&'static str, Vec<u64>>,
    played: u64,
    events: usize,
    calls: usize,
    /// When the progress was last shown.
    shown: Option<Instant>,
}

impl Findings {
    fn add(&mut self, seed: u64, verdict: &Verdict) {
        self.played += 1;
        self.events += verdict.events;
        self.calls += verdict.calls;
        if let Some(first) = verdict.violations.first() {
            self.by_kind.entry(first.kind).or_default().push(seed);
            say(format!("seed {seed}: {}: {}", first.kind, first.text));
        }
    }
}

fn many(options: &Options) -> bool {
    let next = AtomicU64::new(options.from);
    let end = options.from.saturating_add(options.seeds);
    let stop = AtomicBool::new(false);
    let findings = Mutex::new(Findings::default());
    let begun = Instant::now();
    let is_over = || options.seconds.is_some_and(|most| begun.elapsed().as_secs() >= most);
    let threads = options
        .threads
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && !is_over() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let verdict = carry_out(&plan(seed, options.lie));
                    let mut findings = findings.lock().unwrap();
                    findings.add(seed, &verdict);
                    if !verdict.violations.is_empty() && !options.keep_going {
                        stop.store(true, Ordering::Relaxed);
                    }
                    progress(&mut findings, options.seeds, begun);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    summary(&findings, begun);
    let first = findings.by_kind.values().flatten().min().copied();
    if let Some(seed) = first.filter(|_| !options.keep_going) {
        one(seed, options);
    }
    first.is_some()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_minute(count: u64, begun: Instant) -> f64 {
    count as f64 * 60.0 / begun.elapsed().as_secs_f64().max(0.001)
}

/// A bar, at most once a second.
fn progress(findings: &mut Findings, of: u64, begun: Instant) {
    if findings.shown.is_some_and(|shown| shown.elapsed().as_secs() < 1) {
        return;
    }
    findings.shown = Some(Instant::now());
    let done = findings.played;
    let filled = usize::try_from(done * 30 / of.max(1)).unwrap_or(0).min(30);
    let (bar, rest) = ("#".repeat(filled), ".".repeat(30 - filled));
    let rate = per_minute(done, begun);
    drop(write!(io::stderr(), "\r[{bar}{rest}] {done} of {of} seeds, {rate:.0} a minute  "));
    drop(io::stderr().flush());
}

fn summary(findings: &Findings, begun: Instant) {
    drop(writeln!(io::stderr()));
    let done = findings.played;
    let per_seed = |count: usize| count / usize::try_from(done.max(1)).unwrap_or(1);
    say(format!(
        "{done} seeds in {:.1} s, {:.0} a minute; {} events and {} calls a seed",
        begun.elapsed().as_secs_f64(),
        per_minute(done, begun),
        per_seed(findings.events),
        per_seed(findings.calls)
    ));
    for (kind, seeds) in &findings.by_kind {
        let shown: Vec<_> = seeds.iter().take(8).map(u64::to_string).collect();
        say(format!("{kind}: {} seeds: {}", seeds.len(), shown.join(", ")));
    }
}
