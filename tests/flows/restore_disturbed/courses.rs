//! The restores that are disturbed, what can come in their way, and when.

use serde_json::{Value, json};
use shared::domain::restore::step::StepName;
use sim_ec2::{Fault, InstanceState, Volume};

use super::outcome::World;
use crate::support::hands;
use crate::support::restores::{devices, made};

/// A way to restore, step by step.
#[derive(Debug)]
pub(super) struct Course {
    /// What its table is called.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) steps: &'static [At],
}

/// Which way it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Volumes attached to another instance.
    Volumes,
    /// In place; the instance runs, and may be stopped.
    InPlace,
    /// In place; somebody has stopped the instance, and `stop` is not given.
    InPlaceStopped,
    /// The way back of a restore in place that is cancelled as the instance starts.
    Back,
    Root,
    Instance,
    Drill,
}

/// A step, and the call that it is about.
#[derive(Debug)]
pub(super) struct At {
    pub(super) step: StepName,
    /// The step that must be at hand before this one's call is listened for.
    pub(super) after: Option<StepName>,
    /// How its call is known; none if the same words are in one of before.
    pub(super) call: Option<Call>,
    pub(super) action: &'static str,
}

/// When something comes in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Right before the call of the step of this number, when all has been looked at.
    Before(StepName),
    /// While the step waits.
    In(StepName),
    /// At any time.
    Always,
}

/// How a call is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    /// By these words.
    Says(&'static str),
    /// By the client token of its step, which a dry run does not have.
    Token,
}

const fn at(
    step: StepName,
    after: Option<StepName>,
    call: Option<Call>,
    action: &'static str,
) -> At {
    At { step, after, call, action }
}

const CHECK: At = at(StepName::Check, None, Some(Call::Says("DryRun=true")), "CreateVolume");
const CREATE: At = at(StepName::CreateVolumes, None, Some(Call::Token), "CreateVolume");

const DETACH: At = at(
    StepName::DetachVolumes,
    Some(StepName::CreateVolumes),
    Some(Call::Says("Action=DetachVolume")),
    "DetachVolume",
);
const ATTACH: At = at(
    StepName::AttachVolumes,
    Some(StepName::CreateVolumes),
    Some(Call::Says("Action=AttachVolume")),
    "AttachVolume",
);

const IN_PLACE: [At; 8] = [
    CHECK,
    at(StepName::SnapshotFirst, None, None, ""),
    CREATE,
    at(
        StepName::StopInstance,
        Some(StepName::CreateVolumes),
        Some(Call::Says("Action=StopInstances")),
        "StopInstances",
    ),
    DETACH,
    ATTACH,
    at(
        StepName::StartInstance,
        Some(StepName::CreateVolumes),
        Some(Call::Says("Action=StartInstances")),
        "StartInstances",
    ),
    at(
        StepName::TagOldVolumes,
        Some(StepName::StartInstance),
        Some(Call::Says("Action=CreateTags")),
        "CreateTags",
    ),
];

const IN_PLACE_STOPPED: [At; 4] = [CHECK, CREATE, DETACH, ATTACH];

const BACK: [At; 4] = [
    at(StepName::StopAgain, None, Some(Call::Says("Action=StopInstances")), "StopInstances"),
    at(StepName::DetachNewVolumes, None, Some(Call::Says("Action=DetachVolume")), "DetachVolume"),
    at(StepName::ReattachOldVolumes, None, Some(Call::Says("Action=AttachVolume")), "AttachVolume"),
    at(StepName::StartAgain, None, Some(Call::Says("Action=StartInstances")), "StartInstances"),
];

const VOLUMES: [At; 3] = [CHECK, CREATE, ATTACH];

const ROOT: [At; 3] = [
    at(StepName::Check, None, Some(Call::Says("DryRun=true")), "CreateReplaceRootVolumeTask"),
    at(StepName::ReplaceRoot, None, Some(Call::Token), "CreateReplaceRootVolumeTask"),
    at(
        StepName::TagOldVolumes,
        Some(StepName::ReplaceRoot),
        Some(Call::Says("Action=CreateTags")),
        "CreateTags",
    ),
];

const INSTANCE: [At; 4] = [
    at(StepName::Check, None, Some(Call::Says("DryRun=true")), "RegisterImage"),
    at(StepName::RegisterImage, None, None, ""),
    at(
        StepName::RunInstance,
        Some(StepName::RegisterImage),
        Some(Call::Says("Action=RunInstances")),
        "RunInstances",
    ),
    at(
        StepName::DeregisterImage,
        Some(StepName::RegisterImage),
        Some(Call::Says("Action=DeregisterImage")),
        "DeregisterImage",
    ),
];

const DRILL: [At; 3] = [
    CHECK,
    CREATE,
    at(
        StepName::DeleteVolumes,
        Some(StepName::CreateVolumes),
        Some(Call::Says("Action=DeleteVolume")),
        "DeleteVolume",
    ),
];

pub(super) const COURSES: [Course; 7] = [
    Course { name: "replace_volumes", kind: Kind::InPlace, steps: &IN_PLACE },
    Course {
        name: "replace_volumes without stop",
        kind: Kind::InPlaceStopped,
        steps: &IN_PLACE_STOPPED,
    },
    Course { name: "the way back of replace_volumes", kind: Kind::Back, steps: &BACK },
    Course { name: "new_volumes with attach_to", kind: Kind::Volumes, steps: &VOLUMES },
    Course { name: "replace_root", kind: Kind::Root, steps: &ROOT },
    Course { name: "new_instance", kind: Kind::Instance, steps: &INSTANCE },
    Course { name: "drill", kind: Kind::Drill, steps: &DRILL },
];

/// What comes in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    AttachesNew,
    TakesDevice,
    Detaches,
    Starts,
    Stops,
    Terminates,
    Refuses,
    Throttles,
    LosesReply,
}

pub(super) const HANDS: [Hand; 9] = [
    Hand::AttachesNew,
    Hand::TakesDevice,
    Hand::Detaches,
    Hand::Starts,
    Hand::Stops,
    Hand::Terminates,
    Hand::Refuses,
    Hand::Throttles,
    Hand::LosesReply,
];

/// What somebody has put where.
pub(super) struct ByHand {
    pub(super) volume: String,
    pub(super) instance: String,
    pub(super) device: String,
}

/// What came of a hand.
pub(super) enum Deed {
    /// It cannot be done then, or changes nothing.
    Nothing,
    Done,
    Attached(ByHand),
    /// These volumes go with the instance, by EC2's own doing.
    Terminated(Vec<String>),
}

impl From<bool> for Deed {
    fn from(is_done: bool) -> Self {
        if is_done { Self::Done } else { Self::Nothing }
    }
}

impl Hand {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AttachesNew => "somebody attaches one of its volumes elsewhere",
            Self::TakesDevice => "somebody puts another volume at its device",
            Self::Detaches => "somebody takes a volume off",
            Self::Starts => "somebody starts the instance",
            Self::Stops => "somebody stops the instance",
            Self::Terminates => "somebody terminates the instance",
            Self::Refuses => "EC2 refuses the call",
            Self::Throttles => "EC2 cannot for the moment",
            Self::LosesReply => "EC2's answer is lost",
        }
    }

    /// Whether it is about the very call of a step.
    fn is_of_call(self) -> bool {
        matches!(self, Self::Refuses | Self::Throttles | Self::LosesReply)
    }

    /// Does it, in a world where this step is next or at hand.
    pub(super) fn act(self, world: &World, at: &At) -> Deed {
        let (app, subject) = (&world.app, &world.subject_now());
        let state = app.ec2.instance(subject).map(|instance| instance.state);
        match self {
            Self::AttachesNew => {
                let mut loose =
                    made(app, &world.id).into_iter().filter(|one| one.attachment.is_none());
                loose.next().map_or(Deed::Nothing, |one| attach(world, one.id, "/dev/sdh"))
            }
            Self::TakesDevice if devices(app, subject).contains_key(world.device()) => {
                Deed::Nothing
            }
            Self::TakesDevice => attach(world, world.spare.clone(), world.device()),
            Self::Detaches => {
                let volume = devices(app, subject).get(world.device()).cloned();
                volume.is_some_and(|volume| hands::detach(app, &volume)).into()
            }
            Self::Starts => {
                (state == Some(InstanceState::Stopped) && hands::start(app, subject)).into()
            }
            Self::Stops => {
                (state == Some(InstanceState::Running) && hands::stop(app, subject)).into()
            }
            Self::Terminates => terminate(world, subject),
            Self::Refuses | Self::Throttles | Self::LosesReply => {
                app.ec2.fault(self.fault(at));
                Deed::Done
            }
        }
    }

    fn fault(self, at: &At) -> Fault {
        let fault = Fault::on(at.action);
        if self == Self::Throttles {
            return fault.times(3).error("RequestLimitExceeded", 503);
        }
        if self == Self::LosesReply {
            return fault.reply_lost();
        }
        // A dry run asks for nothing but the right.
        if at.step == StepName::Check {
            return fault.error("UnauthorizedOperation", 403);
        }
        fault.error("InvalidParameterValue", 400)
    }
}

fn attach(world: &World, volume: String, device: &str) -> Deed {
    let instance = world.subject_now();
    if !hands::attach(&world.app, &volume, &instance, device) {
        return Deed::Nothing;
    }
    Deed::Attached(ByHand { volume, instance, device: device.to_owned() })
}

fn terminate(world: &World, instance: &str) -> Deed {
    let goes = |volume: &Volume| {
        let at = volume.attachment.as_ref().filter(|at| at.instance_id == instance);
        at.is_some_and(|at| at.delete_on_termination)
    };
    let going = world.app.ec2.volumes().into_iter().filter(goes).map(|volume| volume.id).collect();
    hands::act(&world.app, &format!("TerminateInstances&InstanceId.1={instance}"));
    Deed::Terminated(going)
}

impl Course {
    /// When this hand can come: what is about a call only right before it.
    pub(super) fn moments(&self, hand: Hand) -> Vec<Moment> {
        let steps = self.steps.iter().filter(|at| self.may_matter(hand, at.step));
        let each = steps.flat_map(|at| {
            let before = at.call.map(|_| Moment::Before(at.step));
            let waits = !matches!(
                at.step,
                StepName::Check | StepName::TagOldVolumes | StepName::DeregisterImage
            );
            let within = (waits && !hand.is_of_call()).then_some(Moment::In(at.step));
            before.into_iter().chain(within)
        });
        each.collect()
    }

    /// Whether this hand can do anything at this step, or anything that is the restore's business.
    fn may_matter(&self, hand: Hand, step: StepName) -> bool {
        match (hand, self.kind) {
            (Hand::AttachesNew, Kind::Root | Kind::Instance)
            | (Hand::TakesDevice, Kind::Root)
            | (Hand::TakesDevice | Hand::Detaches, Kind::Instance)
            | (Hand::TakesDevice | Hand::Detaches | Hand::Stops | Hand::Terminates, Kind::Drill)
            | (Hand::Starts, Kind::Volumes | Kind::Root | Kind::Instance | Kind::Drill) => false,
            (Hand::AttachesNew, _) => step != StepName::Check,
            // Where places are free.
            (Hand::TakesDevice, Kind::InPlace | Kind::InPlaceStopped | Kind::Back) => matches!(
                step,
                StepName::DetachVolumes
                    | StepName::AttachVolumes
                    | StepName::DetachNewVolumes
                    | StepName::ReattachOldVolumes
            ),
            // Where the instance stands still.
            (Hand::Starts, Kind::InPlace | Kind::Back) => matches!(
                step,
                StepName::DetachVolumes
                    | StepName::AttachVolumes
                    | StepName::StartInstance
                    | StepName::DetachNewVolumes
                    | StepName::ReattachOldVolumes
                    | StepName::StartAgain
            ),
            (
                Hand::Detaches
                | Hand::Stops
                | Hand::Terminates
                | Hand::Refuses
                | Hand::Throttles
                | Hand::LosesReply,
                _,
            )
            | (Hand::TakesDevice, Kind::Volumes)
            | (Hand::Starts, Kind::InPlaceStopped) => true,
        }
    }

    pub(super) fn at(&self, step: StepName) -> &'static At {
        self.steps.iter().find(|at| at.step == step).unwrap()
    }

    /// What is asked for, where this moment is of interest.
    pub(super) fn body(&self, moment: Moment, other: &str) -> Value {
        let first = moment == Moment::In(StepName::SnapshotFirst);
        match self.kind {
            Kind::Volumes => json!({
                "mode": "new_volumes", "attach_to": other, "volumes": [
                    { "device": "/dev/sda", "attach_as": "/dev/sdx" },
                    { "device": "/dev/sdb", "attach_as": "/dev/sdy" },
                ],
            }),
            Kind::InPlace | Kind::Back => {
                json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": first })
            }
            Kind::InPlaceStopped => json!({ "mode": "replace_volumes", "snapshot_first": false }),
            Kind::Root => json!({ "mode": "replace_root", "snapshot_first": false }),
            Kind::Instance => json!({ "mode": "new_instance" }),
            Kind::Drill => Value::Null,
        }
    }
}
