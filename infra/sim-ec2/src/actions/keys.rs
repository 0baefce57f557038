//! The KMS keys that volumes and snapshots are encrypted with.

use super::ActionContext;
use crate::{errors::Ec2Error, ids, request::Params};

/// EBS's own key, which is taken when no other is named.
const OWN: &str = "alias/aws/ebs";

/// The key that a request names: it must ask for encryption as well.
pub(crate) fn named(params: &Params, encrypted: Option<bool>) -> Result<Option<&str>, Ec2Error> {
    match (params.get("KmsKeyId"), encrypted) {
        (Some(_), None | Some(false)) => Err(Ec2Error::dependency(
            "The parameter KmsKeyId requires the parameter Encrypted to be set.",
        )),
        (named, _) => Ok(named),
    }
}

/// The ARN of a key by its ARN, its id or an alias, in this Region; without a name EBS's own.
pub(crate) fn arn(name: Option<&str>, context: &ActionContext<'_>) -> String {
    let name = name.unwrap_or(OWN);
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let account = context.account;
    let id = if name.starts_with("alias/") {
        ids::uuid_of(context.config.seed, &["key", account, context.name, name])
    } else {
        name.to_owned()
    };
    format!("arn:aws:kms:{}:{account}:key/{id}", context.name)
}

/// Whether it is EBS's own key, which no other account can use.
pub(crate) fn is_own(arn_of_key: &str, context: &ActionContext<'_>) -> bool {
    arn_of_key == arn(None, context)
}
