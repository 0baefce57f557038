//! What proves the oracle: a world that lies to the product in one way, so that a promise is broken, and which invariant
//! must notice. The product's code stays as it is.

mod of_ec2;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

pub(crate) use of_ec2::Told;

/// A way in which the world lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lie {
    /// DynamoDB heeds no condition of a write.
    Unconditional,
    /// Holds are not stored.
    HoldsForgotten,
    /// That a restore uses a snapshot is not stored.
    RestoresForgotten,
    /// `keep_last` is stored as 1.
    RulesShrunk,
    /// That a snapshot is deleted is not put into the audit.
    AuditDropped,
    /// Numbers are not added to.
    NumbersDropped,
    /// EC2 says that it has deleted every other member, and has not.
    DeletionsDropped,
    /// Nobody is told to sweep.
    SweepsDropped,
    /// Messages that snapshots are wanted are not delivered.
    RequestsDropped,
    /// Messages that a deletion is due are not delivered.
    DueDeletionsDropped,
    /// Nobody is told that a restore is to go on.
    RestoresDropped,
    /// The tracker fails at each message.
    TrackerFails,
    /// The reaper panics.
    ReaperPanics,
    /// The brake is set to let everything through.
    BrakeOff,
    /// Snapshots without a schedule are stored with an end that nobody wanted.
    ManualsExpire,
    /// What is published is not taken out of the outbox.
    OutboxKept,
    /// That a run found nothing is stored as a success.
    EmptyRunsDone,
    /// A run is stored with one success more.
    RunsMiscounted,
    /// Every other run is only said to be stored.
    RunsDropped,
    /// When the drills of a schedule are looked at is not stored.
    DrillsForgotten,
    /// The other installation is told that it is ours.
    OneInstallation,
    /// EC2 deletes the newest set's member in place of the one it was asked to.
    NewestDeleted,
    /// EC2 deletes a snapshot of somebody else's in place of the one it was asked to.
    ForeignDeleted,
    /// EC2 shows no lock.
    LocksHidden,
    /// EC2 makes the newest set of another instance twice, and shows the second as somebody else's.
    TwinsMade,
    /// EC2 puts our tags to another installation's snapshots too.
    OthersTagged,
    /// EC2 says that it has deleted a volume, and has not.
    VolumesKept,
    /// The same, and EC2 shows it no more to whoever asks for it.
    VolumesHidden,
    /// EC2 deletes another volume that is free in place of the one it was asked to.
    VolumesMistaken,
}

impl Lie {
    /// The invariants of which one must notice.
    pub(crate) fn noticed_by(self) -> &'static [&'static str] {
        match self {
            Self::Unconditional => &["held", "audit", "numbers", "in-restore"],
            Self::HoldsForgotten => &["held"],
            Self::RestoresForgotten => &["in-restore"],
            Self::RulesShrunk => &["rules-keep-it"],
            Self::AuditDropped => &["audit"],
            Self::NumbersDropped => &["numbers"],
            Self::DeletionsDropped => &["left-in-part"],
            Self::SweepsDropped => &["no-sweep"],
            Self::RequestsDropped => &["stuck-run", "stuck-snapshot"],
            Self::DueDeletionsDropped => &["stuck-snapshot"],
            Self::RestoresDropped | Self::VolumesKept => &["stuck-restore"],
            Self::TrackerFails => &["given-up"],
            Self::ReaperPanics => &["panicked"],
            Self::BrakeOff => &["brake"],
            Self::ManualsExpire => &["asked-by-nobody"],
            Self::OutboxKept => &["untold"],
            Self::EmptyRunsDone => &["slot-without-target"],
            Self::RunsMiscounted => &["slot-miscounted"],
            Self::RunsDropped => &["slot-missing"],
            Self::DrillsForgotten => &["drill-missing"],
            Self::OneInstallation => &["not-ours", "others-tags"],
            Self::NewestDeleted => &["newest", "newest-of-volume"],
            Self::ForeignDeleted => &["not-ours"],
            Self::LocksHidden => &["torn"],
            Self::TwinsMade => &["twice"],
            Self::OthersTagged => &["others-tags"],
            Self::VolumesHidden => &["drill-left"],
            Self::VolumesMistaken => &["written-volume", "not-our-volume"],
        }
    }

    /// What becomes of a call of DynamoDB; nothing if it is only said to have been made.
    pub(crate) fn told_to_dynamodb(self, target: &str, body: &[u8]) -> Option<Vec<u8>> {
        let action = target.rsplit('.').next().unwrap_or_default();
        if self == Self::NumbersDropped && action == "UpdateItem" {
            return None;
        }
        if self == Self::OutboxKept && action == "DeleteItem" && is_of_outbox(body) {
            return None;
        }
        if !["PutItem", "TransactWriteItems"].contains(&action) {
            return Some(body.to_vec());
        }
        let Ok(mut request) = serde_json::from_slice::<Value>(body) else {
            return Some(body.to_vec());
        };
        if action == "PutItem" {
            if self == Self::RunsDropped && is_every_other_run(&request["Item"]) {
                return None;
            }
            self.about_put(&mut request);
        } else if let Some(parts) = request.get_mut("TransactItems").and_then(Value::as_array_mut) {
            parts.retain(|part| !self.is_dropped(part));
            for part in parts.iter_mut() {
                if let Some(put) = part.get_mut("Put") {
                    self.about_put(put);
                }
            }
        }
        Some(request.to_string().into_bytes())
    }

    fn is_dropped(self, part: &Value) -> bool {
        match self {
            Self::Unconditional => part["ConditionCheck"].is_object(),
            Self::AuditDropped => {
                part["Put"]["Item"]["body"]["M"]["action"]["S"] == "snapshot.deleted"
            }
            Self::RunsDropped => is_every_other_run(&part["Put"]["Item"]),
            Self::DrillsForgotten => {
                let sort = part["Put"]["Item"]["sk"]["S"].as_str().unwrap_or_default();
                sort.starts_with("DUE#")
            }
            _ => false,
        }
    }

    fn about_put(self, put: &mut Value) {
        if self == Self::Unconditional
            && let Some(put) = put.as_object_mut()
        {
            put.remove("ConditionExpression");
            put.remove("ExpressionAttributeValues");
        }
        let partition = put["Item"]["pk"]["S"].as_str().unwrap_or_default().to_owned();
        // An index would put what is missing there as null, and DynamoDB refuses that.
        let Some(fields) = put.pointer_mut("/Item/body/M").and_then(Value::as_object_mut) else {
            return;
        };
        let is_run = partition.starts_with("RUNS#");
        match self {
            Self::ManualsExpire if partition.starts_with("SNAPSHOT#") => {
                let is_manual = fields.get("slot").is_none_or(|slot| slot["NULL"] == true);
                let has_none = fields.get("expires_at").is_some_and(|at| at["NULL"] == true);
                if is_manual && has_none {
                    replace(fields, "expires_at", json!({ "S": "2026-03-02T12:00:00Z" }));
                }
            }
            Self::EmptyRunsDone if is_run => {
                let is_empty = fields["targets"]["L"].as_array().is_some_and(Vec::is_empty);
                if is_empty && fields["status"]["S"] == "failed" {
                    replace(fields, "status", json!({ "S": "done" }));
                }
            }
            Self::RunsMiscounted if is_run => {
                let counts = fields.get_mut("counts");
                if let Some(succeeded) = counts.and_then(|one| one.pointer_mut("/M/succeeded/N")) {
                    let count = succeeded.as_str().and_then(|text| text.parse::<u64>().ok());
                    *succeeded = (count.unwrap_or(0) + 1).to_string().into();
                }
            }
            Self::HoldsForgotten => replace(fields, "hold", json!({ "NULL": true })),
            Self::RestoresForgotten => replace(fields, "restores", json!({ "L": [] })),
            Self::RulesShrunk => {
                let rules = fields.get_mut("rules").and_then(|rules| rules["M"].as_object_mut());
                if let Some(rules) = rules {
                    replace(rules, "keep_last", json!({ "N": "1" }));
                }
            }
            _ => {}
        }
    }
}

/// Whether an item is one of about half of all runs, always the same.
fn is_every_other_run(item: &Value) -> bool {
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default();
    let sum: u32 = text("sk").bytes().map(u32::from).sum();
    text("pk").starts_with("RUNS#") && sum % 2 == 1
}

/// Whether a removal is of an event that waits to be published.
fn is_of_outbox(removal: &[u8]) -> bool {
    serde_json::from_slice::<Value>(removal).is_ok_and(|one| one["Key"]["pk"]["S"] == "OUTBOX")
}

fn replace(fields: &mut Map<String, Value>, name: &str, with: Value) {
    if fields.contains_key(name) {
        fields.insert(name.to_owned(), with);
    }
}
