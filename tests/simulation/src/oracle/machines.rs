//! What must hold of volumes, and of what is another installation's.

use jiff::Timestamp;
use sim_ec2::{AttachmentState, InstanceState, SimEc2, Volume};

use crate::ledger::Ledger;

/// A call of EC2 that one of our functions has made.
pub(crate) struct Done<'a> {
    pub(crate) action: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) is_well: bool,
    /// What there was before, where volumes are made.
    pub(crate) volumes_before: &'a [Volume],
}

/// Judges what a call did to volumes and to other installations' tags, and takes note of what it made.
pub(crate) fn judge_machines(ledger: &mut Ledger, ec2: &SimEc2, done: &Done<'_>, now: Timestamp) {
    let Done { action, body, is_well, volumes_before } = *done;
    if !is_well {
        return;
    }
    match action {
        "CreateVolume" => {
            let new = ec2.volumes().into_iter().map(|one| one.id);
            let new = new.filter(|id| volumes_before.iter().all(|one| one.id != *id));
            ledger.our_volumes.extend(new);
        }
        "DeleteVolume" if !is_tried(body) => judge_volume(ledger, &volume_of(body), now),
        "AttachVolume"
        | "DetachVolume"
        | "StartInstances"
        | "StopInstances"
        | "RunInstances"
        | "CreateReplaceRootVolumeTask" => look(ledger, ec2, now),
        "CreateTags" | "DeleteTags" => judge_tags(ledger, ec2, now),
        _ => {}
    }
}

/// Takes note of the volumes that an instance may write to.
pub(crate) fn look(ledger: &mut Ledger, ec2: &SimEc2, now: Timestamp) {
    let instances = ec2.instances();
    let runs =
        |id: &str| instances.iter().any(|one| one.id == id && one.state == InstanceState::Running);
    for volume in ec2.volumes() {
        let is_written = volume
            .attachment
            .as_ref()
            .is_some_and(|at| at.state == AttachmentState::Attached && runs(&at.instance_id));
        if is_written {
            ledger.written.entry(volume.id).or_insert(now);
        }
    }
}

fn is_tried(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("DryRun=true")
}

fn volume_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let id = text.split('&').find_map(|one| one.strip_prefix("VolumeId="));
    id.unwrap_or_default().to_owned()
}

/// Only what a restore has made is deleted, and never what an instance may have written to.
fn judge_volume(ledger: &mut Ledger, id: &str, now: Timestamp) {
    let who = ledger.actor.clone();
    ledger.note(now, format!("{who} deleted the volume {id}"));
    if !ledger.our_volumes.contains(id) {
        let text = format!("{who} deleted the volume {id}, which none of ours has made");
        return ledger.violated(now, "not-our-volume", text);
    }
    if let Some(since) = ledger.written.get(id).copied()
        && !ledger.is_news(since)
    {
        let text = format!("{who} deleted the volume {id}, which an instance has since {since}");
        ledger.violated(now, "written-volume", text);
    }
}

/// What bears another installation's tags keeps them as they are.
fn judge_tags(ledger: &mut Ledger, ec2: &SimEc2, now: Timestamp) {
    let changed = ledger.others.iter().find_map(|(id, tags)| {
        let shown = ec2.snapshot(id)?;
        (shown.tags != *tags).then(|| id.clone())
    });
    if let Some(id) = changed {
        let text = format!("{} changed the tags of {id}, another installation's", ledger.actor);
        ledger.violated(now, "others-tags", text);
    }
}
