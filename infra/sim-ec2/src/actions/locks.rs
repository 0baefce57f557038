//! Locks on snapshots.

use jiff::{SignedDuration, Timestamp};

use super::{ActionContext, Reply, describe_snapshots::find};
use crate::{
    clock::{between, later, wire_time},
    errors::Ec2Error,
    filters::{Filters, one},
    paging::{Page, USUAL},
    request::Params,
    state::{
        Tags,
        snapshot::{Lock, LockMode, LockState, Snapshot},
    },
    xml::Xml,
};

const DAYS_MAX: u32 = 36_500;
const COOL_OFF_HOURS_MAX: u32 = 72;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// `LockSnapshot`: a new lock, another mode, or a longer one.
pub(crate) fn lock(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let mode = match params.required("LockMode")? {
        "governance" => LockMode::Governance,
        "compliance" => LockMode::Compliance,
        other => return Err(Ec2Error::invalid_value(other, "LockMode")),
    };
    let snapshot = find(context, id)?.clone();
    let now = context.moment.now;
    let (expires_at, duration_days) = duration(params, now)?;
    let lock = Lock {
        mode,
        created_at: now,
        duration_from: now,
        expires_at,
        duration_days,
        cool_off_hours: cool_off(params, mode)?,
    };
    if let Some(current) = &snapshot.lock
        && current.state(now) == LockState::Compliance
        && (mode == LockMode::Governance || expires_at < current.expires_at)
    {
        return Err(Ec2Error::incorrect_state(format!(
            "The snapshot {id} is locked in compliance mode: its lock can only be extended"
        )));
    }
    context
        .region
        .snapshots
        .change(id, context.moment, |snapshot| snapshot.lock = Some(lock.clone()));
    let mut xml = Xml::default();
    xml.leaf("snapshotId", id);
    write(&mut xml, &lock, now);
    Ok(xml)
}

/// `UnlockSnapshot`
pub(crate) fn unlock(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let snapshot = find(context, id)?;
    match snapshot.lock.as_ref().map(|lock| lock.state(context.moment.now)) {
        None => {
            return Err(Ec2Error::incorrect_state(format!("The snapshot {id} is not locked.")));
        }
        Some(LockState::Compliance) => {
            return Err(Ec2Error::new(
                "SnapshotLocked",
                format!("The snapshot {id} is locked in compliance mode and can't be unlocked."),
            ));
        }
        Some(LockState::Governance | LockState::ComplianceCoolOff | LockState::Expired) => {}
    }
    context.region.snapshots.change(id, context.moment, |snapshot| snapshot.lock = None);
    let mut xml = Xml::default();
    xml.leaf("snapshotId", id);
    Ok(xml)
}

/// `DescribeLockedSnapshots`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    Page::refuse_with_ids(params, "SnapshotId")?;
    let page = Page::parse(params, "DescribeLockedSnapshots", USUAL)?;
    let filters = Filters::parse(params, &["lock-state"])?;
    let ids = params.values("SnapshotId");
    for id in &ids {
        find(context, id)?;
    }
    let now = context.moment.now;
    let locked = context
        .region
        .snapshots
        .seen_after(page.after.as_deref(), now)
        .filter(|(id, _)| ids.is_empty() || ids.iter().any(|wanted| wanted == id))
        .filter_map(|(id, snapshot)| Some((id, (snapshot, snapshot.lock.as_ref()?))))
        .filter(|(_, (_, lock))| filters.admit(&Tags::new(), |_| one(lock.state(now).name())));
    let (locked, next): (Vec<(&Snapshot, &Lock)>, _) = page.cut(locked);
    let mut xml = Xml::default();
    xml.list("snapshotSet", locked, |xml, (snapshot, lock)| {
        xml.leaf("ownerId", context.account);
        xml.leaf("snapshotId", &snapshot.id);
        write(xml, lock, now);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

fn write(xml: &mut Xml, lock: &Lock, now: Timestamp) {
    xml.leaf("lockState", lock.state(now).name());
    xml.leaf("lockDuration", lock.duration_days);
    xml.optional("coolOffPeriod", lock.cool_off_hours);
    xml.optional("coolOffPeriodExpiresOn", lock.cool_off_until().map(wire_time));
    xml.leaf("lockCreatedOn", wire_time(lock.created_at));
    xml.leaf("lockDurationStartTime", wire_time(lock.duration_from));
    xml.leaf("lockExpiresOn", wire_time(lock.expires_at));
}

fn duration(params: &Params, now: Timestamp) -> Result<(Timestamp, u32), Ec2Error> {
    let days = params.number::<u32>("LockDuration")?;
    let until = params.number::<Timestamp>("ExpirationDate")?;
    match (days, until) {
        (Some(days @ 1..=DAYS_MAX), None) => {
            let times = i32::try_from(days).unwrap_or(i32::MAX);
            Ok((later(now, DAY.saturating_mul(times)), days))
        }
        (Some(days), None) => Err(Ec2Error::invalid_value(&days.to_string(), "LockDuration")),
        (None, Some(until)) if between(now, until) >= DAY => {
            let days = between(now, until).as_hours() / 24;
            Ok((until, u32::try_from(days).unwrap_or(DAYS_MAX)))
        }
        (None, Some(until)) => Err(Ec2Error::invalid_value(&until.to_string(), "ExpirationDate")),
        (None, None) => Err(Ec2Error::missing_parameter("LockDuration")),
        (Some(_), Some(_)) => {
            Err(Ec2Error::combination("LockDuration and ExpirationDate cannot be used together"))
        }
    }
}

fn cool_off(params: &Params, mode: LockMode) -> Result<Option<u32>, Ec2Error> {
    match (params.number::<u32>("CoolOffPeriod")?, mode) {
        (None, _) => Ok(None),
        (Some(_), LockMode::Governance) => Err(Ec2Error::combination(
            "CoolOffPeriod can only be used with a lock in compliance mode",
        )),
        (Some(hours @ 1..=COOL_OFF_HOURS_MAX), LockMode::Compliance) => Ok(Some(hours)),
        (Some(hours), LockMode::Compliance) => {
            Err(Ec2Error::invalid_value(&hours.to_string(), "CoolOffPeriod"))
        }
    }
}
