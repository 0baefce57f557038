//! People's hands: what somebody does in EC2 beside us, and what EC2 has ever shown attached.

use std::collections::{BTreeMap, BTreeSet};

use super::app::App;

/// Has somebody call EC2, and answers whether EC2 took it.
pub(crate) fn act(app: &App, call: &str) -> bool {
    let body = format!("Action={call}&Version=2016-11-15");
    app.ec2.answer("us-east-1", body.as_bytes()).status == 200
}

/// Has somebody attach a volume.
pub(crate) fn attach(app: &App, volume: &str, instance: &str, device: &str) -> bool {
    act(app, &format!("AttachVolume&VolumeId={volume}&InstanceId={instance}&Device={device}"))
}

/// Has somebody take a volume off whatever it is at.
pub(crate) fn detach(app: &App, volume: &str) -> bool {
    act(app, &format!("DetachVolume&VolumeId={volume}"))
}

/// Has somebody start an instance.
pub(crate) fn start(app: &App, instance: &str) -> bool {
    act(app, &format!("StartInstances&InstanceId.1={instance}"))
}

/// Has somebody stop an instance.
pub(crate) fn stop(app: &App, instance: &str) -> bool {
    act(app, &format!("StopInstances&InstanceId.1={instance}"))
}

/// Has somebody make a volume of 8 GiB where the instances are, and answers its identifier.
pub(crate) fn new_volume(app: &App) -> String {
    let before: BTreeSet<_> = app.ec2.volumes().into_iter().map(|volume| volume.id).collect();
    assert!(act(app, "CreateVolume&AvailabilityZone=us-east-1a&Size=8&VolumeType=gp3"));
    let mut after = app.ec2.volumes().into_iter().map(|volume| volume.id);
    after.find(|id| !before.contains(id)).unwrap()
}

/// What is known of every volume that was ever there.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Those that were attached at a look.
    attached: BTreeMap<String, String>,
    /// Those that EC2 itself takes away with their instance.
    excused: BTreeSet<String>,
}

impl Witness {
    /// Looks at which volumes are attached now.
    pub(crate) fn look(&mut self, app: &App) {
        for volume in app.ec2.volumes() {
            if let Some(at) = volume.attachment {
                self.attached.insert(volume.id, format!("{} of {}", at.device, at.instance_id));
            }
        }
    }

    /// Asks no more for this volume.
    pub(crate) fn excuse(&mut self, volume: &str) {
        self.excused.insert(volume.to_owned());
    }

    /// Which volumes were attached once and are not there any more, and where they were.
    pub(crate) fn lost(&self, app: &App) -> Vec<String> {
        let left: BTreeSet<_> = app.ec2.volumes().into_iter().map(|volume| volume.id).collect();
        let is_lost = |id: &String| !left.contains(id) && !self.excused.contains(id);
        let lost = self.attached.iter().filter(|(id, _)| is_lost(id));
        lost.map(|(id, place)| format!("{id}, which was at {place}")).collect()
    }
}
