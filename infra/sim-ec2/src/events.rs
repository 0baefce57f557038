//! The events of snapshots that EC2 sends to EventBridge, and faults on the way.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock::later,
    ids::{Mint, chance},
    state::snapshot::{CopySource, Snapshot, SnapshotSet},
};

/// Why a snapshot failed.
pub(crate) const INTERNAL: &str = "Internal error";

/// Why a copy failed.
pub(crate) const NOT_COPIED: &str = "Source snapshot ID is not valid";

/// The end of a single snapshot, of a copy, or of a whole set.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    kind: EndingKind,
    /// The snapshots and their volumes.
    members: Vec<(String, String)>,
    started_at: Timestamp,
    ended_at: Timestamp,
    /// The snapshot that failed.
    failed: Option<String>,
}

#[derive(Clone, Debug)]
enum EndingKind {
    Single,
    Copy(CopySource),
    Set,
}

impl Ending {
    pub(crate) fn succeeded(snapshot: &Snapshot, ended_at: Timestamp) -> Self {
        Self {
            kind: snapshot.copy_of.clone().map_or(EndingKind::Single, EndingKind::Copy),
            members: vec![(snapshot.id.clone(), snapshot.volume_id.clone())],
            started_at: snapshot.started_at,
            ended_at,
            failed: None,
        }
    }

    pub(crate) fn failed(snapshot: &Snapshot, ended_at: Timestamp) -> Self {
        Self { failed: Some(snapshot.id.clone()), ..Self::succeeded(snapshot, ended_at) }
    }

    pub(crate) fn of_set(set: SnapshotSet, failed: Option<String>, ended_at: Timestamp) -> Self {
        Self {
            kind: EndingKind::Set,
            members: set.members,
            started_at: set.started_at,
            ended_at,
            failed,
        }
    }

    /// The detail type and the detail, as AWS documents them. The ARNs have the Region where
    /// others have the account; that is how EC2 sends them.
    fn detail(&self, region: &str) -> (&'static str, Value) {
        let cause = match (&self.failed, &self.kind) {
            (None, _) => String::new(),
            (Some(_), EndingKind::Single) => INTERNAL.to_owned(),
            (Some(_), EndingKind::Copy(_)) => NOT_COPIED.to_owned(),
            (Some(id), EndingKind::Set) => format!("Snapshot {id} is in status error"),
        };
        let result = if self.failed.is_some() { "failed" } else { "succeeded" };
        let mut detail = json!({
            "result": result,
            "cause": cause,
            "request-id": "",
            "startTime": event_time(self.started_at),
            "endTime": event_time(self.ended_at),
        });
        let status = if self.failed.is_some() { "error" } else { "completed" };
        let mut members = self.members.iter().map(|(snapshot, volume)| {
            (snapshot_arn(region, snapshot), format!("arn:aws:ec2::{region}:volume/{volume}"))
        });
        let (detail_type, extra) = match &self.kind {
            EndingKind::Single => {
                let (snapshot, source) = members.next().unwrap_or_default();
                let extra = json!({
                    "event": "createSnapshot", "snapshot_id": snapshot, "source": source,
                });
                ("EBS Snapshot Notification", extra)
            }
            EndingKind::Copy(source) => {
                let (snapshot, _) = members.next().unwrap_or_default();
                let source_arn = snapshot_arn(&source.region, &source.snapshot_id);
                let extra = match &self.failed {
                    // `incremental` is a text, though it says yes or no.
                    None => json!({
                        "event": "copySnapshot", "snapshot_id": snapshot, "source": source_arn,
                        "incremental": source.incremental.to_string(),
                        "transferType": "standard",
                    }),
                    Some(_) => json!({
                        "event": "copySnapshot", "snapshot_id": snapshot, "source": source_arn,
                    }),
                };
                ("EBS Snapshot Notification", extra)
            }
            EndingKind::Set => {
                let snapshots: Vec<Value> = members
                    .map(|(snapshot, source)| {
                        json!({ "snapshot_id": snapshot, "source": source, "status": status })
                    })
                    .collect();
                let extra = json!({ "event": "createSnapshots", "snapshots": snapshots });
                ("EBS Multi-Volume Snapshots Completion Status", extra)
            }
        };
        if let (Value::Object(detail), Value::Object(extra)) = (&mut detail, extra) {
            detail.extend(extra);
        }
        (detail_type, detail)
    }

    fn envelope(&self, region: &str, account: &str, id: &str) -> Value {
        let (detail_type, detail) = self.detail(region);
        let resources: Vec<String> =
            self.members.iter().map(|(snapshot, _)| snapshot_arn(region, snapshot)).collect();
        json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": "aws.ec2",
            "account": account,
            "time": event_time(self.ended_at),
            "region": region,
            "resources": resources,
            "detail": detail,
        })
    }
}

fn snapshot_arn(region: &str, id: &str) -> String {
    format!("arn:aws:ec2::{region}:snapshot/{id}")
}

fn event_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Events that have not been taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EventQueue {
    waiting: Vec<Waiting>,
    count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    due: Timestamp,
    number: u64,
    order: Order,
    envelope: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Order {
    AsDue,
    AfterTheNext,
}

/// Where an event comes from: the account's Region and the seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) seed: u64,
}

impl EventQueue {
    /// Sends what `ending` is to be told by, with the first of `faults` that takes it.
    pub(crate) fn send(
        &mut self,
        ending: &Ending,
        sender: Sender<'_>,
        mint: &mut Mint,
        faults: &mut [EventFault],
    ) {
        self.count += 1;
        let number = self.count;
        let envelope = ending.envelope(sender.region, sender.account, &mint.uuid(sender.seed));
        let mut event = Waiting { due: ending.ended_at, number, order: Order::AsDue, envelope };
        let mishap = faults.iter_mut().find_map(|fault| fault.strike(sender.seed, number));
        match mishap {
            None => {}
            Some(Mishap::Lost) => return,
            Some(Mishap::Doubled) => self.waiting.push(event.clone()),
            Some(Mishap::Late(by)) => event.due = later(event.due, by),
            Some(Mishap::Reordered) => event.order = Order::AfterTheNext,
        }
        self.waiting.push(event);
    }

    /// The events due at `now`, oldest first. A reordered one comes after the next that follows
    /// it, in this drain or a later one.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<Value> {
        self.waiting.sort_by_key(|event| (event.due, event.number));
        let due = self.waiting.partition_point(|event| event.due <= now);
        let mut taken = Vec::with_capacity(due);
        let mut held: Vec<Waiting> = Vec::new();
        for event in self.waiting.drain(..due) {
            match event.order {
                Order::AfterTheNext => held.push(event),
                Order::AsDue => {
                    taken.push(event.envelope);
                    taken.extend(held.drain(..).map(|event| event.envelope));
                }
            }
        }
        self.waiting.append(&mut held);
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[derive(Clone, Copy, Debug)]
enum Mishap {
    Lost,
    Doubled,
    Late(SignedDuration),
    Reordered,
}

/// What goes wrong with events: the next ones, a number of them, or some by chance.
#[derive(Clone, Debug)]
pub struct EventFault {
    mishap: Mishap,
    times: u64,
    per_mille: u64,
}

impl EventFault {
    fn new(mishap: Mishap) -> Self {
        Self { mishap, times: 1, per_mille: 1000 }
    }

    /// The next event never arrives.
    pub fn lost() -> Self {
        Self::new(Mishap::Lost)
    }

    /// The next event arrives twice.
    pub fn doubled() -> Self {
        Self::new(Mishap::Doubled)
    }

    /// The next event arrives later by `by`.
    pub fn late(by: SignedDuration) -> Self {
        Self::new(Mishap::Late(by))
    }

    /// The next event arrives after the one that follows it.
    pub fn reordered() -> Self {
        Self::new(Mishap::Reordered)
    }

    /// It befalls `times` events.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// It befalls `per_mille` of a thousand events for ever, chosen by the seed.
    #[must_use]
    pub fn per_mille(self, per_mille: u64) -> Self {
        Self { times: u64::MAX, per_mille, ..self }
    }

    fn strike(&mut self, seed: u64, number: u64) -> Option<Mishap> {
        let draw = chance(seed, &["event", &number.to_string()]) % 1000;
        if self.times == 0 || draw >= self.per_mille {
            return None;
        }
        self.times = self.times.saturating_sub(1);
        Some(self.mishap)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.times == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(second, 0).unwrap()
    }

    fn set(snapshots: &[&str], second: i64) -> Ending {
        let members =
            snapshots.iter().map(|id| ((*id).to_owned(), id.replace("snap", "vol"))).collect();
        let set = SnapshotSet { started_at: at(0), members, pending: 0 };
        Ending::of_set(set, None, at(second))
    }

    fn sent(endings: &[Ending], faults: &mut [EventFault], taken_at: &[i64]) -> Vec<String> {
        let mut queue = EventQueue::default();
        let mut mint = Mint::default();
        let sender = Sender { region: "us-east-1", account: "123456789012", seed: 0 };
        for ending in endings {
            queue.send(ending, sender, &mut mint, faults);
        }
        taken_at
            .iter()
            .map(|second| {
                let drained: Vec<String> = queue
                    .take(at(*second))
                    .iter()
                    .map(|event| event["resources"][0].as_str().unwrap().to_owned())
                    .map(|arn| arn.rsplit('-').next().unwrap().to_owned())
                    .collect();
                drained.join(" ")
            })
            .collect()
    }

    #[test]
    fn a_set_is_told_as_aws_documents_it() {
        let event = set(&["snap-1", "snap-2"], 40).envelope("us-west-2", "123456789012", "x");

        assert_eq!(
            event,
            json!({
                "version": "0",
                "id": "x",
                "detail-type": "EBS Multi-Volume Snapshots Completion Status",
                "source": "aws.ec2",
                "account": "123456789012",
                "time": "1970-01-01T00:00:40Z",
                "region": "us-west-2",
                "resources": [
                    "arn:aws:ec2::us-west-2:snapshot/snap-1",
                    "arn:aws:ec2::us-west-2:snapshot/snap-2",
                ],
                "detail": {
                    "event": "createSnapshots",
                    "result": "succeeded",
                    "cause": "",
                    "request-id": "",
                    "startTime": "1970-01-01T00:00:00Z",
                    "endTime": "1970-01-01T00:00:40Z",
                    "snapshots": [
                        {
                            "snapshot_id": "arn:aws:ec2::us-west-2:snapshot/snap-1",
                            "source": "arn:aws:ec2::us-west-2:volume/vol-1",
                            "status": "completed",
                        },
                        {
                            "snapshot_id": "arn:aws:ec2::us-west-2:snapshot/snap-2",
                            "source": "arn:aws:ec2::us-west-2:volume/vol-2",
                            "status": "completed",
                        },
                    ],
                },
            })
        );
    }

    #[test]
    fn events_come_when_they_are_due_and_once() {
        let endings = [set(&["snap-1"], 10), set(&["snap-2"], 20)];

        assert_eq!(sent(&endings, &mut [], &[9, 10, 20, 30]), ["", "1", "2", ""]);
    }

    #[test]
    fn a_lost_event_never_comes() {
        let endings = [set(&["snap-1"], 10), set(&["snap-2"], 20)];

        assert_eq!(sent(&endings, &mut [EventFault::lost()], &[30]), ["2"]);
    }

    #[test]
    fn a_doubled_event_comes_twice() {
        let endings = [set(&["snap-1"], 10), set(&["snap-2"], 20)];

        assert_eq!(sent(&endings, &mut [EventFault::doubled()], &[30]), ["1 1 2"]);
    }

    #[test]
    fn a_late_event_comes_later() {
        let endings = [set(&["snap-1"], 10), set(&["snap-2"], 20)];
        let late = EventFault::late(SignedDuration::from_secs(60));

        assert_eq!(sent(&endings, &mut [late], &[30, 69, 70]), ["2", "", "1"]);
    }

    #[test]
    fn a_reordered_event_comes_after_the_next() {
        let endings = [set(&["snap-1"], 10), set(&["snap-2"], 20)];

        assert_eq!(sent(&endings, &mut [EventFault::reordered()], &[10, 20]), ["", "2 1"]);
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let endings: Vec<Ending> = (0..100).map(|n| set(&["snap-1"], n)).collect();

        let once = sent(&endings, &mut [EventFault::lost().per_mille(500)], &[100]);
        let again = sent(&endings, &mut [EventFault::lost().per_mille(500)], &[100]);

        let arrived = once[0].split(' ').count();
        assert_eq!(once, again);
        assert!((30..70).contains(&arrived), "{arrived} of 100");
    }
}
