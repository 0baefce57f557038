//! Asks EC2 with whom members are shared, which it tells in no list: of so many snapshots an hour in turn, and of each account
//! that is known at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::warn;

use crate::domain::notes::Sharing;
use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;
use crate::ec2::Ec2;
use crate::error::chain;

/// How many EBS snapshots of a region one look asks about at the most, each by a call of its own; so many accounts, too.
const ASKED_MAX: usize = 100;

const SECONDS_OF_HOUR: i64 = 3_600;

/// What EC2 tells. Where it does not, less is known and nothing waits for it.
pub(super) async fn ask(ec2: &Ec2, records: &[Snapshot], now: Timestamp) -> Sharing {
    let region = ec2.region();
    let mut sharing = Sharing::default();
    let all: Vec<_> = members(records).map(|member| &member.ebs_snapshot_id).collect();
    for id in in_turn(&all, now) {
        match ec2.shared_with(id).await {
            Ok(Some(accounts)) => {
                sharing.of_snapshots.insert(id.clone(), accounts);
            }
            Ok(None) => {}
            Err(error) => {
                warn!(region, error.chain = %chain(&error), "With whom {id} and others are shared is noted later");
                break;
            }
        }
    }
    for account in known_accounts(records, &sharing) {
        match ec2.restorable_by(&account).await {
            Ok(shared) => {
                sharing.of_accounts.insert(account, shared);
            }
            Err(error) => {
                warn!(region, error.chain = %chain(&error), "What is shared with {account} is noted later");
            }
        }
    }
    sharing
}

/// Those whose turn it is in this hour: each comes to it, however many there are.
fn in_turn<T: Copy>(all: &[T], now: Timestamp) -> Vec<T> {
    let hour = usize::try_from(now.as_second() / SECONDS_OF_HOUR).unwrap_or_default();
    let first = hour.wrapping_mul(ASKED_MAX).checked_rem(all.len()).unwrap_or_default();
    let (before, from_first) = all.split_at_checked(first).unwrap_or_default();
    from_first.iter().chain(before).take(ASKED_MAX).copied().collect()
}

/// The accounts that anything is known to be shared with, of this look or an earlier one.
fn known_accounts(records: &[Snapshot], sharing: &Sharing) -> impl Iterator<Item = String> + use<> {
    let noted = members(records).flat_map(|member| &member.notes.shared_with);
    let told = sharing.of_snapshots.values().flatten();
    let known: BTreeSet<String> = noted.chain(told).cloned().collect();
    known.into_iter().take(ASKED_MAX)
}

fn members(records: &[Snapshot]) -> impl Iterator<Item = &Member> {
    records.iter().flat_map(Snapshot::living_members)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn everything_comes_to_its_turn_and_nothing_twice_in_a_look() {
        for (count, hours) in [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3), (1_000, 10)] {
            let all: Vec<u32> = (0..count).collect();
            let begin: Timestamp = "2026-03-01T10:02:00Z".parse().unwrap();
            let mut asked = BTreeSet::new();
            for hour in 0..hours {
                let now = begin + SignedDuration::from_hours(hour);
                let once = in_turn(&all, now);
                let distinct: BTreeSet<_> = once.iter().copied().collect();
                assert_eq!(once.len(), distinct.len(), "{count}");
                assert_eq!(once.len(), all.len().min(ASKED_MAX), "{count}");
                asked.extend(distinct);
            }

            assert_eq!(asked.len(), all.len(), "{count} in {hours} hours");
        }
    }
}
