//! What the references of the template lead to.

use std::collections::BTreeMap;

use super::{TemplateError, node::Node};
use crate::function::Function;

/// What a reference may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReferenceKind {
    Api,
    Bus,
    Function(Function),
    Queue,
    Rule,
    Table,
    Topic,
    WithoutEffect,
}

/// What references are resolved with.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) parameters: BTreeMap<&'a str, String>,
    pub(super) kinds: BTreeMap<&'a str, ReferenceKind>,
}

impl Context<'_> {
    /// The queue whose `Arn` stands here.
    pub(super) fn queue_arn(&self, node: &Node<'_>) -> Result<String, TemplateError> {
        let id = node.attribute("Arn")?;
        match self.kinds.get(id) {
            Some(ReferenceKind::Queue) => Ok(id.to_owned()),
            Some(_) | None => Err(node.refuse(format_args!("{id} is no queue"))),
        }
    }
}
