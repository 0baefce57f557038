//! Warnings about a schedule, in words: the numbers, and what would help.

use jiff::{SignedDuration, Timestamp};

use super::{Demand, HOUR_SECONDS, Means, PresentTargets, WORKERS, fires::Fires, milliseconds};
use crate::domain::schedule::{SPREAD_MINUTES_MAX, Schedule, TARGETS_MAX};

/// How late the last target of a slot may be without a warning.
const LATE_SECONDS: u64 = 15 * 60;
/// The part of the quota from which on there is a warning, in percent.
const QUOTA_WARNED_PERCENT: u64 = 80;

/// What warnings are drawn from.
pub(super) struct Findings<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) present: &'a PresentTargets,
    pub(super) means: &'a Means,
    pub(super) fires: &'a Fires,
    pub(super) demand: &'a Demand,
    /// How many EBS snapshots there will be in the fullest region; nothing if they grow without end.
    pub(super) steady_in_region: Option<u64>,
    /// By how many thousandths of an EBS snapshot they grow a day there; nothing if they do not.
    pub(super) growth: Option<u64>,
    pub(super) now: Timestamp,
}

/// The warnings, the graver ones first.
pub(super) fn of(findings: &Findings<'_>) -> Vec<String> {
    if findings.present.instances == 0 {
        let warning = "it is for no instance at present: a run would take nothing until targets \
                       select one";
        return vec![warning.to_owned()];
    }
    let warnings = [
        too_many(findings),
        creates(findings),
        slot(findings),
        late(findings),
        deletes(findings),
        condemned(findings),
        steady(findings),
        grows(findings),
        slow_volumes(findings),
    ];
    warnings.into_iter().flatten().collect()
}

fn too_many(findings: &Findings<'_>) -> Option<String> {
    let instances = findings.present.instances;
    usize::try_from(instances).is_ok_and(|instances| instances > TARGETS_MAX).then(|| {
        format!(
            "{instances} instances are too many for one schedule, and its runs will fail: at most \
             {TARGETS_MAX} are possible; split them over several schedules"
        )
    })
}

fn creates(findings: &Findings<'_>) -> Option<String> {
    let (wanted, pause) = (findings.demand.creates_per_hour, findings.means.create_pace);
    let possible = per_hour(pause);
    (wanted > possible).then(|| {
        format!(
            "{wanted} CreateSnapshots calls in its busiest hour are more than the {possible} that \
             {} a second make: let it fire less often or for fewer instances, or have EC2's limit \
             raised and SNAPKEEP_CREATES_PER_SECOND with it",
            per_second(pause)
        )
    })
}

fn slot(findings: &Findings<'_>) -> Option<String> {
    let (lasts, interval) = (findings.demand.seconds_per_slot, findings.fires.shortest_interval()?);
    (lasts > interval).then(|| {
        format!(
            "to take all {} instances lasts {}, and the next slot can be due {} later: let it fire \
             less often or for fewer instances",
            findings.present.instances,
            in_minutes(lasts),
            in_minutes(interval)
        )
    })
}

fn late(findings: &Findings<'_>) -> Option<String> {
    let lasts = findings.demand.seconds_per_slot;
    let spread = u64::from(findings.schedule.settings.spread_minutes.unwrap_or(0)) * 60;
    let minutes = lasts.div_ceil(60);
    let remedy = if minutes > u64::from(SPREAD_MINUTES_MAX) {
        "take fewer instances, or have EC2's limit raised and SNAPKEEP_CREATES_PER_SECOND with it"
            .to_owned()
    } else {
        format!("spread_minutes of {minutes} gives each a time of its own that can be kept")
    };
    (lasts.saturating_sub(spread) > LATE_SECONDS).then(|| {
        format!(
            "the last of {} instances is taken {} after its time, at {} a second: {remedy}",
            findings.present.instances,
            in_minutes(lasts - spread),
            per_second(findings.means.create_pace)
        )
    })
}

fn deletes(findings: &Findings<'_>) -> Option<String> {
    let (wanted, pause) = (findings.demand.deletes_per_hour, findings.means.delete_pace);
    let possible = per_hour(pause);
    // Every member of a set of several is tried out before the first is deleted.
    let is_tried_out = findings.present.volumes > findings.present.instances;
    let (calls, beside) = if is_tried_out {
        (wanted.saturating_mul(2), ", two for each volume of a set of several,")
    } else {
        (wanted, "")
    };
    (calls > possible).then(|| {
        format!(
            "{calls} DeleteSnapshot calls an hour{beside} are more than the {possible} that {} a second \
             make, so that ever more snapshots wait for their deletion: let it fire less often, or \
             have EC2's limit raised and SNAPKEEP_DELETES_PER_SECOND with it",
            per_second(pause)
        )
    })
}

fn condemned(findings: &Findings<'_>) -> Option<String> {
    let goes = findings.demand.deletes_per_hour > 0;
    let sets = findings.fires.thousandths_in(HOUR_SECONDS, findings.present.instances);
    let (sets, possible) = (sets.div_ceil(1_000), u64::from(findings.means.condemn_max));
    (goes && sets > possible).then(|| {
        format!(
            "{sets} snapshots an hour go in the long run, and the hourly sweep condemns {possible} \
             at the most: raise SNAPKEEP_CONDEMN_MAX"
        )
    })
}

fn steady(findings: &Findings<'_>) -> Option<String> {
    let (count, quota) = (findings.steady_in_region?, u64::from(findings.means.quota));
    let place = place(findings);
    let exceeds = count > quota;
    let is_near = count.saturating_mul(100) > quota.saturating_mul(QUOTA_WARNED_PERCENT);
    (exceeds || is_near).then(|| {
        let beside = if exceeds {
            format!("more than the quota of {quota} allows")
        } else {
            format!("more than {QUOTA_WARNED_PERCENT} % of the quota of {quota}")
        };
        format!(
            "it comes to {count} EBS snapshots{place}, {beside}: keep fewer, or have the quota raised and \
             SNAPKEEP_SNAPSHOT_QUOTA with it"
        )
    })
}

/// In which region, where it is not the only one.
fn place(findings: &Findings<'_>) -> String {
    let fullest = findings.present.fullest.as_ref();
    fullest.map(|(region, _)| format!(" in {region}")).unwrap_or_default()
}

fn grows(findings: &Findings<'_>) -> Option<String> {
    let growth = findings.growth.filter(|growth| *growth > 0)?;
    let quota = u64::from(findings.means.quota);
    let why = if findings.schedule.settings.rules.is_some() {
        "a rule of -1 keeps without end"
    } else {
        "without retention nothing is ever deleted"
    };
    let place = place(findings);
    let days = (quota * 1_000).div_ceil(growth);
    let day = i64::try_from(days)
        .ok()
        .and_then(|days| findings.now.checked_add(SignedDuration::from_hours(days * 24)).ok())
        .map(|at| at.to_zoned(findings.schedule.settings.timezone.time_zone().clone()).date());
    let reaches =
        day.map(|date| format!(" and reach the quota of {quota} on {date}")).unwrap_or_default();
    Some(format!(
        "{why}: its EBS snapshots{place} grow by {} a day{reaches}; give it rules that end",
        decimal(growth)
    ))
}

fn slow_volumes(findings: &Findings<'_>) -> Option<String> {
    let (slow, interval) = (findings.present.slow_volumes, findings.fires.shortest_interval()?);
    (slow > 0 && interval < HOUR_SECONDS).then(|| {
        format!(
            "it takes volumes of type st1 or sc1 ({slow}), of which EC2 takes one snapshot at a time: \
             every {} the one before may not be done, and snapshots come late; let it fire once an \
             hour at the most, or leave those volumes out",
            in_minutes(interval)
        )
    })
}

fn per_hour(pause: SignedDuration) -> u64 {
    WORKERS * HOUR_SECONDS * 1_000 / milliseconds(pause).max(1)
}

/// How many calls a second all workers make together.
fn per_second(pause: SignedDuration) -> String {
    decimal(WORKERS * 1_000_000 / milliseconds(pause).max(1))
}

/// Minutes, or seconds where they are few; rounded up.
fn in_minutes(seconds: u64) -> String {
    match (seconds, seconds.div_ceil(60)) {
        (1, _) => "1 second".to_owned(),
        (0..60, _) => format!("{seconds} seconds"),
        (60, _) => "1 minute".to_owned(),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

/// A number of thousandths with at most one place, rounded up.
fn decimal(thousandths: u64) -> String {
    let tenths = thousandths.div_ceil(100);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}
