//! A rule written out: by the clock, or for the events of a bus.

use shared::domain::schedule::expression::Expression;

use super::{
    BusKind, BusRule, ScheduleRule, Target, Template, TemplateError,
    context::{Context, ReferenceKind},
    node::{Fields, Node},
};
use crate::dispatch::pattern::Pattern;

pub(super) fn read(
    id: &str,
    properties: &Node<'_>,
    context: &Context<'_>,
    template: &mut Template,
) -> Result<(), TemplateError> {
    let fields = properties.fields(&[
        "Name",
        "Description",
        "EventBusName",
        "EventPattern",
        "ScheduleExpression",
        "Targets",
    ])?;
    let mut targets = Vec::new();
    for node in fields.required("Targets")?.items()? {
        targets.push(target(&node, context)?);
    }
    match (fields.get("EventPattern"), fields.get("ScheduleExpression")) {
        (Some(pattern), None) => {
            let pattern = self::pattern(&pattern)?;
            let bus = bus(&fields, context)?;
            template.rules.push(BusRule { name: id.to_owned(), bus, pattern, targets });
        }
        (None, Some(when)) => {
            let expression = expression(&when)?;
            for target in targets {
                let Target::Function(function) = target else {
                    return Err(when.refuse("the local run fires functions only"));
                };
                let expression = expression.clone();
                template.schedules.push(ScheduleRule { name: id.to_owned(), expression, function });
            }
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(properties.refuse("should have one of EventPattern, ScheduleExpression"));
        }
    }
    Ok(())
}

pub(super) fn expression(node: &Node<'_>) -> Result<Expression, TemplateError> {
    node.text()?.parse().map_err(|error| node.refuse(error))
}

fn bus(fields: &Fields<'_>, context: &Context<'_>) -> Result<BusKind, TemplateError> {
    let Some(name) = fields.get("EventBusName") else { return Ok(BusKind::Default) };
    match name.reference().and_then(|id| context.kinds.get(id)) {
        Some(ReferenceKind::Bus) => Ok(BusKind::Own),
        Some(_) | None => Err(name.refuse("should be !Ref of the bus")),
    }
}

fn pattern(node: &Node<'_>) -> Result<Pattern, TemplateError> {
    let known =
        ["account", "detail", "detail-type", "id", "region", "resources", "source", "version"];
    node.fields(&known)?;
    let json = serde_json::to_value(node.value()).map_err(|error| node.refuse(error))?;
    Pattern::try_from(&json).map_err(|error| node.refuse(error))
}

fn target(node: &Node<'_>, context: &Context<'_>) -> Result<Target, TemplateError> {
    let fields = node.fields(&["Id", "Arn", "RetryPolicy", "DeadLetterConfig"])?;
    let arn = fields.required("Arn")?;
    let id = arn.attribute("Arn")?;
    match context.kinds.get(id) {
        Some(ReferenceKind::Queue) => Ok(Target::Queue(id.to_owned())),
        Some(ReferenceKind::Function(function)) => Ok(Target::Function(*function)),
        Some(_) | None => Err(arn.refuse(format_args!("{id} is neither a queue nor a function"))),
    }
}
