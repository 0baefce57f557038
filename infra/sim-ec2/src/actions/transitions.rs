//! `StartInstances`, `StopInstances` and `TerminateInstances`.

use super::{ActionContext, Reply, instances::find};
use crate::{
    clock::later,
    errors::Ec2Error,
    request::Params,
    state::{
        agenda::Task,
        instance::{Instance, InstanceState, RootDevice, Termination},
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

/// `StartInstances`: all of them, or none.
pub(crate) fn start(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    change_all(context, params, |instance| match instance.state {
        InstanceState::Stopped => Verdict::Goes(InstanceState::Pending, InstanceState::Running),
        InstanceState::Pending | InstanceState::Running => Verdict::Stays,
        InstanceState::Stopping | InstanceState::ShuttingDown | InstanceState::Terminated => {
            Verdict::Refused(wrong_state(instance, "started"))
        }
    })
}

/// `StopInstances`: all of them, or none.
pub(crate) fn stop(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    change_all(context, params, |instance| match (instance.root, instance.state) {
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
    for (id, _, next, last) in &changes {
        let Some(last) = *last else { continue };
        context.region.instances.change(id, context.moment, |instance| {
            instance.state = *next;
            if *next == InstanceState::Pending {
                instance.launched_at = now;
                instance.reason = String::new();
            } else {
                let when = now.strftime("%Y-%m-%d %H:%M:%S GMT");
                instance.reason = format!("User initiated ({when})");
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
