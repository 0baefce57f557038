//! Restores that people ask for, take back and try again.

use serde_json::{Value, json};

use crate::people::Then;
use crate::plan::Restoring;
use crate::wire::held;
use crate::world::World;

impl World {
    /// A person has something made of a set.
    pub(crate) fn restore(&mut self, set: String, restoring: Restoring) {
        let mut body = json!({ "confirm": set, "snapshot_first": self.rng.chance(300) });
        let mode = match restoring {
            Restoring::Drill => {
                let path = format!("/v1/snapshots/{set}/drill");
                return self.post(&path, json!({}), Then::Restoring(set));
            }
            Restoring::NewVolumes => "new_volumes",
            Restoring::Attached(nth) => {
                body["attach_to"] = json!(self.instances[nth % self.instances.len()]);
                "new_volumes"
            }
            Restoring::ReplaceVolumes(stop) => {
                body["stop"] = json!(stop);
                "replace_volumes"
            }
            Restoring::ReplaceRoot => "replace_root",
            Restoring::NewInstance => "new_instance",
        };
        if !mode.starts_with("replace") {
            body["snapshot_first"] = Value::Null;
        }
        body["mode"] = json!(mode);
        self.post(&format!("/v1/snapshots/{set}/restore"), body, Then::Restoring(set));
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "as the plan draws it")]
    pub(crate) fn cancel_restore(&mut self, nth: usize, leave: bool) {
        if let Some(id) = self.restore_of(nth) {
            let path = format!("/v1/restores/{id}/cancel");
            self.post(&path, json!({ "leave": leave }), Then::Nothing);
        }
    }

    pub(crate) fn retry_restore(&mut self, nth: usize) {
        if let Some(id) = self.restore_of(nth) {
            self.post(&format!("/v1/restores/{id}/retry"), Value::Null, Then::Nothing);
        }
    }

    /// One of the last that people were told of.
    fn restore_of(&self, nth: usize) -> Option<String> {
        let ledger = held(&self.ledger);
        let mut ids: Vec<_> = ledger.restores.keys().cloned().collect();
        ids.reverse();
        (!ids.is_empty()).then(|| ids[nth % ids.len()].clone())
    }
}
