//! Sets without the root volume that others of their instance have, and that nobody wanted left out: taken while an
//! instance stood half apart. The rules judge the others as if there were none of these, so that no half set stands for a
//! day, a week or one of the last, and pushes a whole one out.

use crate::domain::snapshot::Snapshot;
use crate::domain::snapshot::member::Member;

/// For each of these snapshots of one instance whether it is half a set.
pub(super) fn halves(snapshots: &[&Snapshot]) -> Vec<bool> {
    let roots: Vec<_> = snapshots
        .iter()
        .flat_map(|snapshot| snapshot.living_members())
        .filter(|member| member.boot)
        .map(|member| &member.volume_id)
        .collect();
    let is_half = |snapshot: &&Snapshot| {
        let exclusions = &snapshot.request.exclusions;
        let is_wanted = !exclusions.boot_volume
            && !exclusions.volumes.iter().any(|excluded| roots.contains(&excluded));
        let has_root = snapshot.living_members().any(|member| member.boot);
        // Of a copy nobody says which volume it is of.
        let is_known = !snapshot.living_members().any(Member::is_copy);
        !roots.is_empty() && is_wanted && is_known && !has_root
    };
    snapshots.iter().map(is_half).collect()
}

/// The verdicts of `judge` on these snapshots, in their order: on whole ones as if there were no half ones. None if nothing
/// is to be said.
pub(super) fn apart<V>(
    snapshots: &[&Snapshot],
    judge: impl Fn(&[&Snapshot]) -> Option<Vec<V>>,
) -> Option<Vec<V>> {
    let halves = halves(snapshots);
    let of_all = judge(snapshots)?;
    if !halves.contains(&true) {
        return Some(of_all);
    }
    let whole = snapshots.iter().zip(&halves).filter(|(_, half)| !**half);
    let whole: Vec<_> = whole.map(|(snapshot, _)| *snapshot).collect();
    let mut of_whole = judge(&whole)?.into_iter();
    let pick = |(of_all, half): (V, &bool)| if *half { Some(of_all) } else { of_whole.next() };
    of_all.into_iter().zip(&halves).map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::instance::Exclusions;
    use crate::domain::sweep::plan::tests::snapshot;

    /// A set of this hour with its root volume.
    fn whole(hour: i64) -> Snapshot {
        let mut set = snapshot(hour, None);
        set.members.iter_mut().for_each(|member| member.boot = true);
        set
    }

    /// A set of this hour of a data volume alone.
    fn data(hour: i64) -> Snapshot {
        let mut set = snapshot(hour, None);
        set.members.iter_mut().for_each(|member| member.boot = false);
        set
    }

    #[expect(clippy::unnecessary_wraps, reason = "as `apart` takes it")]
    fn newest_two(snapshots: &[&Snapshot]) -> Option<Vec<bool>> {
        let newer = |one: &Snapshot| {
            snapshots.iter().filter(|other| other.taken_at() > one.taken_at()).count()
        };
        Some(snapshots.iter().map(|one| newer(one) < 2).collect())
    }

    #[test]
    fn half_sets_push_no_whole_one_out() {
        let sets = [whole(1), whole(2), data(3), data(4), data(5)];
        let sets: Vec<_> = sets.iter().collect();

        assert_eq!(halves(&sets), [false, false, true, true, true]);
        let kept = apart(&sets, newest_two).unwrap();
        assert_eq!(kept, [true, true, false, true, true]);
    }

    #[test]
    fn what_was_left_out_on_purpose_makes_no_half() {
        let wish = Exclusions { boot_volume: true, ..Exclusions::default() };
        let mut meant = data(2);
        meant.request.exclusions = wish;

        assert_eq!(halves(&[&whole(1), &meant]), [false, false]);
        let only_data = [data(1), data(2)];
        assert_eq!(halves(&only_data.iter().collect::<Vec<_>>()), [false, false]);
    }
}
