//! What others do in the account behind our back.

use std::collections::BTreeSet;

use crate::ledger::{Ledger, Shown};
use crate::plan::{Among, Choice, Part, What};
use crate::weather::Storm;
use crate::wire::held;
use crate::world::{ABROAD, HOME, World};
use sim_ec2::{EventFault, Fault};

/// Which group a choice is of, by its place in the ledger.
pub(crate) fn choose(ledger: &Ledger, shown: &Shown<'_>, choice: Choice) -> Option<usize> {
    let mut among = ledger.living(shown);
    among.sort_by_key(|at| (ledger.groups[*at].begun, *at));
    let is_marked = |at: &usize| {
        ledger.groups[*at].members.iter().any(|(id, _)| {
            shown.0.get(id.as_str()).is_some_and(|one| one.tags.contains_key("snapkeep:state"))
        })
    };
    match choice.among {
        Among::Newest => among.reverse(),
        Among::Condemned => among.retain(is_marked),
        Among::Oldest | Among::All => {}
    }
    let nth = if choice.among == Among::All { choice.nth * 7 } else { choice.nth };
    (!among.is_empty()).then(|| among[nth % among.len()])
}

impl World {
    /// What an outsider does.
    #[expect(clippy::too_many_lines, reason = "an act an arm")]
    pub(crate) fn by_outsider(&mut self, what: &What) {
        match what {
            What::Lose(choice, part) => {
                for (id, _) in self.members(*choice, *part) {
                    self.lose(&id);
                }
            }
            What::LoseAllNewest(count) => {
                for _ in 0..*count {
                    let choice = Choice { among: Among::Newest, nth: 0 };
                    for (id, _) in self.members(choice, Part::Whole) {
                        self.lose(&id);
                    }
                }
            }
            What::Lock(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    let call =
                        format!("LockSnapshot&SnapshotId={id}&LockMode=governance&LockDuration=30");
                    if self.ec2_call(&region, &call) {
                        self.in_the_way(&id);
                    }
                }
            }
            What::Unlock(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    if self.ec2_call(&region, &format!("UnlockSnapshot&SnapshotId={id}")) {
                        self.out_of_the_way(&id);
                    }
                }
            }
            What::Unarchive(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    let call = format!("RestoreSnapshotTier&SnapshotId={id}&PermanentRestore=true");
                    self.ec2_call(&region, &call);
                }
            }
            What::Archive(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    if self.ec2_call(
                        &region,
                        &format!("ModifySnapshotTier&SnapshotId={id}&StorageTier=archive"),
                    ) {
                        // It takes an hour to get there.
                        let at = self.hands.now() + jiff::SignedDuration::from_hours(1);
                        held(&self.ledger).lost.insert(id, at);
                    }
                }
            }
            What::FillTags(choice, member) => {
                for (id, _) in self.members(*choice, Part::Member(*member)) {
                    let has = self.ec2.snapshot(&id).map_or(50, |one| one.tags.len());
                    self.note(format!("an outsider fills up the tags of {id}"));
                    for at in has..50 {
                        self.ec2.tag_snapshot(&id, &format!("auto-{at}"), "x");
                    }
                }
            }
            What::StripTags(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    let call =
                        format!("DeleteTags&ResourceId.1={id}&Tag.1.Key=snapkeep:managed-by");
                    if self.ec2_call(&region, &call) {
                        self.in_the_way(&id);
                    }
                }
            }
            What::Register(choice, member) => {
                for (id, region) in self.members(*choice, Part::Member(*member)) {
                    let name = format!("of-{id}-{}", self.errands);
                    let call = format!(
                        "RegisterImage&Name={name}&RootDeviceName=/dev/sda&BlockDeviceMapping.1.DeviceName=/dev/sda\
                         &BlockDeviceMapping.1.Ebs.SnapshotId={id}"
                    );
                    self.errands += 1;
                    if self.ec2_call(&region, &call) {
                        held(&self.ledger).imaged.insert(id.clone());
                        self.in_the_way(&id);
                    }
                }
            }
            _ => self.by_another(what),
        }
    }

    fn by_another(&mut self, what: &What) {
        match what {
            What::Deregister => {
                let images = self.ec2.images();
                let Some(image) = images.first() else { return };
                if self.ec2_call(&image.region, &format!("DeregisterImage&ImageId={}", image.id)) {
                    let mut ledger = held(&self.ledger);
                    for device in &image.devices {
                        ledger.obstacles.remove(&device.snapshot_id);
                        ledger.imaged.remove(&device.snapshot_id);
                    }
                }
            }
            What::Retag(nth) => {
                let id = self.instances[nth % self.instances.len()].clone();
                let has = self.ec2.instance(&id).is_some_and(|one| {
                    one.tags.get("Backup").is_some_and(|value| value == "daily")
                });
                let value = if has { "Daily" } else { "daily" };
                self.note(format!("an outsider tags {id} Backup={value}"));
                self.ec2.tag_instance(&id, "Backup", value);
            }
            What::TakeElsewhere(nth) => {
                let id = self.instances[nth % self.instances.len()].clone();
                let call = format!("CreateSnapshots&InstanceSpecification.InstanceId={id}");
                self.ec2_call(&self.region_of(&id), &call);
            }
            What::TakeAsAnother(nth, is_marked) => self.take_as_another(*nth, *is_marked),
            What::Terminate(nth) => {
                if let Some(id) = self.instances.get(*nth).cloned() {
                    let region = self.region_of(&id);
                    self.ec2_call(&region, &format!("TerminateInstances&InstanceId.1={id}"));
                }
            }
            _ => {}
        }
    }

    /// What the weather does.
    pub(crate) fn by_weather(&mut self, what: &What) {
        self.note(format!("the weather: {what:?}"));
        match what {
            What::Storm(storm) => held(&self.weather).storm = *storm,
            What::RegionOut => {
                let region = if self.rng.chance(500) { HOME } else { ABROAD };
                held(&self.weather).regions_out.insert(region.to_owned());
            }
            What::RegionBack => held(&self.weather).regions_out.clear(),
            What::BusOut => held(&self.weather).bus_out = true,
            What::BusBack => held(&self.weather).bus_out = false,
            What::Deny(action) => {
                self.ec2.deny(action);
                self.denied.push(action);
            }
            What::Allow => self.allow_all(),
            What::LoseEvents(count) => self.ec2.event_fault(EventFault::lost().times(*count)),
            What::MemberFails => self.ec2.fault(Fault::on("CreateSnapshots").member_fails()),
            What::Standstill(hours) => self.stand_still(jiff::SignedDuration::from_hours(*hours)),
            What::Skew(minutes) => {
                *held(&self.skew) = jiff::SignedDuration::from_mins(*minutes);
            }
            _ => {}
        }
    }

    /// Fine weather from now on.
    pub(crate) fn calm_down(&mut self) {
        self.note("the weather is fine from now on");
        {
            let mut weather = held(&self.weather);
            weather.storm = Storm::Calm;
            weather.regions_out.clear();
            weather.bus_out = false;
        }
        self.allow_all();
        self.ec2.forget_faults();
        *held(&self.skew) = jiff::SignedDuration::ZERO;
        self.is_kind = true;
    }

    fn allow_all(&mut self) {
        for action in self.denied.drain(..) {
            self.ec2.allow(action);
        }
    }

    /// The members of what is chosen that EC2 has, with their region.
    fn members(&self, choice: Choice, part: Part) -> Vec<(String, String)> {
        let snapshots = self.ec2.snapshots();
        let shown = Shown::of(&snapshots);
        let ledger = held(&self.ledger);
        let Some(at) = choose(&ledger, &shown, choice) else { return Vec::new() };
        let group = &ledger.groups[at];
        let there = group.members.iter().filter(|(id, _)| shown.0.contains_key(id.as_str()));
        let mut there: Vec<_> = there.map(|(id, _)| (id.clone(), group.region.clone())).collect();
        match part {
            Part::Whole => there,
            Part::Member(nth) => vec![there.swap_remove(nth % there.len())],
        }
    }

    fn lose(&mut self, id: &str) {
        self.note(format!("an outsider deletes {id}"));
        self.ec2.remove_snapshot(id);
        held(&self.ledger).lost.insert(id.to_owned(), self.hands.now());
    }

    /// Another installation's set, which bears tags like ours but for whose it is.
    #[expect(clippy::fn_params_excessive_bools, reason = "as the plan draws it")]
    fn take_as_another(&mut self, nth: usize, is_marked: bool) {
        let id = self.instances[nth % self.instances.len()].clone();
        let before: BTreeSet<_> = self.ec2.snapshots().into_iter().map(|one| one.id).collect();
        self.errands += 1;
        let set = format!("snp_0195500c-6d00-7000-8000-{:012x}", self.errands);
        let mut tags = vec![
            ("snapkeep:managed-by", "snapkeep".to_owned()),
            ("snapkeep:installation", "another".to_owned()),
            ("snapkeep:id", set),
            ("snapkeep:instance", id.clone()),
        ];
        if is_marked {
            tags.push(("snapkeep:state", "condemned".to_owned()));
        }
        let mut call = format!(
            "CreateSnapshots&InstanceSpecification.InstanceId={id}&TagSpecification.1.ResourceType=snapshot"
        );
        for (at, (key, value)) in tags.iter().enumerate() {
            let at = at + 1;
            let tag = format!("&TagSpecification.1.Tag.{at}");
            call.extend([&*tag, ".Key=", key, &*tag, ".Value=", value]);
        }
        self.ec2_call(&self.region_of(&id), &call);
        let now = self.ec2.snapshots();
        let new = now.into_iter().filter(|one| !before.contains(&one.id));
        held(&self.ledger).others.extend(new.map(|one| (one.id, one.tags)));
    }

    fn out_of_the_way(&mut self, id: &str) {
        held(&self.ledger).obstacles.remove(id);
    }

    fn in_the_way(&mut self, id: &str) {
        held(&self.ledger).obstacles.entry(id.to_owned()).or_insert(self.hands.now());
    }

    /// A call of EC2 by an outsider; whether it succeeded.
    pub(crate) fn ec2_call(&mut self, region: &str, call: &str) -> bool {
        let body = format!("Action={call}&Version=2016-11-15");
        let answer = self.ec2.answer(region, body.as_bytes());
        self.note(format!("an outsider: {call} answered {}", answer.status));
        answer.status == 200
    }
}
