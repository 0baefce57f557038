//! What came of a restore that was disturbed, in the words of the table.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::restore::RestoreStatus;
use shared::domain::restore::step::StepName;
use sim_ec2::{Config, InstanceState};

use super::courses::{At, ByHand, Call, Course, Deed, Hand, Kind, Moment};
use crate::support::app::App;
use crate::support::hands::{self, Witness};
use crate::support::restores::{begun, devices, drive, made, record};
use crate::support::tripwire::Trip;

/// How many minutes a restore is given to come to its end, or to a standstill.
const MINUTES: usize = 30;

/// A restore in a world of its own, and what people have done in it.
pub(super) struct World {
    pub(super) app: App,
    pub(super) id: String,
    course: &'static Course,
    /// The instance that it is about.
    subject: String,
    /// A volume that has nothing to do with it.
    pub(super) spare: String,
    /// The volumes that it had.
    before: BTreeMap<String, String>,
    witness: Witness,
    by_hand: Option<ByHand>,
    /// How often people have stopped an instance.
    stops: u64,
}

/// How a restore stood after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    status: RestoreStatus,
    step: Option<StepName>,
    /// The code of its failure.
    code: String,
    /// How the instance stands, and what there is.
    standing: String,
}

/// What the table says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) what: String,
    pub(super) retried: String,
    pub(super) given_up: String,
}

/// How things stand before a restore, and at the end of one that nobody disturbs.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    before: String,
    after: String,
}

impl World {
    /// A restore that is asked for; the way back is one that is cancelled.
    pub(super) async fn begun(course: &'static Course, moment: Moment, config: Config) -> Self {
        let app = App::with(config).await;
        let (web, db) = (app.instance("web", 2), app.instance("db", 1));
        let spare = hands::new_volume(&app);
        let snapshot = app.take_snapshot(&web).await;
        if course.kind == Kind::InPlaceStopped {
            app.ec2.set_instance_state(&web, InstanceState::Stopped);
        }
        let before = devices(&app, &web);
        let body = course.body(moment, &db);
        let id = if course.kind == Kind::Drill {
            let path = format!("/v1/snapshots/{snapshot}/drill");
            let answer = app.call("POST", &path, body).await.expect(202);
            answer["id"].as_str().unwrap().to_owned()
        } else {
            begun(&app, &snapshot, body).await
        };
        let subject = if course.kind == Kind::Volumes { db } else { web };
        app.ec2.reset_calls();
        let (witness, by_hand) = (Witness::default(), None);
        let mut world =
            Self { app, id, course, subject, spare, before, witness, by_hand, stops: 0 };
        if course.kind == Kind::Back {
            assert!(world.comes_to(StepName::StartInstance).await);
            world.says("cancel", Value::Null).await;
        }
        world
    }

    /// The instance that people would lay hands on: the new one, if there is one.
    pub(super) fn subject_now(&self) -> String {
        let new = self.new_instance();
        new.unwrap_or_else(|| self.subject.clone())
    }

    fn new_instance(&self) -> Option<String> {
        let is_new = |one: &sim_ec2::Instance| one.tags.get("snapkeep:restore") == Some(&self.id);
        self.app.ec2.instances().into_iter().find(is_new).map(|one| one.id)
    }

    /// The device of the data volume that is restored.
    pub(super) fn device(&self) -> &'static str {
        if self.course.kind == Kind::Volumes { "/dev/sdy" } else { "/dev/sdb" }
    }

    /// Whether the restore comes to wait in this step. It is looked at step by step until then.
    async fn comes_to(&mut self, step: StepName) -> bool {
        for _ in 0..30 {
            let restore = record(&self.app, &self.id).await;
            if restore.status != RestoreStatus::Requested
                && restore.step().is_some_and(|(_, at)| at.name == step && at.is_begun())
            {
                return true;
            }
            let is_past = restore.way().iter().any(|at| at.name == step && at.is_over());
            if is_past || restore.status.is_over() {
                return false;
            }
            drive(&self.app, &self.id, 1).await;
            self.witness.look(&self.app);
        }
        false
    }

    /// Whether something can be done then; it is.
    async fn is_disturbed(&mut self, hand: Hand, moment: Moment) -> bool {
        let deed = match moment {
            Moment::Before(step) => self.disturbed_before(hand, self.course.at(step)).await,
            Moment::In(step) => {
                if !self.comes_to(step).await {
                    return false;
                }
                hand.act(self, self.course.at(step))
            }
            Moment::Always => Deed::Nothing,
        };
        self.witness.look(&self.app);
        self.stops += u64::from(hand == Hand::Stops);
        match deed {
            Deed::Nothing => false,
            Deed::Done => true,
            Deed::Attached(place) => {
                self.by_hand = Some(place);
                true
            }
            Deed::Terminated(going) => {
                for volume in &going {
                    self.witness.excuse(volume);
                }
                true
            }
        }
    }

    async fn disturbed_before(&mut self, hand: Hand, at: &'static At) -> Deed {
        if let Some(step) = at.after {
            assert!(self.comes_to(step).await, "{}: {step}", self.course.name);
        }
        let (mut deed, world) = (Deed::Nothing, &*self);
        let work = drive(&world.app, &world.id, 12);
        let words = match at.call.unwrap() {
            Call::Says(words) => words.to_owned(),
            Call::Token => record(&self.app, &self.id).await.token(at.step, "0-0"),
        };
        world.app.wire.amid(&words, Box::pin(work), async { deed = hand.act(world, at) }).await;
        deed
    }

    /// Says what is to become of it.
    async fn says(&self, what: &str, body: Value) {
        let path = format!("/v1/restores/{}/{what}", self.id);
        self.app.call("POST", &path, body).await.expect(202);
    }

    /// How it stands once it is over, or has stopped, or some time has passed.
    pub(super) async fn lives_on(&mut self) -> Ended {
        for _ in 0..MINUTES {
            self.app.pass_minutes(1).await;
            self.witness.look(&self.app);
            let status = record(&self.app, &self.id).await.status;
            if status.is_over() || status == RestoreStatus::Failed {
                break;
            }
        }
        // EC2 comes to rest.
        self.app.pass_minutes(1).await;
        self.must_hold();
        self.ended().await
    }

    /// What holds whatever was done.
    fn must_hold(&self) {
        assert_eq!(self.witness.lost(&self.app), Vec::<String>::new(), "{}", self.course.name);
        if let Some(by_hand) = &self.by_hand {
            let volumes = self.app.ec2.volumes();
            let volume = volumes.iter().find(|one| one.id == by_hand.volume).unwrap();
            let at = volume.attachment.as_ref().map(|at| (&*at.instance_id, &*at.device));
            assert_eq!(at, Some((&*by_hand.instance, &*by_hand.device)), "{}", self.course.name);
        }
        if self.course.kind == Kind::InPlaceStopped {
            let stops = self.app.ec2.calls().get("StopInstances").copied().unwrap_or_default();
            assert!(stops <= self.stops, "stopped although stop was not given");
        }
    }

    async fn ended(&self) -> Ended {
        let restore = record(&self.app, &self.id).await;
        let failure = restore.course.failure.clone();
        Ended {
            status: restore.status,
            step: restore.step().map(|(_, step)| step.name),
            code: failure.map(|failure| failure.code).unwrap_or_default(),
            standing: self.standing(),
        }
    }

    /// How the instance stands, and what there is of what was made.
    fn standing(&self) -> String {
        let loose = made(&self.app, &self.id).iter().filter(|one| one.attachment.is_none()).count();
        let kept = match loose {
            0 => String::new(),
            1 => ", 1 new volume loose".to_owned(),
            count => format!(", {count} new volumes loose"),
        };
        let images = if self.app.ec2.images().is_empty() { "" } else { ", an image" };
        match self.course.kind {
            Kind::Instance => {
                let new = self.new_instance().map_or("no new instance".to_owned(), |new| {
                    format!("the new instance is {}", self.state(&new))
                });
                format!("{new}{images}")
            }
            Kind::Drill => {
                let count = made(&self.app, &self.id).len();
                format!("{count} of its volumes left")
            }
            Kind::Volumes => {
                let is_here = |volume: &sim_ec2::Volume| {
                    volume.attachment.as_ref().is_some_and(|at| at.instance_id == self.subject)
                };
                let count = made(&self.app, &self.id).into_iter().filter(is_here).count();
                format!("{count} new at the instance, which is {}{kept}", self.state(&self.subject))
            }
            Kind::InPlace | Kind::InPlaceStopped | Kind::Back | Kind::Root => {
                format!("{}, {}{kept}", self.places(), self.state(&self.subject))
            }
        }
    }

    fn devices(&self) -> BTreeMap<String, String> {
        self.app
            .ec2
            .instance(&self.subject)
            .map(|_| devices(&self.app, &self.subject))
            .unwrap_or_default()
    }

    /// What is at the devices of the instance.
    fn places(&self) -> String {
        let now = self.devices();
        let by_hand = self.by_hand.as_ref();
        let kind = |device: &String| match (now.get(device), self.before.get(device)) {
            (None, _) => "nothing",
            (Some(volume), _) if by_hand.is_some_and(|one| one.volume == *volume) => "theirs",
            (Some(volume), Some(old)) if volume == old => "the old",
            (Some(_), _) => "the new",
        };
        let kinds: Vec<_> = self.before.keys().map(|device| (device, kind(device))).collect();
        match kinds.as_slice() {
            [(_, one), (_, other)] if one == other && *one == "nothing" => "no volumes".to_owned(),
            [(_, one), (_, other)] if one == other => format!("{one} volumes"),
            _ => {
                let places = kinds.iter().map(|(device, kind)| format!("{kind} at {device}"));
                places.collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn state(&self, instance: &str) -> &'static str {
        match self.app.ec2.instance(instance).map(|one| one.state) {
            Some(InstanceState::Running) => "running",
            Some(InstanceState::Stopped) => "stopped",
            Some(InstanceState::Pending) => "starting",
            Some(InstanceState::Stopping) => "stopping",
            Some(InstanceState::ShuttingDown | InstanceState::Terminated) | None => "terminated",
        }
    }
}

/// How things usually stand before and after.
pub(super) async fn usual_of(course: &'static Course) -> Usual {
    let mut world = World::begun(course, Moment::Always, Config::default()).await;
    let after = world.lives_on().await;
    let before = match course.kind {
        Kind::Instance => "no new instance".to_owned(),
        Kind::Drill => "0 of its volumes left".to_owned(),
        Kind::Volumes => "0 new at the instance, which is running".to_owned(),
        Kind::InPlaceStopped => "the old volumes, stopped".to_owned(),
        Kind::InPlace | Kind::Root => "the old volumes, running".to_owned(),
        // The new volumes were attached, and so stay: this is as much as the way back can.
        Kind::Back => after.standing.clone(),
    };
    Usual { before, after: after.standing }
}

impl Ended {
    fn words(&self, usual: &Usual) -> String {
        let Self { status, step, code, standing } = self;
        let but = |word: &str, wanted: &str| {
            if standing == wanted { word.to_owned() } else { format!("{word}: {standing}") }
        };
        match status {
            RestoreStatus::Done => but("done", &usual.after),
            RestoreStatus::Cancelled if *standing == usual.before => "as before".to_owned(),
            RestoreStatus::Cancelled => format!("taken back: {standing}"),
            RestoreStatus::Failed => {
                let step = step.map(StepName::as_str).unwrap_or_default();
                let stopped = format!("`{code}` at {step}");
                if *standing == usual.before { stopped } else { format!("{stopped}: {standing}") }
            }
            RestoreStatus::Requested | RestoreStatus::Running | RestoreStatus::Cancelling => {
                let step = step.map(StepName::as_str).unwrap_or_default();
                format!("waits at {step}: {standing}")
            }
        }
    }
}

impl Outcome {
    /// What it came to where nobody need do anything.
    pub(super) fn of(ended: &Ended, usual: &Usual) -> Self {
        let (retried, given_up) = (String::new(), String::new());
        Self { what: ended.words(usual), retried, given_up }
    }
}

/// What comes of this hand at this moment, and once somebody retries, or gives it up; none where nothing can be done then.
pub(super) async fn played(
    course: &'static Course,
    usual: &Usual,
    hand: Hand,
    moment: Moment,
) -> Option<Outcome> {
    let mut world = World::begun(course, moment, Config::default()).await;
    if !world.is_disturbed(hand, moment).await {
        return None;
    }
    let ended = world.lives_on().await;
    let outcome = Outcome::of(&ended, usual);
    if ended.status != RestoreStatus::Failed {
        return Some(outcome);
    }
    world.says("retry", Value::Null).await;
    let same = |words: String| if words == outcome.what { "the same".to_owned() } else { words };
    let retried = same(world.lives_on().await.words(usual));
    // The same once more, for the other way.
    let mut world = World::begun(course, moment, Config::default()).await;
    assert!(world.is_disturbed(hand, moment).await);
    assert_eq!(world.lives_on().await, ended);
    let leaves = course.kind == Kind::Back;
    let body = if leaves { json!({ "leave": true }) } else { Value::Null };
    world.says("cancel", body).await;
    let given_up = world.lives_on().await.words(usual);
    Some(Outcome { retried, given_up, ..outcome })
}

/// What comes of it where EC2 shows everything late.
pub(super) async fn lagging(course: &'static Course, usual: &Usual) -> Outcome {
    let late = SignedDuration::from_secs(20);
    let config = Config { visibility_lag: late, instance_lag: late, ..Config::default() };
    let mut world = World::begun(course, Moment::Always, config).await;
    let ended = world.lives_on().await;
    Outcome::of(&ended, usual)
}

/// What comes of it where the function dies right after its calls: one in twenty is tried here, and each one where
/// deaths are tried alone.
pub(super) async fn dying(course: &'static Course, usual: &Usual) -> Outcome {
    let mut outcomes = Vec::new();
    for call in (1..).step_by(20) {
        let mut world = World::begun(course, Moment::Always, Config::default()).await;
        let work = Box::pin(drive(&world.app, &world.id, 60));
        let is_alive = world.app.wire.run(Trip::After(call), work).await.is_some();
        world.app.clock.advance(SignedDuration::from_mins(6));
        let outcome = Outcome::of(&world.lives_on().await, usual);
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
        if is_alive {
            break;
        }
    }
    assert_eq!(outcomes.len(), 1, "{}: {outcomes:#?}", course.name);
    outcomes.remove(0)
}
