//! The roles' policies, as they would be in the account and region of a run.

use sim_ec2::iam::Policy;
use yaml_serde::Value;

use super::{Template, TemplateError, function::INSTALLATION, node::Node};
use crate::function::Function;

/// What the references in a policy stand for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The stack's region.
    pub region: &'a str,
    /// The account.
    pub account: &'a str,
    /// The table's name.
    pub table: &'a str,
    /// The bus's name.
    pub bus: &'a str,
    /// The installation's id.
    pub installation: &'a str,
    /// The regions that are looked after, the stack's own among them.
    pub regions: &'a [String],
    /// The parameter `InstanceRoles`.
    pub instance_roles: &'a str,
}

impl Place<'_> {
    /// The table's ARN.
    pub fn table_arn(&self) -> String {
        arn("Table", self)
    }

    /// The bus's ARN.
    pub fn bus_arn(&self) -> String {
        arn("Bus", self)
    }
}

impl Template {
    /// What a function's role may do.
    pub fn policy(&self, function: Function, place: &Place<'_>) -> Result<Policy, TemplateError> {
        let Some(role) = self.roles.get(&function) else { return Ok(Policy::default()) };
        let root = Node::root(role);
        let refused = |why: String| root.refuse(format_args!("the role of {function}: {why}"));
        let mut statements = Vec::new();
        let policies = role.get("Policies").and_then(Value::as_sequence).into_iter().flatten();
        let documents =
            policies.filter_map(|policy| policy.get("PolicyDocument")?.get("Statement"));
        for statement in documents.filter_map(Value::as_sequence).flatten() {
            statements.extend(resolve(statement, place).map_err(refused)?);
        }
        Policy::read(&statements).map_err(refused)
    }
}

/// A value with its references resolved; none is what `AWS::NoValue` leaves.
fn resolve(value: &Value, place: &Place<'_>) -> Result<Option<serde_json::Value>, String> {
    let text = |text: String| Ok(Some(serde_json::Value::String(text)));
    match value {
        Value::Tagged(tagged) => intrinsic(&tagged.tag.to_string(), &tagged.value, place),
        Value::String(plain) => text(plain.clone()),
        Value::Bool(flag) => text(flag.to_string()),
        Value::Number(number) => text(number.to_string()),
        Value::Null => Ok(None),
        Value::Sequence(items) => {
            let items = items.iter().map(|item| resolve(item, place));
            let items: Vec<_> = items.collect::<Result<_, _>>()?;
            Ok(Some(items.into_iter().flatten().collect()))
        }
        Value::Mapping(fields) => {
            let mut resolved = serde_json::Map::new();
            for (key, value) in fields {
                let key = key.as_str().ok_or("a key should be a text")?;
                if let Some(value) = resolve(value, place)? {
                    resolved.insert(key.to_owned(), value);
                }
            }
            Ok(Some(resolved.into()))
        }
    }
}

fn intrinsic(
    tag: &str,
    value: &Value,
    place: &Place<'_>,
) -> Result<Option<serde_json::Value>, String> {
    let unknown = || format!("!{tag} {value:?} is not understood here");
    let plain = value.as_str();
    let text = |text: &str| Ok(Some(serde_json::Value::String(text.to_owned())));
    match (tag.trim_start_matches('!'), plain) {
        ("Ref", Some("AWS::NoValue")) => Ok(None),
        ("Ref", Some("AWS::Region")) => text(place.region),
        ("Ref", Some("InstanceRoles")) => text(place.instance_roles),
        ("GetAtt", Some(reference)) => {
            let name = reference.strip_suffix(".Arn").ok_or_else(unknown)?;
            text(&arn(name, place))
        }
        ("Sub", Some(INSTALLATION)) => text(place.installation),
        ("Sub", Some("${AWS::Region},${Regions}")) => text(&place.regions.join(",")),
        ("Sub", Some(pattern)) => {
            let resolved = pattern
                .replace("${AWS::Partition}", "aws")
                .replace("${AWS::Region}", place.region)
                .replace("${AWS::AccountId}", place.account)
                .replace("${Table.Arn}", &arn("Table", place))
                .replace("${!*}", "${*}");
            if resolved.replace("${*}", "").contains("${") {
                Err(unknown())
            } else {
                text(&resolved)
            }
        }
        ("If", None) => {
            let parts = value.as_sequence().map(Vec::as_slice);
            let Some([condition, then, otherwise]) = parts else { return Err(unknown()) };
            let holds = match condition.as_str() {
                Some("SeveralRegions") => place.regions.len() > 1,
                Some("WithInstanceRoles") => !place.instance_roles.is_empty(),
                Some(_) | None => return Err(unknown()),
            };
            resolve(if holds { then } else { otherwise }, place)
        }
        ("Split", None) => {
            let parts = value.as_sequence().map(Vec::as_slice);
            let Some([separator, list]) = parts else { return Err(unknown()) };
            let list = resolve(list, place)?;
            let (Some(separator), Some(list)) =
                (separator.as_str(), list.as_ref().and_then(serde_json::Value::as_str))
            else {
                return Err(unknown());
            };
            Ok(Some(list.split(separator).collect()))
        }
        _ => Err(unknown()),
    }
}

/// The ARN of a resource of the template, by its logical id.
fn arn(name: &str, place: &Place<'_>) -> String {
    let Place { region, account, table, bus, .. } = place;
    match name {
        "Table" => format!("arn:aws:dynamodb:{region}:{account}:table/{table}"),
        "Bus" => format!("arn:aws:events:{region}:{account}:event-bus/{bus}"),
        // Of queues and log groups nothing is asked here.
        other => format!("arn:aws:local:{region}:{account}:{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(regions: &[String]) -> Place<'_> {
        Place {
            region: "us-east-1",
            account: "123456789012",
            table: "snapkeep",
            bus: "snapkeep",
            installation: "local.snapkeep.us-east-1",
            regions,
            instance_roles: "",
        }
    }

    #[test]
    fn every_function_has_a_role_that_can_be_read() {
        let template = Template::embedded().unwrap();
        let regions = ["us-east-1".to_owned(), "eu-west-1".to_owned()];
        for function in template.functions.keys() {
            for regions in [&regions[..1], &regions] {
                let policy = template.policy(*function, &place(regions)).unwrap();

                // The page asks nobody for anything.
                let is_page = *function == Function::Console;
                assert_eq!(policy.rights("dynamodb").is_empty(), is_page, "{function}");
            }
        }
    }

    #[test]
    fn what_a_role_may_do_stands_in_the_template() {
        let template = Template::embedded().unwrap();
        let regions = ["us-east-1".to_owned()];

        let rights = template.policy(Function::Reaper, &place(&regions)).unwrap().rights("ec2");

        assert!(rights.contains(&("DeleteCondemned".to_owned(), "ec2:DeleteSnapshot".to_owned())));
        let restorer = template.policy(Function::Restorer, &place(&regions)).unwrap();
        assert!(restorer.rights("iam").is_empty());
        let roles =
            Place { instance_roles: "arn:aws:iam::123456789012:role/web-*", ..place(&regions) };
        let restorer = template.policy(Function::Restorer, &roles).unwrap();
        assert_eq!(restorer.rights("iam").len(), 1);
    }
}
