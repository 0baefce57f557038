//! Who else may make volumes of EBS snapshots.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::SnapshotAttributeName;

use super::errors::{Meaning, failed, meaning};
use super::{Ec2, PAGE_MAX};
use crate::domain::ids::EbsSnapshotId;
use crate::error::Error;

impl Ec2 {
    /// The accounts that an EBS snapshot is shared with one by one; none if it is gone.
    pub async fn shared_with(&self, id: &EbsSnapshotId) -> Result<Option<BTreeSet<String>>, Error> {
        let answer = self
            .client
            .describe_snapshot_attribute()
            .snapshot_id(id.as_str())
            .attribute(SnapshotAttributeName::CreateVolumePermission)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let permissions = answer.create_volume_permissions().iter();
                let accounts = permissions.filter_map(|one| one.user_id());
                Ok(Some(accounts.map(str::to_owned).collect()))
            }
            Err(error) if matches!(meaning(&error), Meaning::Gone(_)) => Ok(None),
            Err(error) => Err(failed("DescribeSnapshotAttribute", error)),
        }
    }

    /// The account's own EBS snapshots of which another one may make volumes; with `all`, those of which every account may.
    pub async fn restorable_by(&self, account: &str) -> Result<BTreeSet<EbsSnapshotId>, Error> {
        let mut found = BTreeSet::new();
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_snapshots()
                .owner_ids("self")
                .restorable_by_user_ids(account)
                .max_results(PAGE_MAX)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeSnapshots", error))?;
            let ids = answer.snapshots().iter().filter_map(|one| one.snapshot_id()?.parse().ok());
            found.extend::<Vec<EbsSnapshotId>>(ids.collect());
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}
