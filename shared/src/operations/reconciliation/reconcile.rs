//! Holds every EBS snapshot of the account against every record, mends what is ours, and stores what it has found. The
//! records are counted on the way.
//!
//! Others' snapshots are never touched; they are reported with whose they seem to be. Each region stands for itself: of
//! one that is out of reach nothing is believed, and what was found there before stays.

mod mend;
mod notes;
mod records;
mod sign;
mod stand_in;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{info, warn};

use self::mend::Mender;
use self::records::Records;
use self::sign::{sign, unsigned};
use self::stand_in::let_stand_in;
use crate::domain::finding::Finding;
use crate::domain::ids::{EbsSnapshotId, SnapshotId};
use crate::domain::ownership::{EbsSnapshot, Images, Owner};
use crate::ec2::{Attachments, Ec2};
use crate::error::{Error, chain};
use crate::metrics::Metric;
use crate::operations::copies::advance::end_unreachable;
use crate::operations::reconciliation;
use crate::operations::reconciliation::recount::{Counted, Reading, RecountReport};
use crate::operations::snapshots::refresh::refresh;
use crate::service::Service;

/// How long an EBS snapshot without a record is left alone: whoever makes it may not have recorded it yet.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// How many of others' snapshots the report names; the rest it counts.
const NAMED_MAX: usize = 1_000;
/// How many of a kind the log names.
const LOGGED_MAX: usize = 50;

/// What is in EC2 and not in the table, and the reverse.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reconciliation {
    /// EBS snapshots of the account.
    pub ebs_snapshots: usize,
    /// Records that lists show.
    pub records: usize,
    /// Records brought in line with EC2, and how they stand now.
    pub refreshed: Vec<(SnapshotId, String)>,
    /// Ours by tag, and what was done about them.
    pub repaired: Vec<(SnapshotId, Repair)>,
    /// Ours by tag, of a record that is deleted: somebody has brought them back, or the record was given up. Left
    /// alone.
    pub left: Vec<EbsSnapshotId>,
    /// Sets whose members got our tags.
    pub adopted: Vec<SnapshotId>,
    /// EBS snapshots of ours of before installations had ids that got ours.
    pub signed: usize,
    /// Others' snapshots, by whose they seem to be.
    pub others: BTreeMap<Owner, usize>,
    /// Which those are, the first thousand.
    pub others_named: Vec<(EbsSnapshotId, Owner)>,
    /// Regions that were out of reach, or told only part of what there is, and why.
    pub out_of_reach: Vec<(String, String)>,
    /// What the count of the records found.
    pub numbers: RecountReport,
}

/// What was done about an EBS snapshot that bears our tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Its set was waiting for it.
    Recovered,
    /// Its set had counted as missing and is back.
    Returned,
    /// Its set has other members: it was made twice, and has a record of its own that a sweep condemns.
    Duplicate,
    /// There was no record: there is one now, made from its tags.
    Rebuilt,
}

/// What a region has.
struct RegionContents {
    /// Every EBS snapshot, without what only tells whose it is.
    snapshots: Vec<EbsSnapshot>,
    /// What bears our tags and names no installation, and the set it says.
    unsigned: BTreeMap<EbsSnapshotId, SnapshotId>,
    /// What is known of each; none if EC2 did not say all that tells.
    findings: Option<Vec<Finding>>,
}

/// Holds everything against everything. One repair's failure does not stop the others, nor one region's outage the
/// other regions; the next hour goes on. It fails if every region is out of reach, or the records cannot be counted.
pub async fn reconcile(service: &Service, now: Timestamp) -> Result<Reconciliation, Error> {
    note_installation(service).await;
    // Before the records, which a count of them goes by.
    let kept = Reading::of(service).await;
    // The records before EC2: what is made meanwhile then has no record here, and is young.
    let records = Records::read(service).await?;
    // At once, before anything is mended: so all are read once an hour, and not twice.
    let counted = match kept {
        Ok(kept) => Counted::of(service, &kept, records.all(), now).await,
        Err(error) => Err(error),
    };
    let counted = counted.inspect_err(|error| {
        warn!(error.chain = %chain(error), "The records are not counted, and the numbers stay as they are");
    });
    let mut report = Reconciliation { records: records.count(), ..Reconciliation::default() };
    let mut failure = None;
    let mut reached = 0;
    for ec2 in service.everywhere() {
        let reconciled = reconcile_region(service, ec2, &records, &mut report, now);
        let Err(error) = Box::pin(reconciled).await else {
            reached += 1;
            continue;
        };
        report.miss(service, ec2.region(), chain(&error), now).await;
        failure = Some(error);
    }
    if let Err(error) = let_stand_in(service, records.all(), now).await {
        warn!(error.chain = %chain(&error), "What was made twice counts later");
    }
    if let Err(error) = Box::pin(end_unreachable(service, records.all(), now)).await {
        warn!(error.chain = %chain(&error), "Copies of regions given up are ended later");
    }
    // Last: with many instances these are thousands of writes, and repairs are not to wait for them.
    let numbers = match counted {
        Ok(counted) => counted.carry_out(service, now).await.inspect_err(|error| {
            warn!(error.chain = %chain(error), "The count of the records is not noted");
        }),
        Err(error) => Err(error),
    };
    report.log();
    service.metrics.count_all(Metric::DriftFound, report.drift());
    match failure {
        Some(error) if reached == 0 => Err(error),
        // What was mended stands, whatever becomes of the numbers.
        Some(_) | None => Ok(Reconciliation { numbers: numbers?, ..report }),
    }
}

/// Says in the table whose it is, and in the log where two installations have one table: then neither knows what is its own.
async fn note_installation(service: &Service) {
    let id = &service.settings.installation;
    match service.table.install(id).await {
        Ok(known) if known == *id => {}
        Ok(known) => warn!("The table is the installation {known}'s, and this one is {id}"),
        Err(error) => {
            warn!(error.chain = %chain(&error), "The table does not say yet that it is {id}'s");
        }
    }
}

async fn reconcile_region(
    service: &Service,
    ec2: &Ec2,
    records: &Records,
    report: &mut Reconciliation,
    now: Timestamp,
) -> Result<(), Error> {
    let region = ec2.region();
    let seen = look(ec2, records, now).await?;
    let here = records.of(region);
    let refreshed = refresh(service, here, &seen.snapshots, now).await;
    report.ebs_snapshots += seen.snapshots.len();
    report.refreshed.extend(refreshed.changed);
    let strays = records.strays(&seen.snapshots, now);
    let mut mender = Mender { service, region, now, report: &mut *report };
    for (set, found) in strays {
        if let Err(error) = Box::pin(mender.repair(&set, &found)).await {
            warn!(snapshot.id = %set, error.chain = %chain(&error), "The repair of {set} waits");
        }
    }
    for adopting in here.iter().filter(|one| one.is_being_adopted()) {
        match reconciliation::tag_adopted(service, std::slice::from_ref(&adopting.id), now).await {
            Ok(done) => report.adopted.extend(done),
            Err(error) => {
                let id = &adopting.id;
                warn!(snapshot.id = %id, error.chain = %chain(&error), "The adoption of {id} waits");
            }
        }
    }
    notes::note(service, ec2, records, now).await;
    match sign(ec2, here, &seen.unsigned).await {
        Ok(signed) => report.signed += signed,
        Err(error) => {
            warn!(region, error.chain = %chain(&error), "What names no installation in {region} waits");
        }
    }
    let Some(mut findings) = seen.findings else {
        let reason = "EC2 did not say which volumes and images there are";
        report.miss(service, region, reason.to_owned(), now).await;
        return Ok(());
    };
    findings.iter().filter(|one| one.owner != Owner::Ours).for_each(|one| report.note_other(one));
    let shown: BTreeSet<_> = seen.snapshots.into_iter().map(|one| one.id).collect();
    findings.extend(records.missing(region, &shown, now));
    // What was mended stands, whatever becomes of the list.
    if let Err(error) = store::store(service, region, findings, now).await {
        warn!(region, error.chain = %chain(&error), "What was found in {region} is not stored");
    }
    Ok(())
}

/// Everything the region has.
async fn look(ec2: &Ec2, records: &Records, now: Timestamp) -> Result<RegionContents, Error> {
    // Before the EBS snapshots: they are many, and what tells about each is not kept.
    let known = match surroundings(ec2).await {
        Ok(known) => Some(known),
        Err(error) => {
            let region = ec2.region();
            warn!(region, error.chain = %chain(&error), "Nobody knows what is whose in {region}");
            None
        }
    };
    let mut snapshots = Vec::new();
    let mut nameless = BTreeMap::new();
    let mut findings = known.as_ref().map(|_| Vec::new());
    let mut token = None;
    loop {
        let (page, next) = ec2.ebs_snapshots_page(token).await?;
        for seen in page {
            if let (Some(known), Some(findings)) = (&known, &mut findings) {
                findings.push(records.finding(&seen, known, now));
            }
            nameless.extend(unsigned(&seen));
            snapshots.push(seen.slim());
        }
        token = next;
        if token.is_none() {
            return Ok(RegionContents { snapshots, unsigned: nameless, findings });
        }
    }
}

async fn surroundings(ec2: &Ec2) -> Result<(Images, Attachments), Error> {
    Ok((ec2.every_image().await?, ec2.every_volume().await?))
}

impl Reconciliation {
    fn note_other(&mut self, found: &Finding) {
        *self.others.entry(found.owner).or_default() += 1;
        if self.others_named.len() < NAMED_MAX {
            self.others_named.push((found.ebs_snapshot_id.clone(), found.owner));
        }
    }

    /// Keeps what is known of a region that did not answer, with the time since when.
    async fn miss(&mut self, service: &Service, region: &str, reason: String, now: Timestamp) {
        warn!(region, error.chain = %reason, "{region} is out of reach and stays as it is");
        if let Err(error) = store::note_out_of_reach(service, region, &reason, now).await {
            warn!(region, error.chain = %chain(&error), "That {region} is out of reach is not stored");
        }
        self.out_of_reach.push((region.to_owned(), reason));
    }

    /// How much is not as the records had it: repairs, and what is missing. That a pending snapshot is done is no drift.
    fn drift(&self) -> usize {
        let is_missing = |(_, status): &&(SnapshotId, String)| status == "missing";
        self.repaired.len() + self.refreshed.iter().filter(is_missing).count()
    }

    /// Logs the repairs: the function's answer is read by nobody.
    fn log(&self) {
        info!(
            "{} EBS snapshots, {} records, {} repairs",
            self.ebs_snapshots,
            self.records,
            self.repaired.len()
        );
        for (owner, count) in &self.others {
            let named = self.others_named.iter().filter(|(_, whose)| whose == owner);
            let ids: Vec<_> = named.map(|(id, _)| id.as_str()).take(LOGGED_MAX).collect();
            info!(
                "{count} EBS snapshots are not ours but seem to be of {owner:?}: {}",
                ids.join(" ")
            );
        }
        if !self.left.is_empty() {
            let ids: Vec<_> =
                self.left.iter().map(EbsSnapshotId::as_str).take(LOGGED_MAX).collect();
            info!(
                "{} EBS snapshots bear our tags and are left alone: {}",
                self.left.len(),
                ids.join(" ")
            );
        }
    }

    fn leave(&mut self, found: &[EbsSnapshot]) {
        self.left.extend(found.iter().map(|one| one.id.clone()));
    }
}
