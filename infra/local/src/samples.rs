//! The instances of a first start: enough kinds to try everything on.

use sim_ec2::{InstanceSpec, InstanceState, RootDevice, SeedVolume, SimEc2};

/// Puts the sample instances into an empty simulation; comes back with their ids.
pub fn add(simulation: &SimEc2) -> Vec<String> {
    specs().into_iter().map(|spec| simulation.add_instance(spec)).collect()
}

fn specs() -> Vec<InstanceSpec> {
    let production = |name| InstanceSpec::named(name).tag("Environment", "production");
    let test = |name| InstanceSpec::named(name).tag("Environment", "test");
    vec![
        production("web-1").tag("Backup", "daily").instance_type("t3.micro"),
        production("web-2").tag("Backup", "daily").instance_type("t3.micro"),
        production("database")
            .tag("Backup", "daily")
            .instance_type("r5.xlarge")
            .volume(SeedVolume::new("/dev/sdf", 200).tag("Content", "tables"))
            .volume(SeedVolume::new("/dev/sdg", 50).volume_type("io2").tag("Content", "log")),
        production("render")
            .instance_type("g4dn.xlarge")
            .volume(SeedVolume::new("/dev/sdf", 100).tag("Content", "scenes")),
        test("build")
            .instance_type("m5.large")
            .state(InstanceState::Stopped)
            .volume(SeedVolume::new("/dev/sdf", 40)),
        // Its root is no EBS volume: nothing of it can be taken.
        InstanceSpec {
            root: RootDevice::InstanceStore,
            volumes: Vec::new(),
            ..test("scratch").instance_type("m5d.large")
        },
        test("gone").state(InstanceState::Terminated),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use sim_ec2::{Clock, Config};

    use super::*;

    #[test]
    fn there_are_several_kinds() {
        let simulation = SimEc2::new(Config::default(), Clock::at(Timestamp::UNIX_EPOCH));

        let ids = add(&simulation);

        let instances = simulation.instances();
        let types: BTreeSet<_> = instances.iter().map(|each| &each.instance_type).collect();
        assert_eq!(ids.len(), instances.len());
        assert!(types.len() >= 5);
        assert!(instances.iter().any(|each| each.state == InstanceState::Stopped));
        assert!(instances.iter().any(|each| each.devices.len() == 3));
        assert!(instances.iter().any(|each| each.devices.is_empty()));
    }
}
