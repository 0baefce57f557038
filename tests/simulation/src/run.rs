//! One history from its beginning to its end.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::SignedDuration;
use local::dispatch::Message;

use crate::ledger::Violation;
use crate::oracle::{Books, Judgement, judge_calm, judge_drills};
use crate::plan::{Act, Plan, What};
use crate::rng::{Rng, mixed};
use crate::wire::held;
use crate::world::World;

/// How long what was under way in bad weather may take to end.
const ENDING: SignedDuration = SignedDuration::from_mins(30);
/// How long it is calm then: two hourly sweeps.
const CALM: SignedDuration = SignedDuration::from_mins(100);
/// How long nothing new is begun after that: an hourly sweep, a count, and the grace of what the sweeps have condemned.
const QUIET: SignedDuration = SignedDuration::from_mins(150);

/// What came of a history.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What must never be, and was: the first of each kind.
    pub violations: Vec<Violation>,
    /// What happened, in order.
    pub history: Vec<String>,
    /// How many acts there were.
    pub acts: usize,
    /// How many calls of functions there were.
    pub events: usize,
    /// How many calls these made.
    pub calls: usize,
    /// The same by who called and what for.
    pub calls_by: BTreeMap<String, usize>,
}

/// What comes of this seed.
pub fn run(seed: u64) -> Verdict {
    carry_out(&Plan::of(seed))
}

/// What comes of this plan.
pub(crate) fn carry_out(plan: &Plan) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let runtime = Rc::new(runtime);
    let mut world = World::new(&plan.setup, Rc::clone(&runtime));
    // Whoever asks for a timeout of the runtime's gets one that never comes: no time passes there.
    let entered = runtime.enter();
    world.found_another();
    world.is_kind = false;
    for act in &plan.acts {
        world.act(act);
        if !held(&world.ledger).violations.is_empty() {
            break;
        }
    }
    if held(&world.ledger).violations.is_empty() {
        world.settle();
    }
    drop(entered);
    let ledger = held(&world.ledger);
    Verdict {
        violations: ledger.violations.clone(),
        history: ledger.history.clone(),
        acts: plan.acts.len(),
        events: ledger.events,
        calls: ledger.calls,
        calls_by: ledger.calls_by.clone(),
    }
}

impl World {
    fn act(&mut self, act: &Act) {
        let Act { what, seed, minutes } = act;
        self.rng = Rng::new(*seed);
        held(&self.weather).rng = Rng::new(mixed(*seed));
        match what {
            What::Wait => {}
            What::MakeSchedule(_)
            | What::EditRules(..)
            | What::Enable(..)
            | What::Retarget(..)
            | What::DropSchedule(_)
            | What::RunNow(_)
            | What::Take { .. }
            | What::Hold(..)
            | What::Unhold(_)
            | What::Delete(..)
            | What::Rescue(_)
            | What::Sweep
            | What::Approve
            | What::Restore(..)
            | What::CancelRestore(..)
            | What::RetryRestore(_)
            | What::Image(_)
            | What::Expire(..)
            | What::Adopt(_)
            | What::HoldAll(_)
            | What::UnholdAll
            | What::Tighten(_) => self.by_person(what),
            What::Lose(..)
            | What::LoseAllNewest(_)
            | What::Lock(..)
            | What::Archive(..)
            | What::FillTags(..)
            | What::StripTags(..)
            | What::Register(..)
            | What::Deregister
            | What::Retag(_)
            | What::TakeElsewhere(_)
            | What::Unlock(..)
            | What::Unarchive(..)
            | What::TakeAsAnother(..)
            | What::Terminate(_) => self.by_outsider(what),
            What::Stop(_) | What::Start(_) | What::Detach(..) | What::Attach(..) => {
                self.at_a_machine(what);
            }
            What::Storm(_)
            | What::RegionOut
            | What::RegionBack
            | What::BusOut
            | What::BusBack
            | What::Deny(_)
            | What::Allow
            | What::LoseEvents(_)
            | What::MemberFails
            | What::Standstill(_)
            | What::Skew(_) => self.by_weather(what),
        }
        self.pass(SignedDuration::from_mins(*minutes));
    }

    /// Lets it be calm, and looks at everything then.
    fn settle(&mut self) {
        self.calm_down();
        let since = self.now();
        // What was under way ends first, badly as it may.
        self.pass(ENDING);
        let (before, calm_at) = (self.given_up(), self.now());
        self.pass(CALM);
        let schedules = Books::schedules(&self.database);
        judge_drills(&mut held(&self.ledger), &schedules, self.now());
        self.disable_all();
        self.pass(QUIET);
        if !held(&self.ledger).violations.is_empty() {
            return;
        }
        let mut given_up = self.given_up();
        // In bad weather the same is sent again and again, and fails. Of what is left over some may meet at one record, and fail
        // once more. What cannot be done at all fails when it is sent again in fine weather, too.
        given_up.retain(|message| !before.contains(message) && message.first_received_at > calm_at);
        let statistics = self.ask("GET", "/v1/snapshots/stats", serde_json::Value::Null).body;
        let (books, snapshots) = (Books::read(&self.database), self.ec2.snapshots());
        let volumes = self.ec2.volumes();
        let now = self.now();
        let judgement = Judgement {
            books: &books,
            snapshots: &snapshots,
            volumes: &volumes,
            since,
            now,
            statistics: &statistics,
            given_up: &given_up,
        };
        judge_calm(&mut held(&self.ledger), &judgement);
    }

    /// What is in the queues of dead letters.
    fn given_up(&self) -> Vec<Message> {
        let dispatch = self.bus.dispatch();
        let names = dispatch.dead_letters().into_keys();
        names.flat_map(|name| dispatch.messages(name)).cloned().collect()
    }
}
