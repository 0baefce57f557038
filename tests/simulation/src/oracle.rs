//! What must hold of every deletion, at that moment; and of everything, when it has been calm for a while.

mod calm;
mod drills;
mod machines;
mod restored;
mod slots;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Snapshot, SnapshotState};

use crate::ledger::{Group, Hold, Ledger, Shown};
use crate::rules::Promise;
use crate::world::TABLE;

pub(crate) use calm::{Books, Judgement, judge_calm};
pub(crate) use drills::judge_drills;
pub(crate) use machines::{Done, judge_machines, look};

/// How far a function's clock may be off.
const CLOCKS_OFF: SignedDuration = SignedDuration::from_mins(12);
/// When the first sweep after an edit has certainly been, in good weather.
const SWEPT_AFTER: SignedDuration = SignedDuration::from_mins(75);

/// Judges what one of our functions does to EC2, by what was there before.
pub(crate) fn judge_deletion(
    ledger: &mut Ledger,
    before: &[Snapshot],
    deleted: &Snapshot,
    now: Timestamp,
) {
    let who = ledger.actor.clone();
    let Some(at) = ledger.of_member.get(&deleted.id).copied() else {
        if ledger.adopting.contains(&deleted.id) {
            return;
        }
        let text =
            format!("{who} deleted {}, which nobody of ours has made or adopted", deleted.id);
        return ledger.violated(now, "not-ours", text);
    };
    let shown = Shown::of(before);
    let group = ledger.groups[at].clone();
    ledger.note(now, format!("{who} deleted {} of {}", deleted.id, described(&group)));
    judge_whole(ledger, &shown, &group, deleted, now);
    judge_held(ledger, &group, deleted, now);
    judge_restored(ledger, &group, deleted, now);
    if !is_exempt(ledger, &group, &shown, now) {
        judge_newest(ledger, &shown, &group, deleted, now);
        judge_rules(ledger, &shown, &group, deleted, now);
        ledger.groups[at].let_go = Some(now);
    }
    ledger.groups[at].deleted.insert(deleted.id.clone());
}

pub(crate) fn described(group: &Group) -> String {
    let schedule = group.schedule.as_deref().unwrap_or("no schedule");
    format!("{} ({} of {schedule}, begun {})", group.set, group.instance, group.begun)
}

/// A set dies whole or lives whole: nothing that was in the way of another member before may have been there.
fn judge_whole(
    ledger: &mut Ledger,
    shown: &Shown<'_>,
    group: &Group,
    deleted: &Snapshot,
    now: Timestamp,
) {
    let others = group.members.iter().filter(|(id, _)| *id != deleted.id);
    for (id, _) in others.clone() {
        let since = ledger.obstacles.get(id).copied();
        // Ours may have put its tags on again.
        let is_in_the_way = shown.0.get(id.as_str()).is_some_and(|one| {
            let is_ours = one.tags.contains_key("snapkeep:managed-by");
            one.lock.is_some() || !is_ours || ledger.imaged.contains(id)
        });
        if let Some(since) = since
            && is_in_the_way
            && !ledger.is_news(since)
        {
            let text = format!(
                "{} of {} is deleted, although {id} cannot be since {since}",
                deleted.id,
                described(group)
            );
            ledger.violated(now, "torn", text);
        }
    }
}

fn judge_held(ledger: &mut Ledger, group: &Group, deleted: &Snapshot, now: Timestamp) {
    let wishes = ledger.wishes.get(&group.set).cloned().unwrap_or_default();
    let is_held = match wishes.hold {
        Hold::Free | Hold::Uncertain => false,
        Hold::Never => wishes.named.is_none(),
        Hold::Until(until) => until > now + CLOCKS_OFF,
    };
    if is_held {
        let text = format!("{} of {} is held: {:?}", deleted.id, described(group), wishes.hold);
        ledger.violated(now, "held", text);
    }
}

/// No restore that a person was told of still needs it.
fn judge_restored(ledger: &mut Ledger, group: &Group, deleted: &Snapshot, now: Timestamp) {
    let Some(database) = ledger.database.clone() else { return };
    let of_set = ledger.restores.iter().filter(|(_, (set, _))| *set == group.set);
    let open = of_set.filter(|(id, (_, since))| !ledger.is_news(*since) && is_open(&database, id));
    if let Some(id) = open.map(|(id, _)| id.clone()).next() {
        let text = format!("{} of {} is deleted, which {id} needs", deleted.id, described(group));
        ledger.violated(now, "in-restore", text);
    }
}

/// Whether a restore is neither done nor taken back.
fn is_open(database: &SimDynamoDb, id: &str) -> bool {
    let request = json!({
        "TableName": TABLE, "Key": { "pk": { "S": "RESTORES" }, "sk": { "S": id } },
    });
    let (_, answer) = database.answer("DynamoDB_20120810.GetItem", request.to_string().as_bytes());
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let status = answer["Item"]["body"]["M"]["status"]["S"].as_str();
    status.is_some_and(|status| !["done", "cancelled"].contains(&status))
}

/// Whether no rule has a say: a person named it, it is not whole, it is over, or there is another of the same set.
fn is_exempt(ledger: &Ledger, group: &Group, shown: &Shown<'_>, now: Timestamp) -> bool {
    let wishes = ledger.wishes.get(&group.set);
    let is_over = wishes.and_then(|wishes| wishes.expires).is_some_and(|at| at < now + CLOCKS_OFF);
    let has_failed = group.members.iter().any(|(id, _)| {
        shown.0.get(id.as_str()).is_some_and(|one| one.state == SnapshotState::Error)
    });
    let is_begun = !group.deleted.is_empty();
    let is_double = ledger
        .groups
        .iter()
        .any(|one| one.set == group.set && one.begun != group.begun && ledger.is_good(one, shown));
    let is_named = wishes.is_some_and(|wishes| wishes.named.is_some());
    // The end that a person sets counts where no schedule has its own rules.
    let schedule = group.schedule.as_ref().and_then(|id| ledger.schedules.get(id));
    let has_rules = schedule.is_some_and(|facts| !facts.dropped);
    is_named || (is_over && !has_rules) || has_failed || is_begun || is_double
}

/// Whether it counts as one that lets others go.
fn counts(ledger: &Ledger, one: &Group, shown: &Shown<'_>) -> bool {
    let goes = ledger.wishes.get(&one.set).and_then(|wishes| wishes.goes);
    let is_named = goes.is_some_and(|at| !ledger.is_news(at));
    !is_named && one.deleted.is_empty() && ledger.is_good(one, shown)
}

/// For every volume in it a newer good one is there.
fn judge_newest(
    ledger: &mut Ledger,
    shown: &Shown<'_>,
    group: &Group,
    deleted: &Snapshot,
    now: Timestamp,
) {
    let newer: Vec<&Group> = ledger
        .groups
        .iter()
        .filter(|one| one.instance == group.instance && one.region == group.region)
        .filter(|one| one.begun > group.begun && counts(ledger, one, shown))
        .collect();
    let has = |volume: &String| {
        newer.iter().any(|one| one.members.iter().any(|(_, other)| other == volume))
    };
    let lacking = group.members.iter().map(|(_, volume)| volume).find(|volume| !has(volume));
    let Some(volume) = lacking else { return };
    let kind = if newer.is_empty() { "newest" } else { "newest-of-volume" };
    let text = format!(
        "{} of {} is deleted, and no newer one of {volume} is there",
        deleted.id,
        described(group)
    );
    ledger.violated(now, kind, text);
}

/// The rules in force, over what is really there, let it go.
fn judge_rules(
    ledger: &mut Ledger,
    shown: &Shown<'_>,
    group: &Group,
    deleted: &Snapshot,
    now: Timestamp,
) {
    let Some(schedule) = &group.schedule else {
        let text = format!("{} of {} was asked to go by nobody", deleted.id, described(group));
        return ledger.violated(now, "asked-by-nobody", text);
    };
    let Some(rules) = ledger.rules_of(schedule) else { return };
    let is_there = |one: &Group| counts(ledger, one, shown);
    let there = Place::beside(ledger, group, is_there);
    if rules.iter().all(|rules| there.is_kept_by(*rules, now)) {
        let text = format!(
            "{} of {} is deleted, which {:?} keep: it is number {} of {} that are there",
            deleted.id,
            described(group),
            rules.last(),
            there.subject + 1,
            there.taken.len()
        );
        return ledger.violated(now, "rules-keep-it", text);
    }
    // What was taken since the rules are what they are is their daily work, and so is what was younger than they say then.
    let edited = ledger.schedules.get(schedule).and_then(|facts| facts.edits.last());
    let is_daily_work = edited.is_none_or(|edit| {
        let swept = edit.sent + SWEPT_AFTER;
        let by_then = |one: &Group| is_there(one) && one.begun < swept;
        let at_first = Place::beside(ledger, group, by_then);
        group.begun >= edit.sent || edit.rules.is_some() && at_first.is_kept_by(edit.rules, swept)
    });
    // They would not have let go what these have within the day: else each that goes is the oldest, which restic's rules keep
    // while there is room.
    let day = now - SignedDuration::from_hours(24);
    let was_there = |one: &Group| is_there(one) || one.let_go.is_some_and(|at| at > day);
    let before_these = Place::beside(ledger, group, was_there);
    // What was edited before it was taken never promised more.
    let before = ledger.rules_at(schedule, day.max(group.begun));
    if !is_daily_work && before.is_some_and(|rules| before_these.is_kept_by(rules, now)) {
        let of_schedule = ledger.groups.iter().filter(|one| one.schedule == group.schedule);
        let there = of_schedule.filter(|one| counts(ledger, one, shown)).count();
        let schedule = schedule.clone();
        judge_brake(ledger, &schedule, there, now);
    }
}

/// Where a set is among those of its schedule and instance.
struct Place {
    /// When they began, the newest first.
    taken: Vec<Timestamp>,
    /// Which of them it is.
    subject: usize,
}

impl Place {
    /// Among those that fit, and itself.
    fn beside(ledger: &Ledger, group: &Group, fits: impl Fn(&Group) -> bool) -> Self {
        let is_of_its = |one: &&Group| {
            one.schedule == group.schedule
                && one.instance == group.instance
                && one.region == group.region
        };
        let mut found: Vec<&Group> = ledger
            .groups
            .iter()
            .filter(is_of_its)
            .filter(|one| one.set == group.set || fits(one))
            .collect();
        found.sort_by_key(|one| std::cmp::Reverse((one.begun, one.set.clone())));
        found.dedup_by_key(|one| one.set.clone());
        let subject = found.iter().position(|one| one.set == group.set).unwrap_or(found.len());
        Self { taken: found.into_iter().map(|one| one.begun).collect(), subject }
    }

    /// Whether these rules keep it; none keep everything.
    fn is_kept_by(&self, rules: Option<Promise>, now: Timestamp) -> bool {
        rules.is_none_or(|rules| rules.keeps(self.subject, &self.taken, now))
    }
}

/// What the rules of a day before would have kept goes only as far as the brake lets it, twice over since nobody says when
/// a day begins, or with an admin's word.
fn judge_brake(ledger: &mut Ledger, schedule: &str, there: usize, now: Timestamp) {
    let day = now - SignedDuration::from_hours(24);
    ledger.unexpected.push((schedule.to_owned(), now));
    let lately = ledger.unexpected.iter().filter(|(of, at)| of == schedule && *at > day);
    let count = lately.count();
    let had = there + count - 1;
    let is_approved = ledger.approved.is_some_and(|at| at > day);
    if !is_approved && count > 2 * ledger.brake_deletions.max(1) && count * 2 > had {
        let text = format!(
            "{count} of the {had} snapshots of {schedule} are gone within a day that its rules of a day ago would keep"
        );
        ledger.violated(now, "brake", text);
    }
}
