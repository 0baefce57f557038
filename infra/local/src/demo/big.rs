//! The demonstration many times over: a thousand instances with fifty thousand snapshots, to see how the system bears it.
//!
//! Nothing of it is lived through. Each copy of the account has the instances that run, their volumes, and of their snapshots
//! what is over and done, under other identifiers: records, EBS snapshots, and their places in the runs of the schedules,
//! which are one for all copies. Of each available snapshot there are three more, taken by hand a quarter of a year apart: no
//! rule lets them go.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use shared::domain::{ids::digest, snapshot::ScheduleSlot};

use super::Recorded;
use crate::retold::Template;

/// How many times over the account is there: its 41 instances with volumes make a thousand.
pub(super) const COPIES: usize = 25;
/// How many of each available snapshot are taken by hand besides, and how far apart.
const BY_HAND: usize = 3;
const APART: SignedDuration = SignedDuration::from_hours(91 * 24);
/// The region whose part of the account is there many times over.
const REGION: &str = "us-east-1";

/// The instances that there are more of, by identifier with their names; and how many copies there are.
type OfMany<'a> = (&'a BTreeMap<String, String>, usize);

/// A set of a copy: as it was, or one taken by hand so many quarters before.
#[derive(Clone, Copy)]
struct Copy {
    number: usize,
    by_hand: usize,
}

impl Copy {
    /// What a name is in this copy: of the same kind, and always the same.
    fn name(self, name: &str) -> Option<String> {
        let Self { number, by_hand } = self;
        let is_of_set = name.starts_with("snap-") || name.starts_with("snp_");
        let by_hand = if is_of_set { by_hand } else { 0 };
        if number == 0 && by_hand == 0 {
            return None;
        }
        let fresh = digest(&[name, &number.to_string(), &by_hand.to_string()]);
        let (kind, rest) = name.split_at(name.find(['-', '_']).map_or(0, |at| at + 1));
        match kind {
            "snap-" | "vol-" | "i-" | "r-" => {
                Some(format!("{kind}{}", fresh.get(..rest.len().min(17))?))
            }
            // The instant that it begins with stays.
            "snp_" => Some(format!("{kind}{}{}", rest.get(..24)?, fresh.get(..12)?)),
            _ => Some(format!("{name}.{number}")),
        }
    }
}

/// A set that there are more of.
struct SetOfMany {
    /// Its record, and those of its members.
    items: Vec<Template>,
    /// The same as taken by hand, if it is.
    by_hand: Option<Vec<Template>>,
    slot: Option<ScheduleSlot>,
    id: String,
    instance: String,
    /// Its EBS snapshots, by identifier, as EC2 has them; and as taken by hand.
    ebs: Vec<(String, Template, Template)>,
}

/// The account so many times over, from one of them.
pub(super) fn grown(recorded: Recorded<Value>, copies: usize) -> Recorded<String> {
    let Recorded { time, mut ec2, mut items } = recorded;
    let region = ec2["world"]["regions"][REGION].take();
    let names = instance_names(&region);
    let words: Vec<_> = names.values().map(String::as_str).collect();
    let sets = sets(&items, &region, &words);
    let mut more = Vec::new();
    let mut entries = Map::new();
    for set in &sets {
        for number in 0..copies {
            let by_hand = if set.by_hand.is_some() { BY_HAND } else { 0 };
            for by_hand in 0..=by_hand {
                set.tell(Copy { number, by_hand }, &mut more, &mut entries);
            }
        }
    }
    for item in &mut items {
        grow(item, (&names, copies));
    }
    more.extend(items.iter().map(Value::to_string));
    ec2["world"]["regions"][REGION] = with_more(region, (&names, copies), entries);
    Recorded { time, ec2, items: more }
}

/// The instances that there are more of, by identifier: those that run and have volumes.
fn instance_names(region: &Value) -> BTreeMap<String, String> {
    let all = region["instances"]["entries"].as_object().into_iter().flatten();
    let named = all.filter_map(|(id, entry)| {
        let one = &entry["current"];
        let is_fit = one["state"] == "Running" && !one["devices"].as_array()?.is_empty();
        Some((id.clone(), one["tags"]["Name"].as_str()?.to_owned())).filter(|_| is_fit)
    });
    named.collect()
}

/// The sets that there are more of: what is over and done, and which nothing else has to do with.
fn sets(items: &[Value], region: &Value, words: &[&str]) -> Vec<SetOfMany> {
    let pointers: BTreeMap<_, _> = items
        .iter()
        .filter_map(|item| Some((text(item, "pk").strip_prefix("EBS#")?.to_owned(), item)))
        .collect();
    let ebs = &region["snapshots"]["entries"];
    items.iter().filter_map(|item| set(item, &pointers, ebs, words)).collect()
}

fn set(
    item: &Value,
    pointers: &BTreeMap<String, &Value>,
    ebs: &Value,
    words: &[&str],
) -> Option<SetOfMany> {
    let id = text(item, "pk").strip_prefix("SNAPSHOT#")?.to_owned();
    let body = &item["body"]["M"];
    let is_none = |name: &str| body[name]["NULL"] == true || body[name].is_null();
    let is_empty = |name: &str| body[name]["L"].as_array().is_none_or(Vec::is_empty);
    let status = text(body, "status");
    let is_over = matches!(status, "available" | "deleted" | "error")
        && ["copy_of", "images", "blocked", "hold", "duplicate_of"].into_iter().all(is_none)
        && ["copies", "restores"].into_iter().all(is_empty)
        && text(&body["source"]["M"], "region") == REGION;
    if !is_over {
        return None;
    }
    let members: Vec<_> = body["members"]["L"]
        .as_array()?
        .iter()
        .map(|member| text(&member["M"], "ebs_snapshot_id").to_owned())
        .collect();
    let told = |value: &Value| Template::of(&value.to_string(), words);
    let members_of = |record: Template| -> Vec<_> {
        let of_it = members.iter().filter_map(|member| pointers.get(member));
        std::iter::once(record).chain(of_it.map(|pointer| told(pointer))).collect()
    };
    let slot = &body["slot"]["M"];
    let slot = text(slot, "schedule_id").parse().ok().zip(text(slot, "slot").parse().ok());
    let current = members.iter().filter_map(|member| {
        let entry = ebs.get(member)?;
        Some((member.clone(), told(entry), told(&entry_by_hand(entry))))
    });
    Some(SetOfMany {
        items: members_of(told(item)),
        by_hand: (status == "available").then(|| members_of(told(&item_by_hand(item)))),
        slot: slot.map(|(schedule_id, slot)| ScheduleSlot { schedule_id, slot }),
        id,
        instance: text(&body["source"]["M"], "instance_id").to_owned(),
        ebs: current.collect(),
    })
}

impl SetOfMany {
    /// Adds what a copy has of it.
    fn tell(&self, copy: Copy, items: &mut Vec<String>, entries: &mut Map<String, Value>) {
        let Copy { number, by_hand } = copy;
        if number == 0 && by_hand == 0 {
            return;
        }
        let instance = copy.name(&self.instance).unwrap_or_else(|| self.instance.clone());
        // A run finds its snapshots by the identifiers that follow from its slot.
        let of_slot = self.slot.as_ref().filter(|_| by_hand == 0);
        let id = of_slot.zip(instance.parse().ok()).map(|(slot, it)| slot.snapshot_id(&it));
        let id = id.map(|id| id.to_string()).or_else(|| copy.name(&self.id));
        let other = |name: &str| if name == self.id { id.clone() } else { copy.name(name) };
        let by = -(APART * i32::try_from(by_hand).unwrap_or(i32::MAX));
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let templates = self.by_hand.as_ref().filter(|_| by_hand > 0).unwrap_or(&self.items);
        items.extend(templates.iter().map(|one| one.told(other, by)));
        for (id, as_was, taken_by_hand) in &self.ebs {
            let template = if by_hand > 0 { taken_by_hand } else { as_was };
            let id = copy.name(id).unwrap_or_else(|| id.clone());
            entries.insert(id, read(&template.told(other, by)));
        }
    }
}

/// A record as if a person had asked for the snapshot.
fn item_by_hand(item: &Value) -> Value {
    let mut item = item.clone();
    let body = &mut item["body"]["M"];
    body["slot"] = json!({ "NULL": true });
    body["origin"] = json!({ "S": "manual" });
    if let Some(fields) = item.as_object_mut() {
        fields.remove("schedule_pk");
    }
    // Its version stands before it.
    let short = item["comb"]["S"].as_str().and_then(|form| form.split_at_checked(1));
    if let Some((version, form)) = short
        && let Ok(mut form) = serde_json::from_str::<Value>(form)
    {
        form["origin"] = "manual".into();
        form.as_object_mut().map(|fields| fields.remove("slot"));
        item["comb"]["S"] = format!("{version}{form}").into();
    }
    item
}

/// An EBS snapshot as if a person had asked for its set.
fn entry_by_hand(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(tags) = entry["current"]["tags"].as_object_mut() {
        tags.remove("snapkeep:schedule");
        tags.remove("snapkeep:slot");
    }
    entry
}

/// Has an item of the one account speak of all.
fn grow(item: &mut Value, of_many: OfMany<'_>) {
    let (_, copies) = of_many;
    let (pk, sk) = (text(item, "pk").to_owned(), text(item, "sk").to_owned());
    let (kind, part) = pk.split_once('#').unwrap_or((&pk, ""));
    match (kind, part) {
        // What is stored now is counted when all is there; of the days nobody can count any more.
        ("STATISTICS", _) if sk.ends_with(REGION) => multiply(item, copies),
        ("RUNS", _) => grow_run(&mut item["body"]["M"], of_many),
        ("SCHEDULES", _) => {
            let targets = &mut item["body"]["M"]["targets"]["M"]["instance_ids"]["L"];
            grow_targets(targets, of_many);
        }
        (_, _) => {}
    }
}

/// Numbers of all copies, of those of one.
fn multiply(item: &mut Value, copies: usize) {
    for (name, value) in item.as_object_mut().into_iter().flatten() {
        let number = value["N"].as_str().and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number.filter(|_| name != "schema") {
            *value = json!({ "N": (number * i64::try_from(copies).unwrap_or(1)).to_string() });
        }
    }
}

/// A run of all copies: what it did with the targets of one it did with those of each.
fn grow_run(run: &mut Value, of_many: OfMany<'_>) {
    let before = run["targets"]["L"].as_array().map_or(0, Vec::len);
    grow_targets(&mut run["targets"]["L"], of_many);
    let after = run["targets"]["L"].as_array().map_or(0, Vec::len);
    if before == 0 || after == before {
        return;
    }
    let times = |value: &mut Value| {
        let number = value["N"].as_str().and_then(|text| text.parse::<usize>().ok());
        if let Some(number) = number {
            *value = json!({ "N": (number * after / before).to_string() });
        }
    };
    times(&mut run["asked"]);
    times(&mut run["checked"]);
    for (_, count) in run["counts"]["M"].as_object_mut().into_iter().flatten() {
        times(count);
    }
}

/// The targets of all copies, copy by copy. What there is only one of stays.
fn grow_targets(targets: &mut Value, (instances, copies): OfMany<'_>) {
    let Some(all) = targets.as_array_mut() else { return };
    let of_many: Vec<_> = all
        .iter()
        .filter_map(|one| one["S"].as_str())
        .filter(|id| instances.contains_key(*id))
        .map(str::to_owned)
        .collect();
    for number in 1..copies {
        let copy = Copy { number, by_hand: 0 };
        all.extend(of_many.iter().filter_map(|id| Some(json!({ "S": copy.name(id)? }))));
    }
}

/// The region with the instances and volumes of all copies, and these EBS snapshots.
fn with_more(
    mut region: Value,
    (instances, copies): OfMany<'_>,
    snapshots: Map<String, Value>,
) -> Value {
    let words: Vec<_> = instances.values().map(String::as_str).collect();
    let mut volumes = BTreeSet::new();
    for (kind, is_of_many) in [("instances", true), ("volumes", false)] {
        let Some(entries) = region[kind]["entries"].as_object_mut() else { continue };
        let templates: Vec<_> =
            entries
                .iter()
                .filter(|(id, _)| {
                    if is_of_many { instances.contains_key(*id) } else { volumes.contains(*id) }
                })
                .map(|(id, entry)| (id.clone(), Template::of(&entry.to_string(), &words)))
                .collect();
        if is_of_many {
            let names = templates.iter().flat_map(|(_, template)| template.names());
            volumes.extend(names.filter(|name| name.starts_with("vol-")).map(str::to_owned));
        }
        for (id, template) in &templates {
            for number in 1..copies {
                let copy = Copy { number, by_hand: 0 };
                let text = template.told(|name| copy.name(name), SignedDuration::ZERO);
                if let (Some(id), Ok(entry)) = (copy.name(id), serde_json::from_str(&text)) {
                    entries.insert(id, entry);
                }
            }
        }
    }
    if let Some(entries) = region["snapshots"]["entries"].as_object_mut() {
        entries.extend(snapshots);
    }
    region
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{Size, history};

    /// How many records of a kind there are, each under a key of its own.
    fn count(items: &[Value], kind: &str) -> usize {
        let keys: BTreeSet<_> =
            items.iter().map(|item| (text(item, "pk"), text(item, "sk"))).collect();
        keys.iter().filter(|(pk, _)| pk.starts_with(kind)).count()
    }

    /// The records of a kind.
    fn of<'a>(items: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
        items.iter().filter(move |item| text(item, "pk").starts_with(kind))
    }

    #[test]
    fn two_copies_have_twice_the_instances_and_each_of_their_runs_its_snapshots() {
        let Recorded { time, ec2, items } = history(Size::Recorded).unwrap();
        let read = |items: &[String]| -> Vec<Value> {
            items.iter().map(|item| serde_json::from_str(item).unwrap()).collect()
        };
        let one = Recorded { time, ec2, items: read(&items) };
        let before = (one.items.len(), count(&one.items, "SNAPSHOT#"));
        let entries = |ec2: &Value, kind: &str| {
            ec2["world"]["regions"][REGION][kind]["entries"].as_object().unwrap().len()
        };
        let (instances, ebs) = (entries(&one.ec2, "instances"), entries(&one.ec2, "snapshots"));

        let two = grown(one, 2);
        let two = Recorded { time, ec2: two.ec2, items: read(&two.items) };

        assert!(entries(&two.ec2, "instances") > instances * 3 / 2);
        assert!(entries(&two.ec2, "snapshots") > ebs * 5);
        assert!(count(&two.items, "SNAPSHOT#") > before.1 * 3);
        assert_eq!(count(&two.items, ""), two.items.len());
        // Every set has its EBS snapshots, and each of them leads to it.
        let shown = &two.ec2["world"]["regions"][REGION]["snapshots"]["entries"];
        let pointers: BTreeMap<_, _> = of(&two.items, "EBS#")
            .map(|item| (text(item, "pk"), text(&item["body"]["M"], "snapshot_id")))
            .collect();
        for record in of(&two.items, "SNAPSHOT#") {
            let body = &record["body"]["M"];
            let is_here = text(body, "status") == "available";
            if !is_here || text(&body["source"]["M"], "region") != REGION {
                continue;
            }
            for member in body["members"]["L"].as_array().unwrap() {
                let id = text(&member["M"], "ebs_snapshot_id");
                assert_eq!(shown[id]["current"]["tags"]["snapkeep:id"], text(body, "id"));
                assert_eq!(pointers[format!("EBS#{id}").as_str()], text(body, "id"));
            }
        }
        // What a run of a copy has taken is found by its slot.
        let ids: BTreeSet<_> = of(&two.items, "SNAPSHOT#").map(|item| text(item, "pk")).collect();
        let targets = |run: &&Value| run["body"]["M"]["targets"]["L"].as_array().unwrap().len();
        let run = &of(&two.items, "RUNS#").max_by_key(targets).unwrap()["body"]["M"];
        let slot = &run["slot"]["M"];
        let slot = ScheduleSlot {
            schedule_id: text(slot, "schedule_id").parse().unwrap(),
            slot: text(slot, "slot").parse().unwrap(),
        };
        let targets = run["targets"]["L"].as_array().unwrap();
        let is_found = |target: &&Value| {
            let id = slot.snapshot_id(&target["S"].as_str().unwrap().parse().unwrap());
            ids.contains(format!("SNAPSHOT#{id}").as_str())
        };
        let found = targets.iter().filter(is_found).count();
        // But for the few that something else has to do with.
        assert!(found * 10 >= targets.len() * 9, "{found} of {}", targets.len());
    }
}
