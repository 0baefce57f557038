//! Restores under people's hands at random: whatever somebody does between any two steps, nothing that was ever attached is
//! deleted, what somebody has attached stays where it is, and nothing is stopped that `stop` did not allow.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceState};

use crate::support::app::App;
use crate::support::hands::{self, Witness};
use crate::support::restores::{begun, devices, drive, made, record};

/// How many courses are tried: some seconds of them.
const COURSES: u64 = 40;
/// How many half minutes each is long.
const MOMENTS: usize = 36;
/// How long what somebody attaches stays at the least: a restore that stands still is looked at every five minutes.
const HELD_FOR: usize = 14;

/// Numbers that follow from a seed: the same seed, the same course.
struct Dice(u64);

impl Dice {
    /// One of so many.
    fn roll(&mut self, sides: u64) -> u64 {
        // Numbers of Knuth's generator; the high bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(all.len()).unwrap();
        all.get(usize::try_from(self.roll(count.max(1))).unwrap())
    }
}

/// A restore, and what people have done beside it.
struct Course {
    app: App,
    dice: Dice,
    web: String,
    db: String,
    id: String,
    witness: Witness,
    /// What people have attached, by volume: where, and until which moment it stays there.
    by_hand: BTreeMap<String, (String, String, usize)>,
    /// How often people have stopped the instance.
    stops: u64,
}

impl Course {
    async fn begun(seed: u64) -> (Self, bool) {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let app = App::start().await;
        let (web, db) = (app.instance("web", 2), app.instance("db", 1));
        let snapshot = app.take_snapshot(&web).await;
        let may_stop = dice.roll(3) > 0;
        let mode = dice.roll(4);
        let body = match mode {
            0 => json!({
                "mode": "new_volumes", "attach_to": db, "volumes": [
                    { "device": "/dev/sda", "attach_as": "/dev/sdx" },
                    { "device": "/dev/sdb", "attach_as": "/dev/sdy" },
                ],
            }),
            _ if may_stop => {
                json!({ "mode": "replace_volumes", "stop": true, "snapshot_first": false })
            }
            _ => json!({ "mode": "replace_volumes", "snapshot_first": false }),
        };
        if mode > 0 && !may_stop {
            app.ec2.set_instance_state(&web, InstanceState::Stopped);
        }
        let id = begun(&app, &snapshot, body).await;
        for action in ["AttachVolume", "DetachVolume", "StartInstances", "StopInstances"] {
            if dice.roll(4) == 0 {
                let fault = Fault::on(action).skip(1 + dice.roll(3));
                app.ec2.fault(match dice.roll(3) {
                    0 => fault.error("InvalidParameterValue", 400),
                    1 => fault.reply_lost(),
                    _ => fault.error("RequestLimitExceeded", 503),
                });
            }
        }
        app.ec2.reset_calls();
        let course = Self {
            witness: Witness::default(),
            by_hand: BTreeMap::new(),
            stops: 0,
            app,
            dice,
            web,
            db,
            id,
        };
        (course, may_stop && mode > 0)
    }

    /// A volume of the restore's, of the instance's, or of neither, that is attached to nothing.
    fn loose_volume(&mut self) -> Option<String> {
        if self.dice.roll(6) == 0 {
            return Some(hands::new_volume(&self.app));
        }
        let loose = made(&self.app, &self.id).into_iter().filter(|one| one.attachment.is_none());
        let loose: Vec<_> = loose.map(|one| one.id).collect();
        self.dice.one_of(&loose).cloned()
    }

    /// Somebody does something in EC2, which may refuse it.
    async fn hand(&mut self, moment: usize) {
        let instance = if self.dice.roll(4) == 0 { self.db.clone() } else { self.web.clone() };
        match self.dice.roll(12) {
            0..=4 => {
                let device =
                    *self.dice.one_of(&["/dev/sda", "/dev/sdb", "/dev/sdg", "/dev/sdh"]).unwrap();
                let Some(volume) = self.loose_volume() else { return };
                // What the restore has asked for itself at this very place is its own, whoever came first.
                let restore = record(&self.app, &self.id).await;
                let mut asked = restore.made.volumes.iter().filter(|one| one.attached_at.is_some());
                let is_asked = asked.any(|one| {
                    one.volume_id.as_ref().is_some_and(|id| id.as_str() == volume)
                        && one.attach_as.as_deref() == Some(device)
                        && restore.mode.target().is_some_and(|target| target.as_str() == instance)
                });
                if hands::attach(&self.app, &volume, &instance, device) && !is_asked {
                    let place = (instance, device.to_owned(), moment + HELD_FOR);
                    self.by_hand.insert(volume, place);
                }
            }
            5 => {
                let ripe = self.by_hand.iter().filter(|(_, (_, _, until))| *until <= moment);
                let ripe: Vec<_> = ripe.map(|(volume, _)| volume.clone()).collect();
                if let Some(volume) = self.dice.one_of(&ripe)
                    && hands::detach(&self.app, volume)
                {
                    self.by_hand.remove(volume);
                }
            }
            6 => {
                let device = *self.dice.one_of(&["/dev/sda", "/dev/sdb"]).unwrap();
                let old = devices(&self.app, &self.web).get(device).cloned();
                if let Some(old) = old.filter(|old| !self.by_hand.contains_key(old)) {
                    hands::detach(&self.app, &old);
                }
            }
            7 | 8 => {
                hands::start(&self.app, &instance);
            }
            9 => {
                hands::stop(&self.app, &instance);
                self.stops += 1;
            }
            10 if self.dice.roll(8) == 0 => {
                self.terminate(&instance, moment);
            }
            _ => {}
        }
    }

    /// Somebody terminates an instance: EC2 deletes what goes with it, and what was there for a short while only may not
    /// have been seen.
    fn terminate(&mut self, instance: &str, moment: usize) {
        for volume in self.app.ec2.volumes() {
            let at = volume.attachment.filter(|at| at.instance_id == instance);
            if at.is_some_and(|at| at.delete_on_termination) {
                self.witness.excuse(&volume.id);
            }
        }
        let here =
            self.by_hand.iter().filter(|(_, (at, _, until))| at == instance && *until > moment);
        for (volume, _) in here {
            self.witness.excuse(volume);
        }
        hands::act(&self.app, &format!("TerminateInstances&InstanceId.1={instance}"));
        self.by_hand.retain(|_, (at, _, _)| at != instance);
    }

    /// Somebody says what is to become of the restore.
    async fn word(&mut self) {
        let id = &self.id;
        let (path, body) = match self.dice.roll(8) {
            0..=2 => (format!("/v1/restores/{id}/cancel"), Value::Null),
            3 | 4 => (format!("/v1/restores/{id}/retry"), Value::Null),
            5 if self.dice.roll(4) == 0 => {
                (format!("/v1/restores/{id}/cancel"), json!({ "leave": true }))
            }
            _ => return,
        };
        self.app.call("POST", &path, body).await;
    }

    fn must_hold(&self, seed: u64, moment: usize) {
        assert_eq!(
            self.witness.lost(&self.app),
            Vec::<String>::new(),
            "course {seed}, moment {moment}"
        );
        let volumes = self.app.ec2.volumes();
        for (volume, (instance, device, _)) in &self.by_hand {
            let place = volumes.iter().find(|one| one.id == *volume);
            let place = place.and_then(|one| one.attachment.clone());
            let place = place.map(|at| (at.instance_id, at.device));
            let wanted = Some((instance.clone(), device.clone()));
            assert_eq!(
                place, wanted,
                "course {seed}, moment {moment}: {volume} was attached by hand"
            );
        }
    }
}

#[tokio::test]
async fn whatever_people_do_nothing_that_was_ever_attached_is_deleted() {
    let (mut ends, mut attached_by_hand) = (BTreeMap::new(), 0);
    for seed in 1..=COURSES {
        let (mut course, may_stop) = Course::begun(seed).await;
        for moment in 0..MOMENTS {
            course.witness.look(&course.app);
            if course.dice.roll(2) == 0 {
                course.hand(moment).await;
                attached_by_hand += course.by_hand.len();
            }
            course.witness.look(&course.app);
            if moment > 6 && course.dice.roll(4) == 0 {
                course.word().await;
            }
            // Each look is by a worker that does not stay, so that hands come between any two of its steps.
            drive(&course.app, &course.id, 1).await;
            course.must_hold(seed, moment);
        }
        // However it stands, a person can give it up, and still nothing is lost.
        let path = format!("/v1/restores/{}/cancel", course.id);
        course.app.call("POST", &path, Value::Null).await;
        drive(&course.app, &course.id, 24).await;
        course.must_hold(seed, MOMENTS);
        if !may_stop {
            let stops = course.app.ec2.calls().get("StopInstances").copied().unwrap_or_default();
            assert!(stops <= course.stops, "course {seed}: stopped although stop was never given");
        }
        let end = record(&course.app, &course.id).await.status.to_string();
        *ends.entry(end).or_insert(0) += 1;
    }
    // The courses are of use only if they come to different ends.
    assert!(ends.len() >= 3 && attached_by_hand > 50, "{ends:?}, {attached_by_hand}");
}
