//! A second installation in the same account: the same functions over the same EC2, with a table and a bus of its own. It
//! has one schedule, of whatever bears the tag, and is out in the same weather.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use local::dispatch::{Delivery, Outcome};
use local::endpoints::events::LocalBus;
use local::function::Function;
use local::template::BusKind;
use serde_json::{Value, json};
use shared::Service;
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{SimEc2, Snapshot, Tags};

use crate::crew::Ending;
use crate::ledger::Ledger;
use crate::people::Errand;
use crate::world::{Done, Kind, World, outcome_of};

/// Whose everything is.
pub(crate) const INSTALLATION: &str = "another";

/// What it has to itself.
#[derive(Debug)]
pub(crate) struct Another {
    pub(crate) database: SimDynamoDb,
    pub(crate) bus: LocalBus,
    pub(crate) services: BTreeMap<Function, Service>,
    pub(crate) api: axum::Router,
}

impl Another {
    /// What is due there, `events` of EC2 having happened.
    fn due(&self, events: &[Value], now: Timestamp) -> Vec<Delivery> {
        let mut dispatch = self.bus.dispatch();
        for event in events {
            dispatch.put_event(BusKind::Default, event, now);
        }
        dispatch.due(now)
    }
}

impl World {
    /// Has the other installation, if there is one, look after what bears the tag.
    pub(crate) fn found_another(&mut self) {
        let Some(another) = &self.another else { return };
        let (api, table) = (another.api.clone(), another.services[&Function::Api].table.clone());
        _ = self.runtime.block_on(table.create()).unwrap();
        let body = json!({
            "name": "of another", "expression": "rate(30 minutes)",
            "targets": { "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } },
            "retention": { "keep_last": 2 }, "grace_minutes": 10,
        });
        let made = self.ask_of(api, &Errand::plain("POST", "/v1/schedules", body));
        assert_eq!(made.status, 201, "{}", made.body);
    }

    /// Calls the other installation's functions for what is due there.
    pub(crate) fn deliver_to_another(&mut self, events: &[Value]) {
        let now = self.now();
        let Some(another) = &self.another else { return };
        let (database, bus) = (another.database.clone(), another.bus.clone());
        for delivery in another.due(events, now) {
            let Delivery { id, function, payload } = &delivery;
            let Some(service) = self.another.as_ref().map(|one| one.services[function].clone())
            else {
                return;
            };
            if *function == Function::Scheduler && !self.is_tick_made(&database) {
                bus.dispatch().settle(*id, &outcome_of(Ending::Killed), now);
                continue;
            }
            let (late, polls) = self.hazards();
            let limits = self.limits(*function, late, polls);
            self.call((Kind::Another(*function, *id), service), *function, payload, (late, limits));
        }
    }

    /// Takes note of how a call of the other installation's ended.
    pub(crate) fn ended_there(&mut self, function: Function, id: u64, ending: Ending<Done>) {
        let (outcome, now) = (outcome_of(ending), self.now());
        if let Outcome::Failed(text) = &outcome {
            self.note(format!("    the other installation's {function} failed: {text}"));
        }
        if let Some(another) = &self.another {
            another.bus.dispatch().settle(id, &outcome, now);
        }
    }
}

/// Judges what a call of the other installation did to EBS snapshots: what is not its own is neither deleted nor gets or
/// loses a tag. Takes note of what it made.
pub(crate) fn judge_another(
    ledger: &mut Ledger,
    ec2: &SimEc2,
    (action, before): (&str, &[Snapshot]),
    now: Timestamp,
) {
    let after: BTreeMap<String, Tags> =
        ec2.snapshots().into_iter().map(|one| (one.id, one.tags)).collect();
    let known: BTreeSet<&str> = before.iter().map(|one| one.id.as_str()).collect();
    let is_its =
        |ledger: &Ledger, id: &str| ledger.others.contains_key(id) || ledger.adopting.contains(id);
    for one in before {
        let is_ours = ledger.of_member.contains_key(&one.id);
        match after.get(&one.id) {
            None if !is_its(ledger, &one.id) => {
                let text = format!("the other installation deleted {} by {action}", one.id);
                ledger.violated(now, "not-ours", text);
            }
            Some(tags) if *tags != one.tags && is_ours && !is_its(ledger, &one.id) => {
                let text = format!("the other installation changed the tags of {}, ours", one.id);
                ledger.violated(now, "others-tags", text);
            }
            None | Some(_) => {}
        }
    }
    ledger.others.retain(|id, _| after.contains_key(id));
    for (id, tags) in after {
        let is_new = !known.contains(id.as_str());
        if is_new || ledger.others.contains_key(&id) {
            ledger.others.insert(id, tags);
        }
    }
}
