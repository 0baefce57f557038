//! `ImportKeyPair`, `DescribeKeyPairs` and `DeleteKeyPair`.

use super::{ActionContext, Reply, done, networks};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    request::Params,
    state::Tags,
    xml::Xml,
};

/// `ImportKeyPair`: the name is what counts here, and the key is not looked at.
pub(crate) fn import(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let name = params.required("KeyName")?.to_owned();
    params.required("PublicKeyMaterial")?;
    if !context.region.network.keys.insert(name.clone()) {
        return Err(Ec2Error::new(
            "InvalidKeyPair.Duplicate",
            format!("The keypair '{name}' already exists."),
        ));
    }
    let mut xml = Xml::default();
    write(&mut xml, &name);
    Ok(xml)
}

/// `DescribeKeyPairs`, which EC2 answers in one page.
pub(crate) fn describe(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let filters = Filters::parse(params, &["key-name"])?;
    let named = params.values("KeyName");
    for name in &named {
        networks::check_key(context, Some(name))?;
    }
    let no_tags = Tags::new();
    let keys = context.region.network.keys.iter().filter(|name| {
        (named.is_empty() || named.contains(name))
            && filters.admit(&no_tags, |_| one(name.as_str()))
    });
    let mut xml = Xml::default();
    xml.list("keySet", keys, |xml, name| write(xml, name));
    Ok(xml)
}

/// `DeleteKeyPair`. Instances keep it, and one that is not there is no error.
pub(crate) fn delete(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let name = params.required("KeyName")?;
    context.region.network.keys.remove(name);
    Ok(done())
}

fn write(xml: &mut Xml, name: &str) {
    xml.leaf("keyName", name);
    xml.leaf("keyType", "ed25519");
}
