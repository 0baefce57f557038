//! The actions, by name.

use std::collections::BTreeMap;

use crate::{
    config::Config,
    errors::Ec2Error,
    ids::{IdKind, Mint},
    request::Params,
    shelf::Moment,
    state::{Region, UsedToken, instance::StateReason, snapshot::Fate},
    xml::Xml,
};

pub(crate) mod attachments;
pub(crate) mod copy_snapshot;
pub(crate) mod create_snapshots;
pub(crate) mod create_volume;
pub(crate) mod describe_networks;
pub(crate) mod describe_snapshots;
pub(crate) mod devices;
pub(crate) mod fast_restores;
pub(crate) mod images;
pub(crate) mod instance_attributes;
pub(crate) mod instance_types;
pub(crate) mod instances;
pub(crate) mod key_pairs;
pub(crate) mod keys;
pub(crate) mod launch_settings;
pub(crate) mod locks;
pub(crate) mod make_images;
pub(crate) mod networks;
pub(crate) mod recycle_bin;
pub(crate) mod regions;
pub(crate) mod replace_root;
pub(crate) mod run_instances;
pub(crate) mod sharing;
pub(crate) mod snapshots;
pub(crate) mod tags;
pub(crate) mod tiers;
pub(crate) mod transitions;
pub(crate) mod volumes;

/// What goes between the response's element and its request id.
pub(crate) type Reply = Result<Xml, Ec2Error>;

/// One action.
pub(crate) type Action = fn(&mut ActionContext<'_>, &Params) -> Reply;

/// Where an action takes place.
pub(crate) struct ActionContext<'a> {
    pub(crate) region: &'a mut Region,
    /// The other places: of other Regions a copy finds its source, of other accounts what they share.
    pub(crate) others: &'a BTreeMap<String, Region>,
    /// The Region's name.
    pub(crate) name: &'a str,
    /// Whose the call is.
    pub(crate) account: &'a str,
    pub(crate) config: &'a Config,
    pub(crate) mint: &'a mut Mint,
    pub(crate) moment: Moment,
    /// What becomes of the snapshots that are begun here.
    pub(crate) fate: Fate,
    /// Why the instances that are started or launched here do not come to run; nothing if they do.
    pub(crate) start: Option<StateReason>,
}

impl<'a> ActionContext<'a> {
    /// Another Region of the same account.
    pub(crate) fn elsewhere(&self, region: &str) -> Option<&'a Region> {
        self.others.get(&place(self.config, self.account, region))
    }

    /// The same Region of the other accounts, each by whose it is.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = (&'a str, &'a Region)> {
        let (config, here) = (self.config, self.name);
        let others = self.others.iter();
        let others = others.map(move |(place, region)| (whose(config, place), region));
        others
            .filter(move |((_, name), _)| *name == here)
            .map(|((account, _), region)| (account, region))
    }
}

/// Where the Region of an account is kept: under its name for the account that the simulation is of.
pub(crate) fn place(config: &Config, account: &str, region: &str) -> String {
    if account == config.account { region.to_owned() } else { format!("{account}/{region}") }
}

/// The account and the Region of a place.
pub(crate) fn whose<'a>(config: &'a Config, place: &'a str) -> (&'a str, &'a str) {
    place.split_once('/').unwrap_or((&config.account, place))
}

impl ActionContext<'_> {
    /// A new id.
    pub(crate) fn new_id(&mut self, kind: IdKind) -> String {
        self.mint.id(self.config.seed, kind.prefix())
    }

    /// An address that nobody has had before.
    pub(crate) fn new_public_ip(&mut self) -> String {
        let id = self.mint.id(self.config.seed, "eipassoc-");
        let number = crate::ids::chance(self.config.seed, &["public address", &id]);
        format!("54.{}.{}.{}", number % 250, number / 250 % 250, 1 + number / 62_500 % 250)
    }

    /// What an earlier call of `action` with the same client token made; a token that came with
    /// another request is refused.
    pub(crate) fn replay(
        &self,
        action: &str,
        params: &Params,
    ) -> Result<Option<Vec<String>>, Ec2Error> {
        let Some(token) = params.get("ClientToken") else { return Ok(None) };
        match self.region.tokens.get(&format!("{action} {token}")) {
            None => Ok(None),
            Some(used) if used.request == params.fingerprint() => Ok(Some(used.ids.clone())),
            Some(_) => Err(Ec2Error::token_reused()),
        }
    }

    /// Remembers what the call of `action` made.
    pub(crate) fn remember(&mut self, action: &str, params: &Params, ids: Vec<String>) {
        if let Some(token) = params.get("ClientToken") {
            let used = UsedToken { request: params.fingerprint(), ids };
            self.region.tokens.insert(format!("{action} {token}"), used);
        }
    }
}

/// The action of this name.
pub(crate) fn find(name: &str) -> Option<Action> {
    Some(match name {
        "RunInstances" => run_instances::run,
        "DescribeInstances" => instances::describe,
        "StartInstances" => transitions::start,
        "StopInstances" => transitions::stop,
        "TerminateInstances" => transitions::terminate,
        "ModifyInstanceAttribute" => instance_attributes::modify,
        "DescribeInstanceTypes" => instance_types::describe,
        "CreateVolume" => create_volume::create,
        "DeleteVolume" => volumes::delete,
        "DescribeVolumes" => volumes::describe,
        "AttachVolume" => attachments::attach,
        "DetachVolume" => attachments::detach,
        "CreateReplaceRootVolumeTask" => replace_root::create,
        "DescribeReplaceRootVolumeTasks" => replace_root::describe,
        "CreateSnapshot" => create_snapshots::create_one,
        "CreateSnapshots" => create_snapshots::create_set,
        "CopySnapshot" => copy_snapshot::copy,
        "DescribeSnapshots" => describe_snapshots::describe,
        "DeleteSnapshot" => snapshots::delete,
        "ListSnapshotsInRecycleBin" => recycle_bin::list,
        "RestoreSnapshotFromRecycleBin" => recycle_bin::restore,
        "ModifySnapshotAttribute" => sharing::modify,
        "DescribeSnapshotAttribute" => sharing::describe,
        "ModifySnapshotTier" => tiers::archive,
        "RestoreSnapshotTier" => tiers::restore,
        "DescribeSnapshotTierStatus" => tiers::describe,
        "EnableFastSnapshotRestores" => fast_restores::enable,
        "DisableFastSnapshotRestores" => fast_restores::disable,
        "DescribeFastSnapshotRestores" => fast_restores::describe,
        "LockSnapshot" => locks::lock,
        "UnlockSnapshot" => locks::unlock,
        "DescribeLockedSnapshots" => locks::describe,
        "CreateTags" => tags::create,
        "DeleteTags" => tags::delete,
        "DescribeTags" => tags::describe,
        "RegisterImage" => make_images::register,
        "CreateImage" => make_images::create,
        "DescribeImages" => images::describe,
        "DisableImage" => images::disable,
        "EnableImage" => images::enable,
        "DeregisterImage" => images::deregister,
        "DescribeRegions" => regions::describe_regions,
        "DescribeAvailabilityZones" => regions::describe_zones,
        "DescribeSubnets" => describe_networks::subnets,
        "DescribeSecurityGroups" => describe_networks::groups,
        "ImportKeyPair" => key_pairs::import,
        "DescribeKeyPairs" => key_pairs::describe,
        "DeleteKeyPair" => key_pairs::delete,
        _ => return None,
    })
}

/// Whether an action of this name changes nothing.
pub(crate) fn only_reads(name: &str) -> bool {
    name.starts_with("Describe") || name.starts_with("List")
}

/// `<return>true</return>`, which is all that many actions say.
pub(crate) fn done() -> Xml {
    let mut xml = Xml::default();
    xml.leaf("return", true);
    xml
}
