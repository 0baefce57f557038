//! What must have become of restores.

use jiff::{SignedDuration, Timestamp};

use super::calm::{Judgement, instant};
use crate::ledger::Ledger;

/// How long a restore may take that no fault holds up: a step gives up after two hours.
const OVER_AFTER: SignedDuration = SignedDuration::from_mins(180);

/// No restore goes on for ever, and a drill that is over leaves nothing.
pub(crate) fn judge_restores(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, volumes, since, now, .. } = *judgement;
    for one in &books.restores {
        let id = one["id"].as_str().unwrap_or_default();
        let status = one["status"].as_str().unwrap_or_default();
        let begun: Timestamp = instant(&one["created_at"]).unwrap_or(since).max(since);
        let is_open = ["requested", "running", "cancelling"].contains(&status);
        if is_open && now.duration_since(begun) > OVER_AFTER {
            let text = format!("{id} is {status} since {}", one["created_at"]);
            ledger.violated(now, "stuck-restore", text);
        }
        let is_over = ["done", "cancelled"].contains(&status);
        let is_drill = one["mode"]["type"] == "drill";
        let left = volumes.iter().find(|volume| {
            let is_its = volume.tags.get("snapkeep:restore").is_some_and(|of| of == id);
            is_its && !ledger.written.contains_key(&volume.id) && volume.attachment.is_none()
        });
        if let Some(volume) = left.filter(|_| is_over && is_drill) {
            let text = format!("the drill {id} is {status}, and {} is still there", volume.id);
            ledger.violated(now, "drill-left", text);
        }
    }
}
