//! `CreateVolume`, and what a new volume may be.

use std::ops::RangeInclusive;

use super::{ActionContext, Reply, describe_snapshots, keys, regions, tags, volumes};
use crate::{
    clock::later,
    errors::Ec2Error,
    ids::IdKind,
    request::Params,
    state::{
        Tags,
        agenda::Task,
        snapshot::Fate,
        volume::{Volume, VolumeState},
    },
    xml::Xml,
};

/// What a new volume is to be.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "EC2's true and false")]
pub(crate) struct VolumeSpec {
    pub(crate) size_gib: u32,
    pub(crate) volume_type: String,
    pub(crate) iops: Option<u32>,
    pub(crate) throughput: Option<u32>,
    pub(crate) encrypted: bool,
    /// The key to encrypt it with; EBS's own when there is none.
    pub(crate) kms_key: Option<String>,
    pub(crate) snapshot_id: Option<String>,
    /// MiB a second at which it gets the blocks of its snapshot.
    pub(crate) initialization_rate: Option<u32>,
    /// Whether it may be at several instances at once.
    pub(crate) multi_attach: bool,
    pub(crate) tags: Tags,
}

impl VolumeSpec {
    /// A new volume in `zone`, not yet put anywhere.
    pub(crate) fn build(&self, context: &mut ActionContext<'_>, zone: &str) -> Volume {
        let Self { size_gib, volume_type, iops, throughput, encrypted, kms_key, .. } = self.clone();
        let (standard_iops, standard_throughput) = performance(&volume_type, size_gib);
        Volume {
            id: context.new_id(IdKind::Volume),
            region: context.name.to_owned(),
            zone: zone.to_owned(),
            size_gib,
            volume_type,
            iops: iops.or(standard_iops),
            throughput: throughput.or(standard_throughput),
            initialization_rate: self.initialization_rate,
            encrypted,
            snapshot_id: self.snapshot_id.clone(),
            created_at: context.moment.now,
            tags: self.tags.clone(),
            state: VolumeState::Creating,
            attachment: None,
            multi_attach: self.multi_attach,
            further: Vec::new(),
            pending_snapshots: std::collections::BTreeMap::new(),
            last_snapshot_at: None,
            is_refused: false,
            kms_key_id: encrypted.then(|| keys::arn(kms_key.as_deref(), context)),
        }
    }
}

/// `CreateVolume`
pub(crate) fn create(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    if let Some(ids) = context.replay("CreateVolume", params)? {
        // As recorded in <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/3010>.
        if ids.iter().any(|id| context.region.volumes.get(id).is_none()) {
            return Err(Ec2Error::new("IdempotentParameterMismatch", "resource already deleted"));
        }
        return Ok(written(context, ids.first().map(String::as_str)));
    }
    let zone = params.required("AvailabilityZone")?;
    if !regions::zones(context.name).iter().any(|known| known == zone) {
        return Err(Ec2Error::new(
            "InvalidZone.NotFound",
            format!("The zone '{zone}' does not exist."),
        ));
    }
    let spec = spec(context, params)?;
    let volume = spec.build(context, zone);
    let id = volume.id.clone();
    context.region.volumes.insert(&id, volume, context.moment);
    let due = later(context.moment.now, context.config.volume_transition);
    let task = match context.fate {
        Fate::Complete => Task::VolumeReady(id.clone()),
        Fate::Fail => Task::VolumeVanishes(id.clone()),
    };
    context.region.agenda.plan(due, task);
    context.remember("CreateVolume", params, vec![id.clone()]);
    Ok(written(context, Some(&id)))
}

fn spec(context: &ActionContext<'_>, params: &Params) -> Result<VolumeSpec, Ec2Error> {
    let volume_type = params.get("VolumeType").unwrap_or("gp2");
    let asked = params.number::<u32>("Size")?;
    let encrypted = params.flag("Encrypted")?;
    let key = keys::named(params, encrypted)?.map(str::to_owned);
    let encrypted = encrypted.unwrap_or_default();
    let (size_gib, snapshot, encrypted) = match params.get("SnapshotId") {
        None => {
            let size = asked.ok_or_else(|| Ec2Error::missing_parameter("Size/SnapshotId"))?;
            (size, None, encrypted)
        }
        Some(id) => {
            let snapshot = describe_snapshots::find_usable(context, id)?;
            let size = asked.unwrap_or(snapshot.volume_size_gib);
            if size < snapshot.volume_size_gib {
                return Err(Ec2Error::invalid_parameter(format!(
                    "Value ({size}) for parameter size is invalid: it must not be smaller than \
                     the size of the snapshot '{id}', {} GiB",
                    snapshot.volume_size_gib
                )));
            }
            (size, Some(snapshot), encrypted || snapshot.encrypted)
        }
    };
    check_size(volume_type, size_gib)?;
    let iops = params.number::<u32>("Iops")?;
    let throughput = params.number::<u32>("Throughput")?;
    check_speed(volume_type, size_gib, iops, throughput)?;
    let multi_attach = params.flag("MultiAttachEnabled")?.unwrap_or_default();
    // "Multi-Attach is supported exclusively on Provisioned IOPS SSD (io1 and io2) volumes":
    // <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes-multi.html>
    if multi_attach && !matches!(volume_type, "io1" | "io2") {
        return Err(Ec2Error::combination(format!(
            "The parameter multiAttachEnabled is not supported for {volume_type} volumes."
        )));
    }
    let snapshot_id = snapshot.map(|snapshot| snapshot.id.clone());
    Ok(VolumeSpec {
        size_gib,
        volume_type: volume_type.to_owned(),
        iops,
        throughput,
        initialization_rate: initialization_rate(params, snapshot_id.as_deref())?,
        multi_attach,
        encrypted,
        kms_key: key.or_else(|| snapshot.and_then(|snapshot| snapshot.kms_key_id.clone())),
        snapshot_id,
        tags: tags::specified(params, IdKind::Volume, &[IdKind::Volume])?,
    })
}

/// The rate that is paid for, which only a volume of a snapshot can have.
pub(crate) fn initialization_rate(
    params: &Params,
    snapshot_id: Option<&str>,
) -> Result<Option<u32>, Ec2Error> {
    let Some(rate) = params.number::<u32>("VolumeInitializationRate")? else { return Ok(None) };
    if !(100..=300).contains(&rate) {
        return Err(Ec2Error::invalid_parameter(format!(
            "Value ({rate}) for parameter VolumeInitializationRate is invalid. Valid range: 100 - \
             300 MiB/s"
        )));
    }
    if snapshot_id.is_none() {
        return Err(Ec2Error::combination(
            "The parameter VolumeInitializationRate is supported only for volumes created from \
             snapshots",
        ));
    }
    Ok(Some(rate))
}

fn sizes(volume_type: &str) -> Option<RangeInclusive<u32>> {
    match volume_type {
        "gp2" => Some(1..=16_384),
        "gp3" => Some(1..=65_536),
        "io1" => Some(4..=16_384),
        "io2" => Some(4..=65_536),
        "st1" | "sc1" => Some(125..=16_384),
        "standard" => Some(1..=1024),
        _ => None,
    }
}

/// Refuses unknown types, and sizes that a type cannot have.
pub(crate) fn check_size(volume_type: &str, size_gib: u32) -> Result<(), Ec2Error> {
    let sizes = sizes(volume_type).ok_or_else(|| {
        Ec2Error::new(
            "UnknownVolumeType",
            format!("Unsupported volume type '{volume_type}' for volume creation."),
        )
    })?;
    if sizes.contains(&size_gib) {
        return Ok(());
    }
    Err(Ec2Error::invalid_parameter(format!(
        "Volume of {size_gib}GiB is not possible for the type {volume_type}: {} to {} GiB",
        sizes.start(),
        sizes.end()
    )))
}

/// Refuses operations and MiB a second that a volume of this type and size cannot have: the ranges of
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>, in the words that clients recorded.
pub(crate) fn check_speed(
    volume_type: &str,
    size_gib: u32,
    iops: Option<u32>,
    throughput: Option<u32>,
) -> Result<(), Ec2Error> {
    let limits = match volume_type {
        "gp3" => Some((3_000, 80_000, 500)),
        "io1" => Some((100, 64_000, 50)),
        "io2" => Some((100, 256_000, 1_000)),
        _ => None,
    };
    let (iops, (least, most, ratio)) = match (iops, limits) {
        (None, Some(_)) if matches!(volume_type, "io1" | "io2") => {
            return Err(Ec2Error::new(
                "MissingParameter",
                format!("The parameter iops must be specified for {volume_type} volumes."),
            ));
        }
        (Some(_), None) => {
            return Err(Ec2Error::combination(format!(
                "The parameter iops is not supported for {volume_type} volumes."
            )));
        }
        (None, None) if throughput.is_some() => {
            return Err(Ec2Error::combination(format!(
                "The parameter throughput is not supported for {volume_type} volumes."
            )));
        }
        (None, None) => return Ok(()),
        (iops, Some(limits)) => (iops.unwrap_or(3_000), limits),
    };
    if iops < least {
        return Err(Ec2Error::invalid_parameter(format!(
            "Volume iops of {iops} is too low; minimum is {least}."
        )));
    }
    if iops > most {
        return Err(Ec2Error::invalid_parameter(format!(
            "Volume iops of {iops} is too high; maximum is {most}."
        )));
    }
    if iops > least && iops > size_gib.saturating_mul(ratio) {
        return Err(Ec2Error::invalid_parameter(format!(
            "Iops to volume size ratio of {:.6} is too high; maximum is {ratio}",
            f64::from(iops) / f64::from(size_gib)
        )));
    }
    match throughput {
        Some(_) if volume_type != "gp3" => Err(Ec2Error::combination(format!(
            "The parameter throughput is not supported for {volume_type} volumes."
        ))),
        Some(rate) if !(125..=2_000).contains(&rate) => Err(Ec2Error::invalid_parameter(format!(
            "Throughput of {rate} MiBps is out of range: 125 to 2000"
        ))),
        Some(rate) if rate * 4 > iops => Err(Ec2Error::invalid_parameter(format!(
            "Throughput (MiBps) to iops ratio of {:.6} is too high; maximum is 0.250000 MiBps per iops.",
            f64::from(rate) / f64::from(iops)
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Refuses to boot from a hard disk. EC2 says it in these words, as recorded in
/// <https://github.com/boto/boto3/issues/3653>, where nobody had asked for any operations.
pub(crate) fn check_boots(volume_type: &str) -> Result<(), Ec2Error> {
    match volume_type {
        "st1" | "sc1" => Err(Ec2Error::combination(format!(
            "The parameter iops is not supported for {volume_type} volumes."
        ))),
        _ => Ok(()),
    }
}

/// Operations and MiB a second that a volume has when nothing is said.
fn performance(volume_type: &str, size_gib: u32) -> (Option<u32>, Option<u32>) {
    match volume_type {
        "gp3" => (Some(3000), Some(125)),
        "gp2" => (Some(size_gib.saturating_mul(3).clamp(100, 16_000)), None),
        // What was put there without a call has some too: EC2 makes none without.
        "io1" => (Some(size_gib.saturating_mul(50).clamp(100, 3000)), None),
        "io2" => (Some(3000), None),
        _ => (None, None),
    }
}

fn written(context: &ActionContext<'_>, id: Option<&str>) -> Xml {
    let mut xml = Xml::default();
    if let Some(volume) = id.and_then(|id| context.region.volumes.get(id)) {
        volumes::write(&mut xml, volume);
    }
    xml
}
