//! What a seed stands for: how a world is set up, and what people, outsiders and the weather do in it.

use crate::lies::Lie;
use crate::rng::{Rng, mixed};
use crate::rules::Promise;
use crate::weather::Storm;

/// Which of what is there an act is about; what that is turns out when it is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) among: Among,
    pub(crate) nth: usize,
}

/// Among which sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    Newest,
    Oldest,
    /// Those that bear the mark of condemnation.
    Condemned,
    All,
}

/// What a new schedule is like.
#[derive(Clone, Debug)]
pub(crate) struct NewSchedule {
    pub(crate) minutes: i64,
    pub(crate) rules: Option<Promise>,
    /// Its targets: those that bear the tag, or those of these numbers.
    pub(crate) by_tag: bool,
    pub(crate) instances: Vec<usize>,
    pub(crate) without_boot_volume: bool,
    pub(crate) grace_minutes: Option<i64>,
    pub(crate) copies: bool,
    /// Whether one of its snapshots is drilled each day.
    pub(crate) drills: bool,
}

/// What is made of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Restoring {
    NewVolumes,
    /// New volumes, attached to the instance of this number.
    Attached(usize),
    /// Whether the instance may be stopped.
    ReplaceVolumes(bool),
    ReplaceRoot,
    NewInstance,
    Drill,
}

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Nothing: time passes.
    Wait,
    // People.
    MakeSchedule(NewSchedule),
    EditRules(usize, Option<Promise>),
    Enable(usize, bool),
    Retarget(usize, Vec<usize>),
    DropSchedule(usize),
    RunNow(usize),
    Take {
        instance: usize,
        without_boot_volume: bool,
        expires_minutes: Option<i64>,
    },
    Hold(Choice, Option<i64>),
    Unhold(Choice),
    Delete(Choice, Option<i64>),
    Rescue(Choice),
    Sweep,
    Approve,
    Restore(Choice, Restoring),
    /// Of those that people were told of; whether what was made is left as it is.
    CancelRestore(usize, bool),
    RetryRestore(usize),
    Image(Choice),
    Expire(Choice, i64),
    /// Under a schedule, or without one.
    Adopt(Option<usize>),
    HoldAll(Option<i64>),
    UnholdAll,
    Tighten(usize),
    // Outsiders.
    Lose(Choice, Part),
    LoseAllNewest(usize),
    Lock(Choice, usize),
    Archive(Choice, usize),
    FillTags(Choice, usize),
    StripTags(Choice, usize),
    Register(Choice, usize),
    Deregister,
    Retag(usize),
    TakeElsewhere(usize),
    Terminate(usize),
    Unlock(Choice, usize),
    Unarchive(Choice, usize),
    /// Snapshots of another installation of ours, marked for deletion or not.
    TakeAsAnother(usize, bool),
    Stop(usize),
    Start(usize),
    /// A volume of this number is taken off an instance.
    Detach(usize, usize),
    /// Some volume that is free, or a new one, is put to an instance.
    Attach(usize, usize),
    // The weather.
    Storm(Storm),
    RegionOut,
    RegionBack,
    BusOut,
    BusBack,
    Deny(&'static str),
    Allow,
    LoseEvents(u64),
    MemberFails,
    Skew(i64),
    /// Nothing of ours runs for so many hours.
    Standstill(i64),
}

/// How much of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Member(usize),
}

/// An act, with a seed of its own for what goes wrong from then on, and how long it lasts until the next.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) what: What,
    pub(crate) seed: u64,
    pub(crate) minutes: i64,
}

/// How a world is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// How many volumes each instance has.
    pub(crate) instances: Vec<usize>,
    /// Whether there is a second region, with the last of the instances.
    pub(crate) two_regions: bool,
    pub(crate) lag_seconds: i64,
    pub(crate) brake_deletions: u32,
    /// Whether there is a second installation at work in the account.
    pub(crate) is_shared: bool,
    /// In which way the world lies, if it does.
    pub(crate) lie: Option<Lie>,
    /// Whether each call is a line of the history.
    pub(crate) tells_calls: bool,
}

/// A whole history before it has happened.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) setup: Setup,
    pub(crate) acts: Vec<Act>,
}

impl Plan {
    /// What this seed stands for.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::new(mixed(seed ^ 0x5eed));
        let count = 1 + rng.below(3);
        let setup = Setup {
            seed,
            instances: (0..count).map(|_| 1 + rng.below(3)).collect(),
            two_regions: count > 1 && rng.chance(250),
            lag_seconds: *rng.pick(&[0, 0, 3, 20]),
            brake_deletions: *rng.pick(&[2, 10, 1_000]),
            is_shared: rng.chance(150),
            lie: None,
            tells_calls: false,
        };
        let mut acts = Vec::new();
        for _ in 0..=rng.below(2) {
            acts.push(act(What::MakeSchedule(new_schedule(&mut rng)), &mut rng));
        }
        let theme = Theme { outsiders: rng.below(4), storms: rng.below(3) };
        for _ in 0..10 + rng.below(30) {
            let what = what(&mut rng, theme);
            acts.push(act(what, &mut rng));
        }
        // Drills that schedules want come due within a day only.
        let wants_drills =
            |one: &Act| matches!(&one.what, What::MakeSchedule(wanted) if wanted.drills);
        if acts.iter().any(wants_drills) && rng.chance(600) {
            let at = 2 + rng.below(acts.len() - 2);
            acts.insert(at, act(What::Standstill(25), &mut rng));
        }
        Self { setup, acts }
    }
}

impl Plan {
    /// The same in a world that lies, with what it takes for that to be noticed.
    pub(crate) fn lying(mut self, lie: Lie) -> Self {
        self.setup.lie = Some(lie);
        self.setup.is_shared |= lie == Lie::OneInstallation;
        if lie == Lie::DrillsForgotten {
            for act in &mut self.acts {
                if let What::MakeSchedule(wanted) = &mut act.what {
                    wanted.drills = true;
                }
            }
        }
        let mut rng = Rng::new(mixed(self.setup.seed ^ 0x11e));
        for what in what_shows(lie, &mut rng) {
            let place = 2 + rng.below(self.acts.len() - 2);
            let mut shown = act(what, &mut rng);
            // Somebody deletes what is in a restore before that is over.
            if let (Lie::RestoresForgotten, What::Restore(set, _)) = (lie, &shown.what) {
                self.acts.insert(place, act(What::Delete(*set, Some(0)), &mut rng));
                shown.minutes = 0;
            }
            self.acts.insert(place, shown);
        }
        self
    }
}

/// What somebody must have done for a lie to matter, where a history may well have none of it.
fn what_shows(lie: Lie, rng: &mut Rng) -> Vec<What> {
    let mut some = |count: usize, what: &dyn Fn(Choice) -> What| {
        let mut one = || what(Choice { among: Among::All, nth: rng.below(8) });
        (0..count).map(|_| one()).collect()
    };
    match lie {
        Lie::HoldsForgotten | Lie::Unconditional => some(6, &|set| What::Hold(set, None)),
        Lie::RestoresForgotten => {
            some(6, &|set| What::Restore(set, Restoring::ReplaceVolumes(true)))
        }
        Lie::VolumesKept | Lie::VolumesHidden => {
            some(6, &|set| What::Restore(set, Restoring::Drill))
        }
        Lie::LocksHidden => some(4, &|set| What::Lock(set, 0)),
        Lie::ManualsExpire => (0..3)
            .map(|instance| What::Take {
                instance,
                without_boot_volume: false,
                expires_minutes: None,
            })
            .collect(),
        Lie::DrillsForgotten => vec![What::Standstill(25)],
        _ => Vec::new(),
    }
}

/// What a history has much of: some have no outsiders or no storms, so that what is found there needs none.
#[derive(Clone, Copy, Debug)]
struct Theme {
    outsiders: usize,
    storms: usize,
}

fn act(what: What, rng: &mut Rng) -> Act {
    let minutes = *rng.weighted(&[(4, 2), (3, 11), (3, 30), (2, 60)]);
    Act { what, seed: rng.next(), minutes: minutes + rng.within(0, minutes / 2) }
}

fn what(rng: &mut Rng, theme: Theme) -> What {
    let outsiders = u64::try_from(theme.outsiders).unwrap_or(0) * 10;
    let storms = u64::try_from(theme.storms).unwrap_or(0) * 10;
    match rng.weighted(&[(30, 0), (40, 1), (outsiders, 2), (storms, 3)]) {
        0 => What::Wait,
        1 => by_people(rng),
        2 => by_outsiders(rng),
        _ => by_weather(rng),
    }
}

fn by_people(rng: &mut Rng) -> What {
    match rng.below(34) {
        0 => What::MakeSchedule(new_schedule(rng)),
        1..=3 => What::EditRules(rng.below(4), rules(rng)),
        4 => What::Enable(rng.below(4), false),
        5 => What::Enable(rng.below(4), true),
        6 => What::Retarget(rng.below(4), some(rng)),
        7 => What::DropSchedule(rng.below(4)),
        8 => What::RunNow(rng.below(4)),
        9 | 10 => What::Take {
            instance: rng.below(3),
            without_boot_volume: rng.chance(300),
            expires_minutes: rng.chance(600).then(|| rng.within(30, 400)),
        },
        11 | 12 => {
            let until = rng.chance(400).then(|| rng.within(20, 600));
            What::Hold(choice(rng), until)
        }
        13 => What::Unhold(choice(rng)),
        14 | 15 => {
            let grace = rng.chance(500).then(|| rng.within(0, 120));
            What::Delete(choice(rng), grace)
        }
        16 => What::Rescue(Choice { among: Among::Condemned, nth: rng.below(8) }),
        17 => What::Sweep,
        18 => What::Approve,
        19 | 29 | 30 => What::Restore(choice(rng), restoring(rng)),
        31 | 32 => What::CancelRestore(rng.below(4), rng.chance(300)),
        33 => What::RetryRestore(rng.below(4)),
        20 => What::Image(choice(rng)),
        21 => What::Expire(choice(rng), rng.within(20, 300)),
        22 => What::Adopt(rng.chance(500).then(|| rng.below(4))),
        23 => What::HoldAll(rng.chance(500).then(|| rng.within(60, 300))),
        24 => What::UnholdAll,
        _ => What::Tighten(rng.below(4)),
    }
}

fn restoring(rng: &mut Rng) -> Restoring {
    match rng.below(9) {
        0 => Restoring::NewVolumes,
        1 | 2 => Restoring::Attached(rng.below(3)),
        3..=5 => Restoring::ReplaceVolumes(rng.chance(700)),
        6 => Restoring::ReplaceRoot,
        7 => Restoring::NewInstance,
        _ => Restoring::Drill,
    }
}

fn by_outsiders(rng: &mut Rng) -> What {
    let member = rng.below(3);
    match rng.below(25) {
        0 => What::Lose(choice(rng), Part::Whole),
        1 => What::Lose(choice(rng), Part::Member(member)),
        2 | 3 => What::LoseAllNewest(1 + rng.below(3)),
        4 | 5 => What::Lock(choice(rng), member),
        6 => What::Archive(Choice { among: Among::Newest, nth: rng.below(2) }, member),
        7 => What::FillTags(choice(rng), member),
        8 => What::StripTags(choice(rng), member),
        9 | 10 => What::Register(choice(rng), member),
        11 => What::Deregister,
        12 | 13 => What::Retag(rng.below(3)),
        14 => What::TakeElsewhere(rng.below(3)),
        15 => What::Unlock(choice(rng), member),
        16 => What::Unarchive(choice(rng), member),
        17 => What::TakeAsAnother(rng.below(3), rng.chance(500)),
        18 => What::Stop(rng.below(3)),
        19 => What::Start(rng.below(3)),
        20 | 21 => What::Detach(rng.below(3), member),
        22 | 23 => What::Attach(rng.below(3), rng.below(4)),
        _ => What::Terminate(rng.below(6)),
    }
}

fn by_weather(rng: &mut Rng) -> What {
    match rng.below(15) {
        0 | 1 => What::Storm(Storm::Breeze),
        2 | 3 => What::Storm(Storm::Gale),
        4 => What::Storm(Storm::Calm),
        5 => What::RegionOut,
        6 => What::RegionBack,
        7 => What::BusOut,
        8 => What::BusBack,
        9 => {
            let rights = [
                "CreateTags",
                "DeleteSnapshot",
                "CreateSnapshots",
                "DescribeImages",
                "DescribeLockedSnapshots",
                "DescribeInstances",
                "CopySnapshot",
                "CreateVolume",
                "DetachVolume",
            ];
            What::Deny(rights[rng.below(rights.len())])
        }
        10 => What::Allow,
        11 => What::LoseEvents(u64::try_from(1 + rng.below(6)).unwrap_or(1)),
        12 => What::MemberFails,
        13 => What::Standstill(if rng.chance(700) { 25 } else { rng.within(2, 12) }),
        _ => What::Skew(rng.within(-4, 4)),
    }
}

fn choice(rng: &mut Rng) -> Choice {
    let among = *rng.weighted(&[
        (3, Among::Newest),
        (2, Among::Oldest),
        (4, Among::Condemned),
        (2, Among::All),
    ]);
    Choice { among, nth: if among == Among::Newest { rng.below(3) } else { rng.below(8) } }
}

fn some(rng: &mut Rng) -> Vec<usize> {
    (0..=rng.below(2)).map(|_| rng.below(3)).collect()
}

fn new_schedule(rng: &mut Rng) -> NewSchedule {
    NewSchedule {
        minutes: *rng.pick(&[10, 15, 20, 30, 60]),
        rules: rules(rng),
        by_tag: rng.chance(500),
        instances: some(rng),
        without_boot_volume: rng.chance(150),
        grace_minutes: rng.chance(850).then(|| *rng.pick(&[0, 0, 10, 30, 120])),
        copies: rng.chance(150),
        drills: rng.chance(250),
    }
}

fn rules(rng: &mut Rng) -> Option<Promise> {
    let few = |rng: &mut Rng| u32::try_from(1 + rng.below(4)).unwrap_or(1);
    let mut rules = Promise::default();
    match rng.below(12) {
        0 => return None,
        10 | 11 => rules.keep_last = Some(few(rng) * 6),
        1..=5 => rules.keep_last = Some(few(rng)),
        6 => rules.keep_hourly = Some(few(rng)),
        7 => rules.keep_daily = Some(few(rng)),
        8 => rules.max_age_hours = Some(1 + rng.within(0, 4)),
        _ => {
            rules.keep_last = Some(few(rng));
            rules.keep_hourly = Some(few(rng));
        }
    }
    Some(rules)
}
