//! What people do to instances and volumes in EC2, also while a restore works on them.

use sim_ec2::{Instance, Volume, VolumeState};

use crate::plan::What;
use crate::world::{HOME, World};

impl World {
    /// What somebody does to an instance.
    pub(crate) fn at_a_machine(&mut self, what: &What) {
        match what {
            What::Stop(nth) => self.ask_of_instance(*nth, "StopInstances"),
            What::Start(nth) => self.ask_of_instance(*nth, "StartInstances"),
            What::Detach(nth, volume) => self.detach(*nth, *volume),
            What::Attach(nth, volume) => self.attach(*nth, *volume),
            _ => {}
        }
    }

    fn machine(&self, nth: usize) -> Option<Instance> {
        self.ec2.instance(&self.instances[nth % self.instances.len()])
    }

    fn ask_of_instance(&mut self, nth: usize, action: &str) {
        if let Some(Instance { id, region, .. }) = self.machine(nth) {
            self.ec2_call(&region, &format!("{action}&InstanceId.1={id}"));
        }
    }

    fn detach(&mut self, nth: usize, volume: usize) {
        let Some(Instance { id, region, .. }) = self.machine(nth) else { return };
        let mut volumes = self.ec2.volumes();
        volumes.retain(|one| one.attachment.as_ref().is_some_and(|at| at.instance_id == id));
        if !volumes.is_empty() {
            let volume = &volumes[volume % volumes.len()].id;
            self.ec2_call(&region, &format!("DetachVolume&VolumeId={volume}"));
        }
    }

    /// A volume that is free is put to the instance, be it what a restore has just made; a new one if there is none.
    fn attach(&mut self, nth: usize, volume: usize) {
        let Some(Instance { id, region, zone, devices, root_device, .. }) = self.machine(nth)
        else {
            return;
        };
        let mut volumes = self.ec2.volumes();
        volumes.retain(|one| one.zone == zone && one.state == VolumeState::Available);
        if volumes.is_empty() {
            self.ec2_call(&region, &format!("CreateVolume&AvailabilityZone={zone}&Size=8"));
            return;
        }
        let Volume { id: volume, .. } = &volumes[volume % volumes.len()];
        let names = ["/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd", "/dev/sde", "/dev/sdf"];
        let is_free = |name: &str| devices.iter().all(|one| one.name != name);
        // The place of what is missing, the root first: so people finish by hand what has stopped half way.
        let wanted = std::iter::once(root_device.as_str()).chain(names).find(|name| is_free(name));
        if let Some(device) = wanted {
            let call = format!("AttachVolume&VolumeId={volume}&InstanceId={id}&Device={device}");
            self.ec2_call(&region, &call);
        }
    }

    /// The region of an instance, or ours.
    pub(crate) fn region_of(&self, id: &str) -> String {
        self.ec2.instance(id).map_or(HOME.to_owned(), |one| one.region)
    }
}
