//! People, who go through the API, ask again when they get no answer, and remember what they were told.

use jiff::{SignedDuration, Timestamp};
use lambda_http::Body;
use serde_json::{Value, json};

use crate::ledger::{Edit, Fires, Hold, ScheduleFacts, Shown};
use crate::outsiders::choose;
use crate::plan::{Among, Choice, NewSchedule, What};
use crate::rules::Promise;
use crate::wire::held;
use crate::world::{ABROAD, World};

/// How often somebody asks again who gets no answer.
const TRIES_MAX: u32 = 25;

/// Something that a person wants of the API.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// The idempotency key, where something is made.
    pub(crate) key: Option<String>,
    pub(crate) then: Then,
    pub(crate) tries: u32,
    pub(crate) sent: Timestamp,
}

/// What it means when it is acknowledged.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Nothing,
    /// With rules, and so many minutes from slot to slot.
    ScheduleMade(Option<Promise>, i64),
    /// It fires from now on, or no more.
    Enabled(String, bool),
    /// These rules of this schedule, or its end.
    RulesEdited(String),
    HoldPlaced(String, Hold),
    HoldRemoved(String),
    /// The deletion of a set by name; beside it since when that was asked for before.
    Deleted(String, Option<Timestamp>),
    Rescued(String),
    /// The end of a set; beside it the one that it had before.
    Expiring(String, Option<Timestamp>),
    Taken {
        expires: Option<Timestamp>,
    },
    Restoring(String),
    Approved,
    Adopted(Option<String>),
}

/// What the API answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// 0 if nothing came.
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn none() -> Self {
        Self { status: 0, body: Value::Null }
    }

    pub(crate) fn of(status: u16, body: &Body) -> Self {
        Self { status, body: serde_json::from_slice(body.as_ref()).unwrap_or_default() }
    }

    fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_default().to_owned()
    }
}

impl Errand {
    pub(crate) fn plain(method: &str, path: &str, body: Value) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            body,
            key: None,
            then: Then::Nothing,
            tries: 0,
            sent: Timestamp::UNIX_EPOCH,
        }
    }
}

impl World {
    /// What a person does.
    pub(crate) fn by_person(&mut self, what: &What) {
        match what {
            What::MakeSchedule(wanted) => self.make_schedule(wanted),
            What::EditRules(nth, rules) => self.edit_rules(*nth, *rules),
            What::Enable(nth, on) => self.enable(*nth, *on),
            What::Retarget(nth, instances) => {
                let ids = self.named(instances);
                self.edit_schedule(*nth, json!({ "targets": { "instance_ids": ids } }));
            }
            What::DropSchedule(nth) => self.drop_schedule(*nth),
            What::RunNow(nth) => {
                if let Some(id) = self.schedule(*nth) {
                    self.post(&format!("/v1/schedules/{id}/runs"), Value::Null, Then::Nothing);
                }
            }
            What::Take { instance, without_boot_volume, expires_minutes } => {
                let instance = self.instances[instance % self.instances.len()].clone();
                let expires =
                    expires_minutes.map(|time| self.now() + SignedDuration::from_mins(time));
                let body = json!({
                    "instance_id": instance, "exclude_boot_volume": without_boot_volume,
                    "expires_at": expires,
                });
                self.post("/v1/snapshots", body, Then::Taken { expires });
            }
            What::Sweep => self.post("/v1/sweeps", json!({ "mode": "execute" }), Then::Nothing),
            What::Approve => self.approve(),
            What::Adopt(nth) => self.adopt(*nth),
            What::HoldAll(minutes) => self.hold_all(Some(*minutes)),
            What::UnholdAll => self.hold_all(None),
            What::Tighten(nth) => self.tighten(*nth),
            What::CancelRestore(nth, leave) => self.cancel_restore(*nth, *leave),
            What::RetryRestore(nth) => self.retry_restore(*nth),
            _ => self.about_a_set(what),
        }
    }

    fn about_a_set(&mut self, what: &What) {
        let (What::Hold(choice, _)
        | What::Unhold(choice)
        | What::Delete(choice, _)
        | What::Rescue(choice)
        | What::Restore(choice, _)
        | What::Image(choice)
        | What::Expire(choice, _)) = what
        else {
            return;
        };
        let Some(set) = self.set(*choice) else { return };
        let path = format!("/v1/snapshots/{set}");
        let now = self.now();
        match what {
            What::Hold(_, minutes) => {
                let until = minutes.map(|minutes| now + SignedDuration::from_mins(minutes));
                let body = match until {
                    None => json!({ "hold": { "type": "never" } }),
                    Some(until) => json!({ "hold": { "type": "until", "until": until } }),
                };
                held(&self.ledger).wishes(&set).hold = Hold::Uncertain;
                let hold = until.map_or(Hold::Never, Hold::Until);
                self.send("PATCH", &path, body, Then::HoldPlaced(set, hold));
            }
            What::Unhold(_) => {
                held(&self.ledger).wishes(&set).hold = Hold::Uncertain;
                self.send("PATCH", &path, json!({ "hold": null }), Then::HoldRemoved(set));
            }
            What::Delete(_, grace) => {
                let before = {
                    let mut ledger = held(&self.ledger);
                    let wishes = ledger.wishes(&set);
                    let before = wishes.named;
                    wishes.named.get_or_insert(now);
                    wishes.was_named = true;
                    before
                };
                let query =
                    grace.map(|grace| format!("?grace_minutes={grace}")).unwrap_or_default();
                self.send(
                    "DELETE",
                    &format!("{path}{query}"),
                    Value::Null,
                    Then::Deleted(set, before),
                );
            }
            What::Rescue(_) => {
                self.post(&format!("{path}/rescue"), Value::Null, Then::Rescued(set));
            }
            What::Restore(_, restoring) => self.restore(set, *restoring),
            What::Image(_) => self.post(&format!("{path}/image"), json!({}), Then::Nothing),
            What::Expire(_, minutes) => {
                let at = now + SignedDuration::from_mins(*minutes);
                let before = held(&self.ledger).wishes(&set).expires.replace(at);
                let body = json!({ "expires_at": at });
                self.send("PATCH", &path, body, Then::Expiring(set, before));
            }
            _ => {}
        }
    }

    /// An audit wants everything kept, or nothing any more.
    fn hold_all(&mut self, hold: Option<Option<i64>>) {
        let snapshots = self.ec2.snapshots();
        let mut count = held(&self.ledger).living(&Shown::of(&snapshots)).len().min(40);
        while count > 0 {
            count -= 1;
            let choice = Choice { among: Among::Oldest, nth: count };
            self.about_a_set(&match hold {
                Some(minutes) => What::Hold(choice, minutes),
                None => What::Unhold(choice),
            });
        }
    }

    /// A fifth less is kept.
    fn tighten(&mut self, nth: usize) {
        let Some(id) = self.schedule(nth) else { return };
        let rules = held(&self.ledger).schedules[&id].edits.last().and_then(|edit| edit.rules);
        let last = rules.and_then(|rules| rules.keep_last).unwrap_or(24);
        let keep_last = Some((last * 4 / 5).max(1));
        self.edit_rules(nth, Some(Promise { keep_last, ..Promise::default() }));
    }

    fn make_schedule(&mut self, wanted: &NewSchedule) {
        let NewSchedule { minutes, rules, by_tag, instances, .. } = wanted;
        let NewSchedule { without_boot_volume, grace_minutes, copies, drills, .. } = wanted;
        let targets = if *by_tag {
            json!({ "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } })
        } else {
            json!({ "instance_ids": self.named(instances) })
        };
        let is_two = self.instances.iter().any(|id| self.is_abroad(id));
        let copies = if *copies && is_two { json!([{ "region": ABROAD }]) } else { json!([]) };
        let body = json!({
            "name": format!("schedule {}", self.errands),
            "expression": format!("rate({minutes} minutes)"),
            "targets": targets,
            "retention": rules.map(|rules| rules.json()),
            "options": { "exclude_boot_volume": without_boot_volume },
            "grace_minutes": grace_minutes,
            "copies": copies,
            "drill_every": drills.then_some("1d"),
        });
        self.post("/v1/schedules", body, Then::ScheduleMade(*rules, *minutes));
    }

    fn is_abroad(&self, id: &str) -> bool {
        self.ec2.instance(id).is_some_and(|one| one.region == ABROAD)
    }

    /// No schedule fires any more.
    pub(crate) fn disable_all(&mut self) {
        let ids: Vec<_> = held(&self.ledger).schedules.keys().cloned().collect();
        for id in ids {
            self.perhaps(&id);
            self.ask("PATCH", &format!("/v1/schedules/{id}"), json!({ "enabled": false }));
        }
    }

    fn edit_rules(&mut self, nth: usize, rules: Option<Promise>) {
        let Some(id) = self.schedule(nth) else { return };
        self.begin_edit(&id, rules);
        let body = json!({ "retention": rules.map(|rules| rules.json()) });
        let path = format!("/v1/schedules/{id}");
        self.send("PATCH", &path, body, Then::RulesEdited(id));
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "as the plan draws it")]
    fn enable(&mut self, nth: usize, on: bool) {
        let Some(id) = self.schedule(nth) else { return };
        self.perhaps(&id);
        let path = format!("/v1/schedules/{id}");
        self.send("PATCH", &path, json!({ "enabled": on }), Then::Enabled(id, on));
    }

    /// From now on nobody knows whether the schedule fires.
    fn perhaps(&mut self, id: &str) {
        let now = self.now();
        if let Some(facts) = held(&self.ledger).schedules.get_mut(id) {
            facts.fires.push((now, Fires::Perhaps));
        }
    }

    fn begin_edit(&mut self, id: &str, rules: Option<Promise>) {
        let edit = Edit { sent: self.now(), acked: None, rules };
        if let Some(facts) = held(&self.ledger).schedules.get_mut(id) {
            facts.edits.push(edit);
        }
    }

    fn edit_schedule(&mut self, nth: usize, body: Value) {
        let Some(id) = self.schedule(nth) else { return };
        self.send("PATCH", &format!("/v1/schedules/{id}"), body, Then::Nothing);
    }

    fn drop_schedule(&mut self, nth: usize) {
        let Some(id) = self.schedule(nth) else { return };
        self.begin_edit(&id, None);
        self.perhaps(&id);
        if let Some(facts) = held(&self.ledger).schedules.get_mut(&id) {
            facts.dropped = true;
        }
        self.send("DELETE", &format!("/v1/schedules/{id}"), Value::Null, Then::RulesEdited(id));
    }

    fn approve(&mut self) {
        let sweeps = self.ask("GET", "/v1/sweeps?limit=10", Value::Null).body;
        let mut waiting = sweeps["items"].as_array().into_iter().flatten();
        let Some(sweep) = waiting.find(|one| one["status"] == "needs_approval") else { return };
        let path = format!("/v1/sweeps/{}/approve", sweep["id"].as_str().unwrap_or_default());
        self.post(&path, json!({ "plan_hash": sweep["plan_hash"] }), Then::Approved);
    }

    fn adopt(&mut self, nth: Option<usize>) {
        let schedule = nth.and_then(|nth| self.schedule(nth));
        let ours = held(&self.ledger).of_member.clone();
        let others: Vec<_> = self
            .ec2
            .snapshots()
            .into_iter()
            .filter(|one| !ours.contains_key(&one.id) && one.copy_of.is_none())
            .map(|one| one.id)
            .take(3)
            .collect();
        if !others.is_empty() {
            let body = json!({ "ebs_snapshot_ids": others, "schedule_id": schedule });
            let mut ledger = held(&self.ledger);
            ledger.others.retain(|id, _| !others.contains(id));
            ledger.adopting.extend(others);
            drop(ledger);
            self.post("/v1/reconciliation/adopt", body, Then::Adopted(schedule));
        }
    }

    fn named(&self, instances: &[usize]) -> Vec<String> {
        let mut ids: Vec<_> =
            instances.iter().map(|at| self.instances[at % self.instances.len()].clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    pub(crate) fn schedule(&self, nth: usize) -> Option<String> {
        let ledger = held(&self.ledger);
        let there = ledger.schedules.iter().filter(|(_, facts)| !facts.dropped);
        let ids: Vec<_> = there.map(|(id, _)| id.clone()).collect();
        (!ids.is_empty()).then(|| ids[nth % ids.len()].clone())
    }

    fn set(&self, choice: Choice) -> Option<String> {
        let snapshots = self.ec2.snapshots();
        let ledger = held(&self.ledger);
        let at = choose(&ledger, &Shown::of(&snapshots), choice)?;
        Some(ledger.groups[at].set.clone())
    }

    pub(crate) fn post(&mut self, path: &str, body: Value, then: Then) {
        self.errands += 1;
        let key = Some(format!("errand-{}", self.errands));
        let errand = Errand { key, then, sent: self.now(), ..Errand::plain("POST", path, body) };
        self.begin(errand);
    }

    fn send(&mut self, method: &str, path: &str, body: Value, then: Then) {
        let errand = Errand { then, sent: self.now(), ..Errand::plain(method, path, body) };
        self.begin(errand);
    }

    fn begin(&mut self, errand: Errand) {
        let Errand { method, path, body, .. } = &errand;
        self.note(format!("a person: {method} {path} {body}"));
        self.request(errand, SignedDuration::ZERO);
    }

    /// What a person makes of an answer.
    pub(crate) fn replied(&mut self, errand: Errand, reply: &Reply) {
        let Errand { method, path, tries, .. } = &errand;
        let detail = reply.body["detail"].as_str().unwrap_or_default();
        self.note(format!("    {method} {path} answered {} {detail}", reply.status));
        match reply.status {
            200..=299 => self.acknowledged(errand, reply),
            400..=499 => self.refused(&errand),
            _ if *tries < TRIES_MAX => {
                let errand = Errand { tries: tries + 1, ..errand };
                let pause = SignedDuration::from_secs(self.rng.within(5, 90));
                self.request(errand, pause);
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, errand: Errand, reply: &Reply) {
        let now = self.now();
        let snapshots = self.ec2.snapshots();
        let mut ledger = held(&self.ledger);
        match errand.then {
            Then::Nothing | Then::Expiring(..) => {}
            Then::Deleted(set, _) => _ = ledger.wishes(&set).goes.get_or_insert(now),
            Then::ScheduleMade(rules, minutes) => {
                let edits = vec![Edit { sent: errand.sent, acked: Some(errand.sent), rules }];
                let made = reply.body["created_at"].as_str().and_then(|text| text.parse().ok());
                let facts = ScheduleFacts {
                    edits,
                    dropped: false,
                    anchor: made.unwrap_or(now),
                    minutes,
                    drills: !errand.body["drill_every"].is_null(),
                    fires: vec![(now, Fires::Yes)],
                };
                ledger.schedules.insert(reply.id(), facts);
            }
            Then::RulesEdited(id) => {
                let edits = ledger.schedules.get_mut(&id).map(|facts| &mut facts.edits);
                let edit = edits.into_iter().flatten().find(|edit| edit.sent == errand.sent);
                if let Some(edit) = edit {
                    edit.acked = Some(now);
                }
            }
            Then::Enabled(id, on) => {
                let fires = if on { Fires::Yes } else { Fires::No };
                if let Some(facts) = ledger.schedules.get_mut(&id) {
                    facts.fires.push((now, fires));
                }
            }
            Then::HoldPlaced(set, hold) => ledger.wishes(&set).hold = hold,
            Then::Restoring(set) => {
                ledger.restores.insert(reply.id(), (set, now));
            }
            Then::Adopted(schedule) => {
                for one in reply.body["adopted"].as_array().into_iter().flatten() {
                    ledger.adopted(one, schedule.as_deref(), &Shown::of(&snapshots));
                }
            }
            Then::Approved => ledger.approved = Some(now),
            Then::HoldRemoved(set) => ledger.wishes(&set).hold = Hold::Free,
            Then::Rescued(set) => {
                let wishes = ledger.wishes(&set);
                (wishes.named, wishes.goes) = (None, None);
            }
            Then::Taken { expires } => ledger.wishes(&reply.id()).expires = expires,
        }
    }

    fn refused(&mut self, errand: &Errand) {
        // What was asked more than once may have been done before it was refused.
        if errand.tries > 0 {
            return;
        }
        let mut ledger = held(&self.ledger);
        match &errand.then {
            Then::RulesEdited(id) => {
                if let Some(facts) = ledger.schedules.get_mut(id) {
                    facts.edits.retain(|edit| edit.sent != errand.sent);
                }
            }
            Then::Expiring(set, before) => ledger.wishes(set).expires = *before,
            Then::Deleted(set, before) => ledger.wishes(set).named = *before,
            _ => {}
        }
    }
}
