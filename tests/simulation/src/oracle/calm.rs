//! What must hold when nothing has gone wrong for a while: everything is settled, and all books agree.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use local::dispatch::Message;
use serde_json::{Map, Value, json};
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Snapshot, Volume};

use super::described;
use super::restored::judge_restores;
use super::slots::judge_slots;
use crate::ledger::{Ledger, Shown};
use crate::world::TABLE;

/// How long anything may take that no fault holds up.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(75);

/// How long it may take until other systems are told of a change.
const TOLD_AFTER: SignedDuration = SignedDuration::from_mins(20);
/// How long after the last change the numbers are those of a count: they are counted anew each hour.
const COUNTED_AFTER: SignedDuration = SignedDuration::from_mins(75);

/// The records as they are stored, read without the product.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) snapshots: Vec<Value>,
    pub(crate) sweeps: Vec<Value>,
    pub(crate) runs: Vec<Value>,
    pub(crate) restores: Vec<Value>,
    pub(crate) audit: Vec<Value>,
    /// Since when what is still to be told to other systems waits.
    pub(crate) outbox: Vec<Timestamp>,
}

impl Books {
    pub(crate) fn read(database: &SimDynamoDb) -> Self {
        let mut books = Self::default();
        for item in stored(database, "Scan", json!({ "TableName": TABLE })) {
            books.add(&item);
        }
        books
    }

    /// The schedules alone: reading all takes long.
    pub(crate) fn schedules(database: &SimDynamoDb) -> Vec<Value> {
        let request = json!({
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": { ":p": { "S": "SCHEDULES" } },
        });
        stored(database, "Query", request).iter().map(|item| plain(&item["body"])).collect()
    }

    fn add(&mut self, item: &Value) {
        let partition = item["pk"]["S"].as_str().unwrap_or_default();
        let kind = partition.split('#').next().unwrap_or_default();
        let list = match kind {
            "SNAPSHOT" => &mut self.snapshots,
            "SWEEPS" => &mut self.sweeps,
            "RUNS" => &mut self.runs,
            "RESTORES" => &mut self.restores,
            "AUDIT" => &mut self.audit,
            "OUTBOX" => {
                let since = item["sk"]["S"].as_str().and_then(|text| text.split('#').next());
                self.outbox.extend(since.and_then(|text| text.parse::<Timestamp>().ok()));
                return;
            }
            _ => return,
        };
        let body = plain(&item["body"]);
        if body.is_object() {
            list.push(body);
        }
    }
}

/// All items of all pages.
fn stored(database: &SimDynamoDb, operation: &str, mut request: Value) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let target = format!("DynamoDB_20120810.{operation}");
        let (_, answer) = database.answer(&target, request.to_string().as_bytes());
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        if let Value::Array(page) = answer["Items"].take() {
            items.extend(page);
        }
        let from = answer["LastEvaluatedKey"].take();
        if from.is_null() {
            return items;
        }
        request["ExclusiveStartKey"] = from;
    }
}

/// A value of DynamoDB's as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, content)) = value.as_object().and_then(|one| one.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), content) {
        ("M", Value::Object(fields)) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), plain(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        ("L", Value::Array(items)) => items.iter().map(plain).collect(),
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        ("NULL", _) => Value::Null,
        (_, content) => content.clone(),
    }
}

/// What is looked at when it has been calm for a while.
pub(crate) struct Judgement<'a> {
    pub(crate) books: &'a Books,
    pub(crate) snapshots: &'a [Snapshot],
    pub(crate) volumes: &'a [Volume],
    /// Since when it has been calm.
    pub(crate) since: Timestamp,
    pub(crate) now: Timestamp,
    /// `GET /v1/snapshots/stats`.
    pub(crate) statistics: &'a Value,
    /// The messages given up since.
    pub(crate) given_up: &'a [Message],
}

pub(crate) fn judge_calm(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    whole(ledger, judgement);
    settled(ledger, judgement);
    swept(ledger, judgement);
    judge_slots(ledger, judgement);
    judge_restores(ledger, judgement);
    once(ledger, judgement);
    numbers(ledger, judgement);
    audited(ledger, judgement);
    if let Some(since) = judgement.books.outbox.iter().min()
        && judgement.now.duration_since(*since) > TOLD_AFTER
    {
        let text = format!("what changed at {since} is told to nobody");
        ledger.violated(judgement.now, "untold", text);
    }
    for message in judgement.given_up {
        let text = format!("a message was given up in fine weather: {}", message.body);
        ledger.violated(judgement.now, "given-up", text);
    }
}

/// No set that we began to delete is left in part, unless its record says that it is damaged.
fn whole(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, snapshots, now, .. } = *judgement;
    let shown = Shown::of(snapshots);
    let torn = ledger.groups.iter().filter(|group| {
        let is_there = |id: &String| shown.0.contains_key(id.as_str());
        !group.deleted.is_empty() && group.members.iter().any(|(id, _)| is_there(id))
    });
    let is_said = |set: &str| {
        let record = books.snapshots.iter().find(|one| one["id"] == set);
        record.is_some_and(|one| !one["damaged"].is_null())
    };
    let unsaid = torn.filter(|group| !is_said(&group.set)).map(described).next();
    if let Some(group) = unsaid {
        ledger.violated(now, "left-in-part", format!("{group} is deleted in part"));
    }
}

/// Whether an outsider has done something to a member of the set that keeps us from copying it.
fn is_hindered(ledger: &Ledger, set: &str) -> bool {
    let members = ledger.groups.iter().filter(|one| one.set == set).flat_map(|one| &one.members);
    let mut ids = members.map(|(id, _)| id);
    ids.any(|id| ledger.obstacles.contains_key(id) || ledger.lost.contains_key(id))
}

pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Nothing is stuck.
fn settled(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, since, now, .. } = *judgement;
    let is_old = |at: Option<Timestamp>| {
        let at = at.unwrap_or(since).max(since);
        now.duration_since(at) > SETTLED_AFTER
    };
    for one in &books.snapshots {
        let id = one["id"].as_str().unwrap_or_default();
        let status = one["status"].as_str().unwrap_or_default();
        let touched = instant(&one["touched_at"]);
        let is_stuck = match status {
            "requested" | "creating" | "pending" => is_old(instant(&one["created_at"])),
            "deleting" => is_old(touched) && one["blocked"].is_null(),
            "condemned" => {
                is_old(instant(&one["condemnation"]["delete_after"])) && one["blocked"].is_null()
            }
            _ => false,
        };
        let of = one["copy_of"]["snapshot_id"].as_str().unwrap_or_default();
        if is_stuck && !is_hindered(ledger, of) {
            let text = format!("{id} is {status} since {}", one["touched_at"]);
            ledger.violated(now, "stuck-snapshot", text);
        }
    }
    for run in &books.runs {
        let status = run["status"].as_str().unwrap_or_default();
        let slot = &run["slot"];
        if ["dispatching", "running"].contains(&status) && is_old(instant(&slot["slot"])) {
            let text =
                format!("the run of {} at {} is {status}", slot["schedule_id"], slot["slot"]);
            ledger.violated(now, "stuck-run", text);
        }
    }
}

/// There was a sweep within the last two hours, and it came to its end.
fn swept(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, now, .. } = *judgement;
    let ended = ["done", "needs_approval", "approved"];
    let last = books
        .sweeps
        .iter()
        .filter(|one| ended.contains(&one["status"].as_str().unwrap_or_default()))
        .filter(|one| one["mode"] == "execute")
        .filter_map(|one| instant(&one["created_at"]))
        .max();
    if last.is_none_or(|last| now.duration_since(last) > SignedDuration::from_hours(2)) {
        let text = format!("the last sweep that came to its end was at {last:?}");
        ledger.violated(now, "no-sweep", text);
    }
}

/// One slot of a schedule gives one snapshot of an instance: what was made twice is gone or on its way.
fn once(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { snapshots, now, .. } = *judgement;
    let shown = Shown::of(snapshots);
    let mut of_slot: BTreeMap<(String, String, String, String), Vec<String>> = BTreeMap::new();
    for group in &ledger.groups {
        let Some((schedule, slot)) = group.schedule.clone().zip(group.slot.clone()) else {
            continue;
        };
        let lives = group.members.iter().all(|(id, _)| {
            let one = shown.0.get(id.as_str());
            one.is_some_and(|one| !one.tags.contains_key("snapkeep:state"))
        });
        if lives {
            let key = (schedule, slot, group.instance.clone(), group.region.clone());
            of_slot.entry(key).or_default().push(described(group));
        }
    }
    let twice = of_slot.into_values().find(|groups| groups.len() > 1);
    if let Some(twice) = twice {
        ledger.violated(now, "twice", format!("there are {}", twice.join(" and ")));
    }
}

/// The numbers are those of a count.
fn numbers(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, statistics, now, .. } = *judgement;
    let touched = |one: &Value| instant(&one["touched_at"]).max(instant(&one["gone_at"]));
    let last = books.snapshots.iter().filter_map(touched).max();
    if last.is_some_and(|last| now.duration_since(last) < COUNTED_AFTER) {
        return;
    }
    let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
    for one in &books.snapshots {
        *counted.entry(one["status"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let told = &statistics["by_status"];
    for status in
        ["requested", "creating", "pending", "available", "error", "condemned", "deleting"]
    {
        let (told, counted) = (told[status].as_i64(), counted.get(status).copied().unwrap_or(0));
        if told != Some(counted) {
            let text = format!("{status}: the numbers say {told:?}, and {counted} are there");
            ledger.violated(now, "numbers", text);
        }
    }
}

/// Each change is in the audit once: as often as a snapshot was condemned it was rescued, or it is condemned now.
fn audited(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, now, .. } = *judgement;
    let mut counted: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for entry in &books.audit {
        let of = entry["resource_id"].as_str().unwrap_or_default();
        *counted.entry((of, entry["action"].as_str().unwrap_or_default())).or_default() += 1;
    }
    for one in &books.snapshots {
        let id = one["id"].as_str().unwrap_or_default();
        let count = |action: &str| counted.get(&(id, action)).copied().unwrap_or(0);
        let status = one["status"].as_str().unwrap_or_default();
        let open = count("snapshot.condemned") - count("snapshot.rescued");
        let expected = match status {
            "available" | "error" => 0,
            "condemned" | "deleting" | "deleted" => 1,
            _ => continue,
        };
        let gone = i64::from(status == "deleted");
        // Who deletes by name what a rule has condemned condemns it once more.
        let is_named = ledger.wishes.get(id).is_some_and(|wishes| wishes.was_named);
        let open = if is_named { open.min(expected) } else { open };
        let is_plain = count("snapshot.missing") + count("snapshot.record_removed") == 0;
        if is_plain && (open != expected || count("snapshot.deleted") != gone) {
            let text = format!(
                "{id} is {status}; the audit has it {} times condemned, {} rescued, {} deleted",
                count("snapshot.condemned"),
                count("snapshot.rescued"),
                count("snapshot.deleted")
            );
            ledger.violated(now, "audit", text);
        }
    }
}
