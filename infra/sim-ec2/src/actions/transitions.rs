//! `StartInstances`, `StopInstances` and `TerminateInstances`.

use super::{ActionContext, Reply, instances::find};
use crate::{
    clock::later,
    errors::Ec2Error,
    request::Params,
    state::{
        agenda::Task,
        instance::{
            Instance, InstanceState, PublicAddress, Purchase, RootDevice, StateReason, Stopping,
            Termination,
        },
    },
    xml::Xml,
};

/// What is to become of an instance.
enum Verdict {
    /// It is there, or on its way.
    Stays,
    /// It goes through the first state to the second.
    Goes(InstanceState, InstanceState),
    Refused(Ec2Error),
}

/// `StartInstances`: all of them, or none. A start that comes to nothing is accepted like any other, and ends where it began.
pub(crate) fn start(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let end = match context.start {
        None => InstanceState::Running,
        Some(_) => InstanceState::Stopped,
    };
    change_all(context, params, |instance| match instance.state {
        InstanceState::Stopped if !has_root(instance) => Verdict::Refused(rootless(instance)),
        InstanceState::Stopped => Verdict::Goes(InstanceState::Pending, end),
        InstanceState::Pending | InstanceState::Running => Verdict::Stays,
        InstanceState::Stopping | InstanceState::ShuttingDown | InstanceState::Terminated => {
            Verdict::Refused(wrong_state(instance, "started"))
        }
    })
}

/// `StopInstances`: all of them, or none.
pub(crate) fn stop(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    change_all(context, params, |instance| match (instance.root, instance.state) {
        (RootDevice::Ebs, InstanceState::Running) if must_not_stop(instance).is_some() => {
            must_not_stop(instance).map_or(Verdict::Stays, Verdict::Refused)
        }
        (RootDevice::InstanceStore, _) => Verdict::Refused(Ec2Error::new(
            "UnsupportedOperation",
            format!(
                "The instance '{}' does not have an 'ebs' root device type and cannot be stopped.",
                instance.id
            ),
        )),
        (RootDevice::Ebs, InstanceState::Running) => {
            Verdict::Goes(InstanceState::Stopping, InstanceState::Stopped)
        }
        (RootDevice::Ebs, InstanceState::Stopping | InstanceState::Stopped) => Verdict::Stays,
        (
            RootDevice::Ebs,
            InstanceState::Pending | InstanceState::ShuttingDown | InstanceState::Terminated,
        ) => Verdict::Refused(wrong_state(instance, "stopped")),
    })
}

/// `TerminateInstances`: all of them, or none when one is protected.
pub(crate) fn terminate(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    change_all(context, params, |instance| {
        if instance.state.is_ending() {
            return Verdict::Stays;
        }
        match instance.settings.termination {
            Termination::Allowed => {
                Verdict::Goes(InstanceState::ShuttingDown, InstanceState::Terminated)
            }
            Termination::Protected => Verdict::Refused(Ec2Error::new(
                "OperationNotPermitted",
                format!(
                    "The instance '{}' may not be terminated. Modify its \
                     'disableApiTermination' instance attribute and try again.",
                    instance.id
                ),
            )),
        }
    })
}

fn has_root(instance: &Instance) -> bool {
    instance.root == RootDevice::InstanceStore
        || instance.devices.iter().any(|device| device.name == instance.root_device)
}

/// As people have it from EC2: <https://stackoverflow.com/questions/6172053>.
fn rootless(instance: &Instance) -> Ec2Error {
    Ec2Error::invalid_parameter(format!(
        "Invalid value '{}' for instanceId. Instance does not have a volume attached at root ({})",
        instance.id, instance.root_device
    ))
}

/// Why an instance is not to be stopped at all, as
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html> and
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-instances-request.html> have it.
fn must_not_stop(instance: &Instance) -> Option<Ec2Error> {
    let id = &instance.id;
    match (instance.settings.stopping, instance.settings.purchase) {
        (Stopping::Protected, _) => Some(Ec2Error::new(
            "OperationNotPermitted",
            format!(
                "The instance '{id}' may not be stopped. Modify its 'disableApiStop' instance \
                 attribute and try again."
            ),
        )),
        (Stopping::Allowed, Purchase::SpotOnce) => Some(Ec2Error::new(
            "UnsupportedOperation",
            format!(
                "You can't stop the Spot Instance '{id}' because it is associated with a one-time \
                 Spot Instance request. You can only stop Spot Instances associated with persistent \
                 Spot Instance requests."
            ),
        )),
        (Stopping::Allowed, Purchase::OnDemand) => None,
    }
}

fn wrong_state(instance: &Instance, verb: &str) -> Ec2Error {
    Ec2Error::new(
        "IncorrectInstanceState",
        format!("The instance '{}' is not in a state from which it can be {verb}.", instance.id),
    )
}

fn change_all(
    context: &mut ActionContext<'_>,
    params: &Params,
    judge: impl Fn(&Instance) -> Verdict,
) -> Reply {
    let ids = params.required_values("InstanceId")?;
    let mut changes = Vec::new();
    for id in &ids {
        let instance = find(context, id)?;
        let (next, last) = match judge(instance) {
            Verdict::Stays => (instance.state, None),
            Verdict::Goes(next, last) => (next, Some(last)),
            Verdict::Refused(error) => return Err(error),
        };
        changes.push((id.clone(), instance.state, next, last));
    }
    let (now, due) =
        (context.moment.now, later(context.moment.now, context.config.instance_transition));
    let start = context.start.clone();
    for (id, _, next, last) in &changes {
        let Some(last) = *last else { continue };
        let address = context.new_public_ip();
        context.region.instances.change(id, context.moment, |instance| {
            instance.state = *next;
            if *next == InstanceState::Pending {
                instance.launched_at = now;
                instance.reason = String::new();
                instance.state_reason.clone_from(&start);
                if instance.settings.public_address == PublicAddress::Assigned {
                    instance.public_ip = Some(address);
                }
            } else {
                let when = now.strftime("%Y-%m-%d %H:%M:%S GMT");
                instance.reason = format!("User initiated ({when})");
                instance.state_reason = Some(StateReason::shutdown());
                if instance.settings.public_address == PublicAddress::Assigned {
                    instance.public_ip = None;
                }
            }
        });
        let task = Task::Instance { id: id.clone(), from: *next, to: last };
        context.region.agenda.plan(due, task);
    }
    let mut xml = Xml::default();
    xml.list("instancesSet", changes, |xml, (id, before, after, _)| {
        xml.leaf("instanceId", id);
        for (name, state) in [("currentState", after), ("previousState", before)] {
            xml.element(name, |xml| {
                xml.leaf("code", state.code());
                xml.leaf("name", state.name());
            });
        }
    });
    Ok(xml)
}
