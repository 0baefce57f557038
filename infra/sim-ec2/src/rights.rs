//! What a call is checked for: each resource that it touches, with the keys that EC2 sends along
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>).
//!
//! What is about to be made has no id yet: its ARN ends in a star. What a call names and nobody has is left to the action
//! itself, which says that there is no such thing.

use std::collections::BTreeMap;

use crate::{
    actions::tags::tags_of,
    iam::Asked,
    ids::IdKind,
    request::Params,
    state::{Region, Tags},
};

/// A call, and where it is made.
pub(crate) struct Call<'a> {
    pub(crate) action: &'a str,
    pub(crate) params: &'a Params,
    pub(crate) region_name: &'a str,
    pub(crate) regions: &'a BTreeMap<String, Region>,
    pub(crate) account: &'a str,
}

/// One thing that a call touches.
struct Touched {
    resource: String,
    /// The tags that it bears already.
    borne: Tags,
    /// Those that the call gives it.
    given: Option<Tags>,
}

impl Call<'_> {
    /// Everything that must be allowed.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let mut asked = Vec::new();
        for touched in self.touched() {
            // A tag that comes with the making is a right of its own, in addition.
            if let Some(given) = touched.given.as_ref().filter(|given| !given.is_empty())
                && !matches!(self.action, "CreateTags" | "DeleteTags")
            {
                let resource = touched.resource.clone();
                let mut tagging = self.one(
                    "CreateTags",
                    &Touched { resource, borne: Tags::new(), given: Some(given.clone()) },
                );
                tagging.context.insert("ec2:CreateAction".to_owned(), vec![self.action.to_owned()]);
                asked.push(tagging);
            }
            let mut one = self.one(self.action, &touched);
            if self.action == "ModifyInstanceAttribute" && touched.resource.contains(":instance/") {
                let common = ["Action", "Version", "InstanceId", "DryRun"];
                let changed = self.params.names().filter(|name| !common.contains(name));
                one.context
                    .insert("ec2:Attribute".to_owned(), changed.map(str::to_owned).collect());
            }
            asked.push(one);
        }
        asked.extend(self.passed_role());
        asked
    }

    fn one(&self, action: &str, touched: &Touched) -> Asked {
        let mut context =
            BTreeMap::from([("ec2:Region".to_owned(), vec![self.region_name.to_owned()])]);
        for (key, value) in &touched.borne {
            context.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
        }
        for (key, value) in touched.given.iter().flatten() {
            context.insert(format!("aws:RequestTag/{key}"), vec![value.clone()]);
        }
        if let Some(given) = touched.given.as_ref().filter(|given| !given.is_empty()) {
            context.insert("aws:TagKeys".to_owned(), given.keys().cloned().collect());
        }
        // As recorded in <https://github.com/velero-io/velero/issues/1312>: what goes is the call's word, not what the volume
        // of an encrypted snapshot will be.
        if action == "CreateVolume" && touched.resource.contains(":volume/") {
            let encrypted = self.params.get("Encrypted") == Some("true");
            context.insert("ec2:Encrypted".to_owned(), vec![encrypted.to_string()]);
        }
        Asked { action: format!("ec2:{action}"), resource: touched.resource.clone(), context }
    }

    fn touched(&self) -> Vec<Touched> {
        let Self { action, params, .. } = *self;
        match action {
            "CreateSnapshots" => {
                let specification = params.below("InstanceSpecification");
                let instance = specification.get("InstanceId").unwrap_or_default();
                let volumes = self.volumes_of(instance);
                let mut all = self.borne(&[instance]);
                all.extend(self.borne(&volumes.iter().map(String::as_str).collect::<Vec<_>>()));
                all.push(self.made(IdKind::Snapshot));
                all
            }
            "CreateSnapshot" => self.and_made(&["VolumeId"], IdKind::Snapshot),
            "CopySnapshot" => self.copied(),
            "CreateVolume" => self.and_made(&["SnapshotId"], IdKind::Volume),
            "CreateReplaceRootVolumeTask" => {
                let mut all = self.and_made(&["InstanceId", "SnapshotId"], IdKind::RootReplacement);
                all.push(self.unmade(IdKind::Volume));
                all
            }
            "RegisterImage" => {
                let mut all = self.borne(&self.mapped());
                all.push(self.made(IdKind::Image));
                all
            }
            "CreateImage" => self.and_made(&["InstanceId"], IdKind::Image),
            "RunInstances" => self.launched(),
            "CreateTags" | "DeleteTags" => self.tagged(),
            "AttachVolume" | "DetachVolume" => self.borne(&self.named(&["VolumeId", "InstanceId"])),
            "DeleteSnapshot"
            | "LockSnapshot"
            | "UnlockSnapshot"
            | "ModifySnapshotAttribute"
            | "ModifySnapshotTier"
            | "RestoreSnapshotTier"
            | "RestoreSnapshotFromRecycleBin" => self.borne(&self.named(&["SnapshotId"])),
            "DeleteVolume" => self.borne(&self.named(&["VolumeId"])),
            "DeregisterImage" | "DisableImage" | "EnableImage" => {
                self.borne(&self.named(&["ImageId"]))
            }
            "StartInstances"
            | "StopInstances"
            | "TerminateInstances"
            | "ModifyInstanceAttribute" => {
                let ids = params.values("InstanceId");
                let mut all: Vec<&str> = ids.iter().map(String::as_str).collect();
                all.extend(params.get("InstanceId"));
                self.borne(&all)
            }
            // Describe and List know no resources.
            _ => vec![Touched { resource: "*".to_owned(), borne: Tags::new(), given: None }],
        }
    }

    /// The source is in a Region of its own, and is known by its id; the copy by nothing yet.
    fn copied(&self) -> Vec<Touched> {
        let mut all = vec![self.made(IdKind::Snapshot)];
        let source_region = self.params.get("SourceRegion").unwrap_or(self.region_name);
        let source = self.params.get("SourceSnapshotId").unwrap_or_default();
        let tags = self.regions.get(source_region).and_then(|region| tags_of(region, source));
        if let Some(tags) = tags {
            let resource = self.arn(IdKind::Snapshot, source, source_region);
            all.push(Touched { resource, borne: tags.clone(), given: None });
        }
        all
    }

    fn launched(&self) -> Vec<Touched> {
        let params = self.params;
        let mut all = self.borne(&self.named(&["ImageId"]));
        all.push(self.made(IdKind::Instance));
        all.push(self.made(IdKind::Volume));
        let image = params.get("ImageId").unwrap_or_default();
        let here = self.regions.get(self.region_name);
        let image = here.and_then(|region| region.images.get(image));
        let snapshots = image.into_iter().flat_map(|image| &image.devices);
        let snapshots: Vec<&str> = snapshots.map(|device| device.snapshot_id.as_str()).collect();
        all.extend(self.borne(&snapshots));
        let plain = |kind: &str, name: &str| Touched {
            resource: format!("arn:aws:ec2:{}:{}:{kind}/{name}", self.region_name, self.account),
            borne: Tags::new(),
            given: None,
        };
        all.push(plain("network-interface", "*"));
        all.push(plain("subnet", params.get("SubnetId").unwrap_or("subnet-default")));
        let groups = params.values("SecurityGroupId");
        let default = ["sg-default".to_owned()];
        let groups = if groups.is_empty() { &default[..] } else { &groups };
        all.extend(groups.iter().map(|group| plain("security-group", group)));
        all.extend(params.get("KeyName").map(|key| plain("key-pair", key)));
        all
    }

    fn tagged(&self) -> Vec<Touched> {
        let tags = self.params.structures("Tag");
        let pair = |tag: &&Params| {
            let value = tag.given("Value").unwrap_or_default();
            Some((tag.get("Key")?.to_owned(), value.to_owned()))
        };
        let given: Tags = tags.iter().filter_map(pair).collect();
        let ids = self.params.values("ResourceId");
        let mut all = self.borne(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        for touched in &mut all {
            touched.given = Some(given.clone());
        }
        all
    }

    /// The role behind the profile that a launch names. A profile has the name of its role, unless somebody has made
    /// the two apart.
    fn passed_role(&self) -> Option<Asked> {
        if self.action != "RunInstances" {
            return None;
        }
        let profile = self.params.below("IamInstanceProfile");
        let profile = profile.get("Arn").or_else(|| profile.get("Name"))?;
        let name = profile.split_once(":instance-profile/").map_or(profile, |(_, name)| name);
        let service = vec!["ec2.amazonaws.com".to_owned()];
        Some(Asked {
            action: "iam:PassRole".to_owned(),
            resource: format!("arn:aws:iam::{}:role/{name}", self.account),
            context: BTreeMap::from([("iam:PassedToService".to_owned(), service)]),
        })
    }

    fn named(&self, parameters: &[&str]) -> Vec<&str> {
        parameters.iter().filter_map(|name| self.params.get(name)).collect()
    }

    fn and_made(&self, parameters: &[&str], kind: IdKind) -> Vec<Touched> {
        let mut all = self.borne(&self.named(parameters));
        all.push(self.made(kind));
        all
    }

    /// What is there already, with its tags; what is not is left out.
    fn borne(&self, ids: &[&str]) -> Vec<Touched> {
        let Some(region) = self.regions.get(self.region_name) else { return Vec::new() };
        let touched = |id: &&str| {
            let (kind, tags) = (IdKind::of(id)?, tags_of(region, id)?);
            let resource = self.arn(kind, id, self.region_name);
            Some(Touched { resource, borne: tags.clone(), given: None })
        };
        ids.iter().filter_map(touched).collect()
    }

    /// What the call makes, with the tags that it gives.
    fn made(&self, kind: IdKind) -> Touched {
        Touched { given: Some(self.specified(kind)), ..self.unmade(kind) }
    }

    /// The same where no tags can be given.
    fn unmade(&self, kind: IdKind) -> Touched {
        let resource = self.arn(kind, "*", self.region_name);
        Touched { resource, borne: Tags::new(), given: None }
    }

    fn specified(&self, kind: IdKind) -> Tags {
        let specifications = self.params.structures("TagSpecification");
        let of_kind = specifications
            .iter()
            .filter(|one| one.get("ResourceType") == Some(kind.resource_type()));
        let tags = of_kind.flat_map(|one| one.structures("Tag"));
        let pair = |tag: &Params| {
            let value = tag.given("Value").unwrap_or_default();
            Some((tag.get("Key")?.to_owned(), value.to_owned()))
        };
        tags.filter_map(pair).collect()
    }

    /// The volumes that a snapshot of the instance takes.
    fn volumes_of(&self, instance: &str) -> Vec<String> {
        let here = self.regions.get(self.region_name);
        let instance = here.and_then(|region| region.instances.get(instance));
        let devices = instance.into_iter().flat_map(|instance| &instance.devices);
        devices.map(|device| device.volume_id.clone()).collect()
    }

    /// The snapshots that a new image is of.
    fn mapped(&self) -> Vec<&str> {
        let mappings = self.params.structures("BlockDeviceMapping");
        let ebs = mappings.into_iter().filter_map(|mapping| mapping.child("Ebs"));
        ebs.filter_map(|ebs| ebs.get("SnapshotId")).collect()
    }

    /// Snapshots and images have no account in their ARNs.
    fn arn(&self, kind: IdKind, id: &str, region: &str) -> String {
        let account = match kind {
            IdKind::Snapshot | IdKind::Image => "",
            IdKind::Instance | IdKind::Volume | IdKind::RootReplacement => self.account,
        };
        format!("arn:aws:ec2:{region}:{account}:{}/{id}", kind.resource_type())
    }
}
