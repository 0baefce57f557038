//! The agenda: things that happen by themselves when simulated time passes.

mod root_replacements;
mod tiers;

use jiff::SignedDuration;

use crate::{
    clock::later,
    events::{Ending, INTERNAL, NOT_COPIED},
    shelf::Moment,
    state::{
        Region,
        agenda::Task,
        image::ImageState,
        instance::InstanceState,
        snapshot::{Deletion, Fate, SnapshotState},
        volume::{AttachmentState, VolumeState},
    },
};

/// Terminated instances are listed for an hour.
const TERMINATED_LISTED: SignedDuration = SignedDuration::from_hours(1);

impl Region {
    /// Does everything that is due at `moment`, each thing at its own time; comes back with the
    /// snapshots and sets that ended.
    pub(crate) fn settle(&mut self, moment: Moment) -> Vec<Ending> {
        let mut endings = Vec::new();
        while let Some((due, tasks)) = self.agenda.take_first_due(moment.now) {
            for task in tasks {
                self.carry_out(task, moment.at(due), &mut endings);
            }
        }
        self.instances.sweep(moment.now);
        self.volumes.sweep(moment.now);
        self.snapshots.sweep(moment.now);
        self.images.sweep(moment.now);
        self.root_replacements.sweep(moment.now);
        endings
    }

    fn carry_out(&mut self, task: Task, moment: Moment, endings: &mut Vec<Ending>) {
        match task {
            Task::Instance { id, from, to } => self.instance_arrives(&id, from, to, moment),
            Task::ForgetInstance(id) => {
                self.instances.remove(&id, moment);
            }
            Task::VolumeReady(id) => self.volumes.change(&id, moment, |volume| {
                if volume.state == VolumeState::Creating {
                    volume.state = VolumeState::Available;
                }
            }),
            Task::VolumeVanishes(id) => {
                self.volumes.remove(&id, moment);
            }
            Task::Attachment(id) => self.attachment_arrives(&id, moment),
            Task::Snapshot(id) => self.snapshot_ends(&id, moment, endings),
            Task::Image(id) => self.image_arrives(&id, moment),
            Task::RootReplacement(id) => self.root_replacement_moves(&id, moment),
            Task::RecycleBin(id) => self.recycle_bin.expire(&id, moment.now),
            Task::Tier(id) => self.tier_arrives(&id, moment),
            Task::RestoreExpires(id) => self.restore_expires(&id, moment),
        }
    }

    fn instance_arrives(
        &mut self,
        id: &str,
        from: InstanceState,
        to: InstanceState,
        moment: Moment,
    ) {
        if self.instances.get(id).is_none_or(|instance| instance.state != from) {
            return;
        }
        self.instances.change(id, moment, |instance| {
            instance.state = to;
            if to == InstanceState::Running {
                instance.state_reason = None;
            }
        });
        if to == InstanceState::Terminated {
            self.release_volumes(id, moment);
            let due = later(moment.now, TERMINATED_LISTED);
            self.agenda.plan(due, Task::ForgetInstance(id.to_owned()));
        }
    }

    fn release_volumes(&mut self, instance_id: &str, moment: Moment) {
        let Some(instance) = self.instances.get(instance_id) else { return };
        let ids: Vec<String> =
            instance.devices.iter().map(|device| device.volume_id.clone()).collect();
        self.instances.change(instance_id, moment, |instance| instance.devices.clear());
        for id in ids {
            let goes = self.volumes.get(&id).is_some_and(|volume| {
                volume.further.is_empty()
                    && volume.at(instance_id).is_some_and(|place| place.delete_on_termination)
            });
            if goes {
                self.volumes.remove(&id, moment);
            } else {
                self.volumes.change(&id, moment, |volume| volume.leave(instance_id));
            }
        }
    }

    fn attachment_arrives(&mut self, volume_id: &str, moment: Moment) {
        let Some(volume) = self.volumes.get(volume_id) else { return };
        let places: Vec<_> = volume.attachments().cloned().collect();
        for place in places {
            let instance_id = &place.instance_id;
            match place.state {
                AttachmentState::Attached => {}
                AttachmentState::Attaching => self.volumes.change(volume_id, moment, |volume| {
                    if let Some(place) = volume.at_mut(instance_id) {
                        place.state = AttachmentState::Attached;
                    }
                }),
                AttachmentState::Detaching => {
                    self.volumes.change(volume_id, moment, |volume| volume.leave(instance_id));
                    self.instances.change(instance_id, moment, |instance| {
                        instance.devices.retain(|device| device.volume_id != volume_id);
                    });
                }
            }
        }
    }

    fn image_arrives(&mut self, id: &str, moment: Moment) {
        let Some(image) = self.images.get(id) else { return };
        let failed = image.devices.iter().any(|device| {
            self.snapshots
                .get(&device.snapshot_id)
                .is_some_and(|snapshot| snapshot.state == SnapshotState::Error)
        });
        self.images.change(id, moment, |image| {
            if image.state == ImageState::Pending {
                image.state = if failed { ImageState::Failed } else { ImageState::Available };
            }
        });
    }

    fn snapshot_ends(&mut self, id: &str, moment: Moment, endings: &mut Vec<Ending>) {
        let Some(snapshot) = self.snapshots.get(id).cloned() else {
            return self.member_vanished(id, moment, endings);
        };
        if snapshot.state != SnapshotState::Pending {
            return;
        }
        match (snapshot.fate, snapshot.set.as_deref()) {
            (Fate::Fail, Some(set)) => self.fail_set(set, id, moment, endings),
            (Fate::Fail, None) => {
                self.fail_snapshot(id, moment);
                endings.push(Ending::failed(&snapshot, moment.now));
            }
            (Fate::Complete, Some(set)) => {
                self.complete_snapshot(id, moment);
                self.member_ended(set, moment, endings);
            }
            (Fate::Complete, None) => {
                self.complete_snapshot(id, moment);
                endings.push(Ending::succeeded(&snapshot, moment.now));
            }
        }
    }

    fn complete_snapshot(&mut self, id: &str, moment: Moment) {
        self.snapshots.change(id, moment, |snapshot| snapshot.state = SnapshotState::Completed);
        self.delete_if_doomed(id, moment);
    }

    fn fail_snapshot(&mut self, id: &str, moment: Moment) {
        let Some(snapshot) = self.snapshots.get(id) else { return };
        let volume_id = snapshot.volume_id.clone();
        self.volumes.note(&volume_id, |volume| {
            volume.pending_snapshots.insert(id.to_owned(), None);
        });
        self.snapshots.change(id, moment, |snapshot| {
            snapshot.state = SnapshotState::Error;
            let message = if snapshot.copy_of.is_some() { NOT_COPIED } else { INTERNAL };
            snapshot.state_message = Some(message.to_owned());
        });
        self.delete_if_doomed(id, moment);
    }

    fn delete_if_doomed(&mut self, id: &str, moment: Moment) {
        if let Some(snapshot) = self.snapshots.get(id)
            && snapshot.deletion == Deletion::AtCompletion
        {
            self.remove_snapshot(id, moment);
        }
    }

    /// Takes a snapshot away, into the Recycle Bin when a rule keeps it; one in error is not
    /// kept, and no longer counts against its volume's limit.
    pub(crate) fn remove_snapshot(&mut self, id: &str, moment: Moment) {
        let Some(mut snapshot) = self.snapshots.remove(id, moment) else { return };
        match snapshot.state {
            SnapshotState::Pending => {}
            SnapshotState::Completed => {
                snapshot.deletion = Deletion::None;
                if let Some(exits_at) = self.recycle_bin.keep(snapshot, moment.now) {
                    self.agenda.plan(exits_at, Task::RecycleBin(id.to_owned()));
                }
            }
            SnapshotState::Error => self.volumes.note(&snapshot.volume_id, |volume| {
                volume.pending_snapshots.remove(id);
            }),
        }
    }

    fn member_vanished(&mut self, id: &str, moment: Moment, endings: &mut Vec<Ending>) {
        let set = self
            .sets
            .iter()
            .find(|(_, set)| set.members.iter().any(|(member, _)| member == id))
            .map(|(name, _)| name.clone());
        if let Some(set) = set {
            self.member_ended(&set, moment, endings);
        }
    }

    fn member_ended(&mut self, name: &str, moment: Moment, endings: &mut Vec<Ending>) {
        let Some(set) = self.sets.get_mut(name) else { return };
        set.pending = set.pending.saturating_sub(1);
        if set.pending == 0
            && let Some(set) = self.sets.remove(name)
        {
            endings.push(Ending::of_set(set, None, moment.now));
        }
    }

    fn fail_set(&mut self, name: &str, cause: &str, moment: Moment, endings: &mut Vec<Ending>) {
        let Some(set) = self.sets.remove(name) else { return };
        for (member, _) in &set.members {
            self.fail_snapshot(member, moment);
        }
        endings.push(Ending::of_set(set, Some(cause.to_owned()), moment.now));
    }
}
