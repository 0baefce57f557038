//! `AttachVolume` and `DetachVolume`.

use super::{ActionContext, Reply, devices, instances, volumes};
use crate::{
    clock::later,
    errors::Ec2Error,
    request::Params,
    state::{
        agenda::Task,
        instance::{Device, Instance, InstanceState},
        volume::{Attachment, AttachmentState, Volume, VolumeState},
    },
    xml::Xml,
};

/// At how many instances a volume with Multi-Attach can be
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes-multi.html>).
const PLACES_MAX: usize = 16;

/// `AttachVolume`
pub(crate) fn attach(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let volume_id = params.required("VolumeId")?;
    let instance_id = params.required("InstanceId")?;
    let device = params.required("Device")?;
    devices::check_attached(device)?;
    check_attachable(
        volumes::find(context, volume_id)?,
        instances::find(context, instance_id)?,
        device,
    )?;
    let attachment = Attachment {
        instance_id: instance_id.to_owned(),
        device: device.to_owned(),
        state: AttachmentState::Attaching,
        attached_at: context.moment.now,
        delete_on_termination: false,
    };
    context.region.volumes.change(volume_id, context.moment, |volume| {
        volume.come(attachment.clone());
    });
    context.region.instances.change(instance_id, context.moment, |instance| {
        let (name, volume_id) = (device.to_owned(), volume_id.to_owned());
        instance.devices.push(Device { name, volume_id });
    });
    Ok(under_way(context, volume_id, &attachment))
}

/// `DetachVolume`
pub(crate) fn detach(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let volume_id = params.required("VolumeId")?;
    let volume = volumes::find(context, volume_id)?;
    let here = params.get("InstanceId").and_then(|id| volume.at(id));
    let Some(attachment) = here.or(volume.attachment.as_ref()).cloned() else {
        return Err(Ec2Error::incorrect_state(format!(
            "Volume '{volume_id}' is in the '{}' state.",
            volume.state.name()
        )));
    };
    // "If you are detaching a Multi-Attach enabled volume, you must specify an instance ID":
    // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html>
    if volume.multi_attach && params.get("InstanceId").is_none() {
        return Err(Ec2Error::missing_parameter("InstanceId"));
    }
    let instance_id = params.get("InstanceId").unwrap_or(&attachment.instance_id);
    let device = params.get("Device").unwrap_or(&attachment.device);
    let instance = instances::find(context, instance_id)?;
    if *instance_id != attachment.instance_id || *device != attachment.device {
        return Err(Ec2Error::new(
            "InvalidAttachment.NotFound",
            format!(
                "The volume '{volume_id}' is not attached to instance '{instance_id}' as device '{device}'."
            ),
        ));
    }
    // "If the volume is the root volume, you must stop the instance before you detach it":
    // <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-detaching-volume.html>
    if instance.root_device == attachment.device && instance.state != InstanceState::Stopped {
        return Err(Ec2Error::new(
            "OperationNotPermitted",
            format!(
                "Unable to detach root volume '{}' from instance '{instance_id}'",
                attachment.device
            ),
        ));
    }
    if attachment.state != AttachmentState::Attached {
        return Err(Ec2Error::incorrect_state(format!(
            "Volume '{volume_id}' is in the '{}' state.",
            attachment.state.name()
        )));
    }
    let attachment = Attachment { state: AttachmentState::Detaching, ..attachment };
    context.region.volumes.change(volume_id, context.moment, |volume| {
        if let Some(place) = volume.at_mut(&attachment.instance_id) {
            *place = attachment.clone();
        }
    });
    Ok(under_way(context, volume_id, &attachment))
}

fn check_attachable(volume: &Volume, instance: &Instance, device: &str) -> Result<(), Ec2Error> {
    if volume.is_refused {
        return Err(Ec2Error::new(
            "OperationNotPermitted",
            format!("The product code of '{}' does not fit '{}'.", volume.id, instance.id),
        ));
    }
    match volume.state {
        VolumeState::Available => {}
        VolumeState::InUse if volume.multi_attach && volume.at(&instance.id).is_none() => {
            if volume.attachments().count() >= PLACES_MAX {
                return Err(Ec2Error::new(
                    "AttachmentLimitExceeded",
                    format!("{} is attached to {PLACES_MAX} instances", volume.id),
                ));
            }
        }
        VolumeState::InUse => {
            return Err(Ec2Error::new(
                "VolumeInUse",
                format!("{} is already attached to an instance", volume.id),
            ));
        }
        VolumeState::Creating => {
            return Err(Ec2Error::incorrect_state(format!("{} is not 'available'.", volume.id)));
        }
    }
    match instance.state {
        InstanceState::Running | InstanceState::Stopped => {}
        InstanceState::Pending
        | InstanceState::ShuttingDown
        | InstanceState::Terminated
        | InstanceState::Stopping => {
            return Err(Ec2Error::incorrect_state(format!(
                "Instance '{}' is not 'running'.",
                instance.id
            )));
        }
    }
    // "Multi-Attach enabled volumes can't be created as boot volumes."
    if volume.multi_attach && instance.root_device == device {
        return Err(Ec2Error::invalid_parameter(format!(
            "Multi-Attach enabled volume '{}' cannot be the boot volume of '{}'",
            volume.id, instance.id
        )));
    }
    if volume.zone != instance.zone {
        return Err(Ec2Error::new(
            "InvalidVolume.ZoneMismatch",
            format!(
                "The volume '{}' is not in the same availability zone as instance '{}'",
                volume.id, instance.id
            ),
        ));
    }
    if instance.devices.iter().any(|taken| taken.name == device) {
        return Err(Ec2Error::invalid_parameter(format!(
            "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        )));
    }
    Ok(())
}

fn under_way(context: &mut ActionContext<'_>, volume_id: &str, attachment: &Attachment) -> Xml {
    let due = later(context.moment.now, context.config.volume_transition);
    context.region.agenda.plan(due, Task::Attachment(volume_id.to_owned()));
    let mut xml = Xml::default();
    volumes::write_attachment(&mut xml, volume_id, attachment, attachment.state.name());
    xml
}
