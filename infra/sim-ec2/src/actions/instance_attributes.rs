//! `ModifyInstanceAttribute`, as far as it is about the end of an instance, and whether it takes traffic that is not for
//! itself.

use super::{ActionContext, Reply, done, instances};
use crate::{errors::Ec2Error, request::Params, state::instance::Termination};

/// `ModifyInstanceAttribute`: protection from termination, the check of sources and destinations, or which volumes go along
/// with the instance.
pub(crate) fn modify(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("InstanceId")?;
    let instance = instances::find(context, id)?.clone();
    let mut protected = params.below("DisableApiTermination").flag("Value")?;
    let mut checked = params.below("SourceDestCheck").flag("Value")?;
    match params.get("Attribute") {
        Some("disableApiTermination") => protected = params.flag("Value")?,
        Some("sourceDestCheck") => checked = params.flag("Value")?,
        None | Some("blockDeviceMapping") => {}
        Some(other) => return Err(Ec2Error::invalid_value(other, "attribute")),
    }
    let mappings = params.structures("BlockDeviceMapping");
    match [protected.is_some(), checked.is_some(), !mappings.is_empty()]
        .iter()
        .filter(|is| **is)
        .count()
    {
        0 => return Err(Ec2Error::missing_parameter("attribute")),
        1 => {}
        _ => return Err(Ec2Error::combination("Fields for multiple attribute types specified")),
    }
    let mut changes = Vec::new();
    for mapping in mappings {
        let name = mapping.required("DeviceName")?;
        let device = instance.devices.iter().find(|device| device.name == name);
        let device = device.ok_or_else(|| {
            Ec2Error::new(
                "InvalidInstanceAttributeValue",
                format!("No device is currently mapped at {name}"),
            )
        })?;
        if let Some(goes_along) = mapping.below("Ebs").flag("DeleteOnTermination")? {
            changes.push((device.volume_id.clone(), goes_along));
        }
    }
    for (volume_id, goes_along) in changes {
        context.region.volumes.change(&volume_id, context.moment, |volume| {
            if let Some(attachment) = volume.at_mut(id) {
                attachment.delete_on_termination = goes_along;
            }
        });
    }
    if let Some(checked) = checked {
        context.region.instances.note(id, |instance| instance.settings.source_check_off = !checked);
    }
    if let Some(protected) = protected {
        let termination = if protected { Termination::Protected } else { Termination::Allowed };
        context.region.instances.note(id, |instance| instance.settings.termination = termination);
    }
    Ok(done())
}
