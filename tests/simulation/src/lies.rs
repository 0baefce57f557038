//! What proves the oracle: a world that lies to the product in one way, so that a promise is broken, and which invariant
//! must notice. The product's code stays as it is.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

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
        }
    }

    /// What becomes of a call of DynamoDB; nothing if it is only said to have been made.
    pub(crate) fn told_to_dynamodb(self, target: &str, body: &[u8]) -> Option<Vec<u8>> {
        let action = target.rsplit('.').next().unwrap_or_default();
        if self == Self::NumbersDropped && action == "UpdateItem" {
            return None;
        }
        if !["PutItem", "TransactWriteItems"].contains(&action) {
            return Some(body.to_vec());
        }
        let Ok(mut request) = serde_json::from_slice::<Value>(body) else {
            return Some(body.to_vec());
        };
        if action == "PutItem" {
            self.about_put(&mut request);
        } else if let Some(parts) = request["TransactItems"].as_array_mut() {
            parts.retain(|part| !self.is_dropped(part));
            for part in parts.iter_mut() {
                if part["Put"].is_object() {
                    self.about_put(&mut part["Put"]);
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
        let Some(fields) = put["Item"]["body"]["M"].as_object_mut() else { return };
        match self {
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

fn replace(fields: &mut Map<String, Value>, name: &str, with: Value) {
    if fields.contains_key(name) {
        fields.insert(name.to_owned(), with);
    }
}
