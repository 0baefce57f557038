//! What a test does without a call: seeds, faults, counters, and looks inside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    actions::ActionContext,
    clock::later,
    event_queue::EventFault,
    faults::Fault,
    iam::{Policy, Right},
    seed::{self, InstanceSpec},
    sim::{Role, SimEc2},
    state::{
        Region,
        image::Image,
        instance::{Device, Instance, InstanceState, StateReason},
        recycle_bin::{Recycled, RetentionRule},
        root_replacement::RootReplacement,
        snapshot::Snapshot,
        volume::{Attachment, AttachmentState, Volume},
    },
};

impl SimEc2 {
    /// Puts an instance there without a call, visible at once; comes back with its id.
    pub fn add_instance(&self, spec: InstanceSpec) -> String {
        let region = spec.region.clone().unwrap_or_else(|| self.config().region.clone());
        self.put(&region, |context| seed::add(context, spec))
    }

    /// Puts an instance into a state behind everybody's back: without a call, an event, or a lag.
    pub fn set_instance_state(&self, id: &str, to: InstanceState) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.instances.note(id, |instance| instance.state = to);
        }
    }

    /// Gives the state of an instance this reason, behind everybody's back.
    pub fn set_state_reason(&self, id: &str, reason: &StateReason) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.instances.note(id, |instance| instance.state_reason = Some(reason.clone()));
        }
    }

    /// From now on no instance takes this volume, as where its product code does not fit.
    pub fn refuse_attachment(&self, volume_id: &str) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.volumes.note(volume_id, |volume| volume.is_refused = true);
        }
    }

    /// Attaches a volume to a further instance without a call, as Multi-Attach lets it be.
    pub fn share_volume(&self, volume_id: &str, instance_id: &str, device: &str) {
        let mut state = self.settled();
        state.revision += 1;
        let place = Attachment {
            instance_id: instance_id.to_owned(),
            device: device.to_owned(),
            state: AttachmentState::Attached,
            attached_at: self.clock().now(),
            delete_on_termination: false,
        };
        let taken = Device { name: device.to_owned(), volume_id: volume_id.to_owned() };
        for region in state.world.regions.values_mut() {
            region.volumes.note(volume_id, |volume| {
                volume.multi_attach = true;
                volume.further.push(place.clone());
            });
            region.instances.note(instance_id, |instance| instance.devices.push(taken.clone()));
        }
    }

    /// Puts a tag on an instance behind everybody's back, as EC2 Auto Scaling does.
    pub fn tag_instance(&self, id: &str, key: &str, value: &str) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.instances.note(id, |instance| {
                instance.tags.insert(key.to_owned(), value.to_owned());
            });
        }
    }

    /// Takes a snapshot away behind everybody's back: without a call, an event, or a lag.
    pub fn remove_snapshot(&self, id: &str) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.snapshots.forget(id);
        }
    }

    /// Puts a snapshot like this one beside it under another id, with these tags as well, as if it had been there long ago,
    /// begun so much earlier. Nothing happens if there is none of this id.
    pub fn repeat_snapshot(
        &self,
        (region, id): (&str, &str),
        (repeated, earlier): (&str, SignedDuration),
        tags: &[(&str, &str)],
    ) {
        self.put(region, |context| {
            let Some(like) = context.region.snapshots.get(id).cloned() else { return };
            let mut snapshot = Snapshot {
                id: repeated.to_owned(),
                started_at: later(like.started_at, -earlier),
                completes_at: later(like.completes_at, -earlier),
                ..like
            };
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            snapshot.tags.extend(tags);
            context.region.snapshots.insert(repeated, snapshot, context.moment);
        });
    }

    /// Puts a tag on a snapshot behind everybody's back, as AWS's own services do with theirs.
    pub fn tag_snapshot(&self, id: &str, key: &str, value: &str) {
        let mut state = self.settled();
        state.revision += 1;
        for region in state.world.regions.values_mut() {
            region.snapshots.note(id, |snapshot| {
                snapshot.tags.insert(key.to_owned(), value.to_owned());
            });
        }
    }

    /// Keeps snapshots of the Region that are deleted from now on in the Recycle Bin, where the
    /// rule says so.
    pub fn add_retention_rule(&self, region: &str, rule: RetentionRule) {
        self.put(region, |context| context.region.recycle_bin.rules.push(rule));
    }

    /// Puts a subnet into the zone; comes back with its id.
    pub fn add_subnet(&self, region: &str, zone: &str) -> String {
        self.put(region, |context| {
            let id = context.mint.id(context.config.seed, "subnet-");
            context.region.network.subnets.insert(id.clone(), zone.to_owned());
            id
        })
    }

    /// Puts a security group there; comes back with its id.
    pub fn add_security_group(&self, region: &str, name: &str) -> String {
        self.put(region, |context| {
            let id = context.mint.id(context.config.seed, "sg-");
            context.region.network.groups.insert(id.clone(), name.to_owned());
            id
        })
    }

    /// Puts a key pair there.
    pub fn add_key_pair(&self, region: &str, name: &str) {
        self.put(region, |context| context.region.network.keys.insert(name.to_owned()));
    }

    /// Takes away a subnet, a security group or a key pair that was put there; instances keep it.
    pub fn remove_from_network(&self, region: &str, id: &str) {
        self.put(region, |context| {
            context.region.network.subnets.remove(id);
            context.region.network.groups.remove(id);
            context.region.network.keys.remove(id);
        });
    }

    fn put<T>(&self, region: &str, act: impl FnOnce(&mut ActionContext<'_>) -> T) -> T {
        let mut state = self.settled();
        state.revision += 1;
        self.act(&mut state.world, region, act)
    }

    /// From now on whoever signs with this access key may do what the policy allows, and no more.
    pub fn permit(&self, access_key: &str, policy: Policy) {
        let role = Role { policy, ..Role::default() };
        self.lock().roles.insert(access_key.to_owned(), role);
    }

    /// From now on nobody who signs may do more than the organization's service control policy allows
    /// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>).
    pub fn organize(&self, policy: Policy) {
        self.lock().organization = Some(policy);
    }

    /// The rights that calls with this access key have made use of.
    pub fn rights_used(&self, access_key: &str) -> BTreeSet<Right> {
        self.lock().roles.get(access_key).map(|role| role.used.clone()).unwrap_or_default()
    }

    /// From now on nobody is allowed to call the action, a dry run included.
    pub fn deny(&self, action: &str) {
        self.lock().denied.insert(action.to_owned());
    }

    /// Takes back what [`SimEc2::deny`] said.
    pub fn allow(&self, action: &str) {
        self.lock().denied.remove(action);
    }

    /// The events that are due and that nobody has taken yet, as EventBridge delivers them.
    pub fn take_events(&self) -> Vec<Value> {
        let mut state = self.settled();
        if state.world.events.is_empty() {
            return Vec::new();
        }
        let taken = state.world.events.take(self.clock().now());
        if !taken.is_empty() {
            state.revision += 1;
        }
        taken
    }

    /// Something that is to go wrong with calls.
    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Nothing goes wrong with calls any more.
    pub fn forget_faults(&self) {
        self.lock().faults.clear();
    }

    /// Something that is to go wrong with events.
    pub fn event_fault(&self, fault: EventFault) {
        self.lock().event_faults.push(fault);
    }

    /// How often each action was called, throttled calls and faults among them.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// Begins to count from nothing, the throttled ones as well.
    pub fn reset_calls(&self) {
        let mut state = self.lock();
        state.calls.clear();
        state.throttled.clear();
    }

    /// How often each action was throttled.
    pub fn throttled(&self) -> BTreeMap<String, u64> {
        self.lock().throttled.clone()
    }

    /// A number that grows whenever something that is stored has changed.
    pub fn revision(&self) -> u64 {
        self.settled().revision
    }

    /// All snapshots in all Regions, as they are now, whatever Describe shows.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.collect(|region| region.snapshots.current().cloned().collect())
    }

    /// The snapshot of this id.
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.settled().world.regions.values().find_map(|region| region.snapshots.get(id).cloned())
    }

    /// All instances in all Regions.
    pub fn instances(&self) -> Vec<Instance> {
        self.collect(|region| region.instances.current().cloned().collect())
    }

    /// The instance of this id.
    pub fn instance(&self, id: &str) -> Option<Instance> {
        self.settled().world.regions.values().find_map(|region| region.instances.get(id).cloned())
    }

    /// All volumes in all Regions.
    pub fn volumes(&self) -> Vec<Volume> {
        self.collect(|region| region.volumes.current().cloned().collect())
    }

    /// The account's images in all Regions, the disabled ones as well.
    pub fn images(&self) -> Vec<Image> {
        let own = |region: &Region| {
            region
                .images
                .current()
                .filter(|image| image.owner == self.config().account)
                .cloned()
                .collect()
        };
        self.collect(own)
    }

    /// The snapshots in the Recycle Bins of all Regions.
    pub fn recycled(&self) -> Vec<Recycled> {
        self.collect(|region| region.recycle_bin.snapshots.values().cloned().collect())
    }

    /// All replacements of root volumes in all Regions, those that have ended as well.
    pub fn root_replacements(&self) -> Vec<RootReplacement> {
        self.collect(|region| region.root_replacements.current().cloned().collect())
    }

    fn collect<T>(&self, of: impl Fn(&Region) -> Vec<T>) -> Vec<T> {
        self.settled().world.regions.values().flat_map(of).collect()
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }
}
