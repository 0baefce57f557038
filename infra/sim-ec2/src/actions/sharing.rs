//! The accounts that may make volumes of a snapshot.

use std::collections::BTreeSet;

use super::{ActionContext, Reply, describe_snapshots::find, done, keys};
use crate::{errors::Ec2Error, request::Params, xml::Xml};

const MODIFICATIONS_MAX: usize = 500;

/// `ModifySnapshotAttribute`, of which only `createVolumePermission` can be modified.
pub(crate) fn modify(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let snapshot = find(context, id)?;
    let Permissions { added, removed } = Permissions::parse(params)?;
    if added.len() + removed.len() > MODIFICATIONS_MAX {
        return Err(Ec2Error::invalid_parameter(format!(
            "You can make at most {MODIFICATIONS_MAX} modifications in one request"
        )));
    }
    let refused = |message: &str| Err(Ec2Error::new("OperationNotPermitted", message));
    if snapshot.encrypted && added.contains("all") {
        return refused("Encrypted snapshots cannot be made public");
    }
    let own_key = snapshot.kms_key_id.as_ref().is_some_and(|key| keys::is_own(key, context));
    if own_key && !added.is_empty() {
        return refused("Encrypted snapshots with EBS default key cannot be shared");
    }
    context.region.snapshots.change(id, context.moment, |snapshot| {
        snapshot.shared_with.extend(added);
        snapshot.shared_with.retain(|account| !removed.contains(account));
    });
    Ok(done())
}

/// `DescribeSnapshotAttribute`
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let id = params.required("SnapshotId")?;
    let snapshot = find(context, id)?;
    let mut xml = Xml::default();
    xml.leaf("snapshotId", id);
    match params.required("Attribute")? {
        "createVolumePermission" => {
            xml.list("createVolumePermission", &snapshot.shared_with, |xml, account| {
                let name = if account == "all" { "group" } else { "userId" };
                xml.leaf(name, account);
            });
        }
        "productCodes" => xml.element("productCodes", |_| {}),
        other => return Err(Ec2Error::invalid_value(other, "Attribute")),
    }
    Ok(xml)
}

/// Accounts, and `all` for everybody.
struct Permissions {
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Permissions {
    /// From either of the two forms that the request has.
    fn parse(params: &Params) -> Result<Self, Ec2Error> {
        if let Some(other) = params.get("Attribute").filter(|it| *it != "createVolumePermission") {
            return Err(Ec2Error::invalid_value(other, "Attribute"));
        }
        let structured = params.below("CreateVolumePermission");
        let mut added = members(&structured, "Add")?;
        let mut removed = members(&structured, "Remove")?;
        let plain: Vec<String> =
            [params.values("UserId"), params.values("UserGroup")].into_iter().flatten().collect();
        if !plain.is_empty() {
            let named = match params.required("OperationType")? {
                "add" => &mut added,
                "remove" => &mut removed,
                other => return Err(Ec2Error::invalid_value(other, "OperationType")),
            };
            for account in plain {
                named.insert(checked(account)?);
            }
        }
        match (added.is_empty(), removed.is_empty()) {
            (true, true) => Err(Ec2Error::missing_parameter("CreateVolumePermission")),
            (false, false) => Err(Ec2Error::combination(
                "Permissions cannot be added and removed in the same request",
            )),
            (true, false) | (false, true) => Ok(Self { added, removed }),
        }
    }
}

fn members(params: &Params, list: &str) -> Result<BTreeSet<String>, Ec2Error> {
    params
        .structures(list)
        .into_iter()
        .filter_map(|member| member.get("UserId").or(member.get("Group")))
        .map(|account| checked(account.to_owned()))
        .collect()
}

fn checked(account: String) -> Result<String, Ec2Error> {
    let is_account = account.len() == 12 && account.chars().all(|each| each.is_ascii_digit());
    if is_account || account == "all" {
        return Ok(account);
    }
    Err(Ec2Error::new("InvalidUserID.Malformed", format!("Invalid user id: \"{account}\"")))
}
