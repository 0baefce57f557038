//! A function: its environment, its time, and what calls it.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    Access, AsyncInvoke, EnvironmentValue, Failures, FunctionSettings, QueueMapping, Route,
    ScheduleRule, Template, TemplateError,
    context::{Context, ReferenceKind},
    node::Node,
    rule,
};
use crate::function::Function;

/// How the code is built, where it logs and what it costs: of no effect here.
const WITHOUT_EFFECT: [&str; 9] = [
    "Architectures",
    "CodeUri",
    "Description",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "Runtime",
    "Tags",
    "Tracing",
];

/// Under this condition the stack has a sign-in; here nobody signs in.
const WITH_SIGN_IN: &str = "UseCognito";
/// What a stack's installation is called; here there is no stack.
pub(super) const INSTALLATION: &str = "${AWS::StackName}.${AWS::Region}";

/// What all functions have in common.
#[derive(Debug, Default)]
pub(super) struct Globals {
    environment: BTreeMap<String, EnvironmentValue>,
    timeout: Option<SignedDuration>,
}

/// One function's place in the template.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) id: &'a str,
    pub(super) function: Function,
    pub(super) globals: &'a Globals,
}

/// The function that the resource's build names.
pub(super) fn name(resource: &Node<'_>) -> Result<Function, TemplateError> {
    let binary = resource
        .get("Metadata")
        .and_then(|metadata| metadata.get("BuildProperties"))
        .and_then(|properties| properties.get("Binary"))
        .ok_or_else(|| resource.refuse("Metadata.BuildProperties.Binary is missing"))?;
    binary.text()?.parse().map_err(|error: String| binary.refuse(error))
}

pub(super) fn globals(
    node: Option<Node<'_>>,
    context: &Context<'_>,
) -> Result<Globals, TemplateError> {
    let Some(node) = node else { return Ok(Globals::default()) };
    let Some(function) = node.fields(&["Function"])?.get("Function") else {
        return Ok(Globals::default());
    };
    let mut known = WITHOUT_EFFECT.to_vec();
    known.extend(["Environment", "Timeout"]);
    let fields = function.fields(&known)?;
    Ok(Globals {
        environment: environment(fields.get("Environment"), context)?,
        timeout: fields.get("Timeout").map(|timeout| timeout.seconds()).transpose()?,
    })
}

impl Block<'_> {
    pub(super) fn read(
        &self,
        properties: &Node<'_>,
        context: &Context<'_>,
        template: &mut Template,
    ) -> Result<(), TemplateError> {
        let mut known = WITHOUT_EFFECT.to_vec();
        known.extend(["Environment", "Timeout", "EventInvokeConfig", "Events", "Role"]);
        let fields = properties.fields(&known)?;
        let mut environment_here = self.globals.environment.clone();
        environment_here.extend(environment(fields.get("Environment"), context)?);
        let timeout = fields.get("Timeout").map(|timeout| timeout.seconds()).transpose()?;
        let settings = FunctionSettings {
            environment: environment_here,
            role: fields.get("Role").and_then(|role| role.attribute("Arn").ok()).map(str::to_owned),
            // Lambda's default is three seconds.
            timeout: timeout.or(self.globals.timeout).unwrap_or(SignedDuration::from_secs(3)),
            invoke: invoke(fields.get("EventInvokeConfig"), context)?,
        };
        if template.functions.insert(self.function, settings).is_some() {
            return Err(properties.refuse(format_args!("{} is here twice", self.function)));
        }
        let events = fields.get("Events").map(|events| events.entries()).transpose()?;
        for (name, event) in events.unwrap_or_default() {
            self.event(name, &event, context, template)?;
        }
        Ok(())
    }

    fn event(
        &self,
        name: &str,
        event: &Node<'_>,
        context: &Context<'_>,
        template: &mut Template,
    ) -> Result<(), TemplateError> {
        let fields = event.fields(&["Type", "Properties"])?;
        let kind = fields.required("Type")?;
        let properties = fields.required("Properties")?;
        match kind.text()? {
            "HttpApi" => template.routes.push(self.route(&properties, context)?),
            "Schedule" => {
                let name = format!("{}{name}", self.id);
                template.schedules.push(self.schedule(name, &properties)?);
            }
            "SQS" => template.mappings.push(self.mapping(&properties, context)?),
            other => {
                return Err(kind.refuse(format_args!(
                    "the local run cannot interpret events of type {other}"
                )));
            }
        }
        Ok(())
    }

    fn route(&self, properties: &Node<'_>, context: &Context<'_>) -> Result<Route, TemplateError> {
        let fields =
            properties.fields(&["ApiId", "Method", "Path", "PayloadFormatVersion", "Auth"])?;
        if !matches!(self.function, Function::Api | Function::Console) {
            return Err(
                properties.refuse("the local run knows routes of the api and the page only")
            );
        }
        let api = fields.required("ApiId")?;
        let kind = api.reference().and_then(|id| context.kinds.get(id));
        if kind != Some(&ReferenceKind::Api) {
            return Err(api.refuse("should be !Ref of the HTTP API"));
        }
        if let Some(version) = fields.get("PayloadFormatVersion")
            && version.text()? != "2.0"
        {
            return Err(version.refuse("the local run speaks 2.0 only"));
        }
        let authorizer = fields.get("Auth").map(|auth| auth.fields(&["Authorizer"])).transpose()?;
        let authorizer = authorizer.and_then(|auth| auth.get("Authorizer"));
        let access = match authorizer.map(|name| name.text()).transpose()? {
            Some("NONE") => Access::Open,
            // The API's default authorizer, when nothing is said.
            Some(_) | None => Access::Authorized,
        };
        let method = fields.required("Method")?.text()?.to_uppercase();
        Ok(Route {
            method: (method != "ANY").then_some(method),
            path: fields.required("Path")?.text()?.to_owned(),
            access,
            function: self.function,
        })
    }

    /// The rule's own retries and dead letters are for events that could not be handed over, which does not
    /// happen on one machine.
    fn schedule(&self, name: String, properties: &Node<'_>) -> Result<ScheduleRule, TemplateError> {
        let fields = properties.fields(&[
            "Description",
            "Schedule",
            "RetryPolicy",
            "DeadLetterConfig",
            "Name",
        ])?;
        let expression = rule::expression(&fields.required("Schedule")?)?;
        Ok(ScheduleRule { name, expression, function: self.function })
    }

    fn mapping(
        &self,
        properties: &Node<'_>,
        context: &Context<'_>,
    ) -> Result<QueueMapping, TemplateError> {
        let fields = properties.fields(&[
            "Queue",
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "FunctionResponseTypes",
            "ScalingConfig",
        ])?;
        let batch_size = fields.get("BatchSize").map(|size| count(&size)).transpose()?;
        let window = fields.get("MaximumBatchingWindowInSeconds");
        let scaling = fields.get("ScalingConfig");
        let scaling = scaling.map(|node| node.fields(&["MaximumConcurrency"])).transpose()?;
        let concurrency = scaling.and_then(|scaling| scaling.get("MaximumConcurrency"));
        Ok(QueueMapping {
            queue: context.queue_arn(&fields.required("Queue")?)?,
            function: self.function,
            // SQS's default for Lambda.
            batch_size: batch_size.unwrap_or(10).max(1),
            window: window.map(|window| window.seconds()).transpose()?.unwrap_or_default(),
            concurrency: concurrency.map(|most| count(&most)).transpose()?,
            failures: failures(fields.get("FunctionResponseTypes"))?,
        })
    }
}

fn count(node: &Node<'_>) -> Result<usize, TemplateError> {
    usize::try_from(node.count()?).map_err(|error| node.refuse(error))
}

fn failures(node: Option<Node<'_>>) -> Result<Failures, TemplateError> {
    let Some(node) = node else { return Ok(Failures::Whole) };
    for each in node.items()? {
        if each.text()? != "ReportBatchItemFailures" {
            return Err(each.refuse("the local run knows ReportBatchItemFailures only"));
        }
    }
    Ok(Failures::Reported)
}

fn environment(
    node: Option<Node<'_>>,
    context: &Context<'_>,
) -> Result<BTreeMap<String, EnvironmentValue>, TemplateError> {
    let Some(node) = node else { return Ok(BTreeMap::new()) };
    let Some(variables) = node.fields(&["Variables"])?.get("Variables") else {
        return Ok(BTreeMap::new());
    };
    let entries = variables.entries()?.into_iter();
    entries.map(|(name, value)| Ok((name.to_owned(), variable(&value, context)?))).collect()
}

fn variable(node: &Node<'_>, context: &Context<'_>) -> Result<EnvironmentValue, TemplateError> {
    if node.substitution() == Some(INSTALLATION) {
        return Ok(EnvironmentValue::Installation);
    }
    if let Some((WITH_SIGN_IN, otherwise)) = node.choice() {
        return variable(&otherwise, context);
    }
    let Some(name) = node.reference() else {
        let literal = node.scalar().map_err(|_| {
            node.refuse("should be a literal or a !Ref of a parameter, the table or the bus")
        })?;
        return Ok(EnvironmentValue::Literal(literal));
    };
    if let Some(default) = context.parameters.get(name) {
        return Ok(EnvironmentValue::Literal(default.clone()));
    }
    match context.kinds.get(name) {
        Some(ReferenceKind::Table) => Ok(EnvironmentValue::Table),
        Some(ReferenceKind::Bus) => Ok(EnvironmentValue::Bus),
        Some(_) | None => Err(node.refuse(format_args!(
            "!Ref {name} leads to no parameter with a default, no table and no bus"
        ))),
    }
}

fn invoke(node: Option<Node<'_>>, context: &Context<'_>) -> Result<AsyncInvoke, TemplateError> {
    let Some(node) = node else { return Ok(AsyncInvoke::default()) };
    let fields =
        node.fields(&["MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"])?;
    let default = AsyncInvoke::default();
    let retries = fields.get("MaximumRetryAttempts").map(|most| most.count()).transpose()?;
    let age = fields.get("MaximumEventAgeInSeconds").map(|most| most.seconds()).transpose()?;
    Ok(AsyncInvoke {
        retries_max: retries.unwrap_or(default.retries_max),
        age_max: age.unwrap_or(default.age_max),
        on_failure: destination(fields.get("DestinationConfig"), context)?,
    })
}

fn destination(
    node: Option<Node<'_>>,
    context: &Context<'_>,
) -> Result<Option<String>, TemplateError> {
    let Some(node) = node else { return Ok(None) };
    let Some(failure) = node.fields(&["OnFailure"])?.get("OnFailure") else { return Ok(None) };
    let fields = failure.fields(&["Type", "Destination"])?;
    let kind = fields.required("Type")?;
    if kind.text()? != "SQS" {
        return Err(kind.refuse("the local run knows queues only"));
    }
    context.queue_arn(&fields.required("Destination")?).map(Some)
}
