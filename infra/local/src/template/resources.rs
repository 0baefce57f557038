//! The template as a whole: parameters, then every resource by its type.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use yaml_serde::Value;

use super::{
    QueueSettings, Redrive, Template, TemplateError,
    context::{Context, ReferenceKind},
    function,
    node::{Fields, Node},
    rule,
};

/// Resources without which the system behaves the same on one machine: who may what, where logs go, who is
/// told of failures, how people sign in, what AWS keeps beside.
const WITHOUT_EFFECT: [&str; 16] = [
    "AWS::ApplicationInsights::Application",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Rbin::Rule",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

pub(super) fn read(text: &str) -> Result<Template, TemplateError> {
    let value: Value =
        yaml_serde::from_str(text).map_err(|error| Node::root(&Value::Null).refuse(error))?;
    let root = Node::root(&value).fields(&[
        "AWSTemplateFormatVersion",
        "Transform",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Conditions",
        "Globals",
        "Resources",
        "Outputs",
    ])?;
    let resources = root.required("Resources")?.entries()?;
    let mut kinds = BTreeMap::new();
    for (id, resource) in &resources {
        kinds.insert(*id, kind(resource)?);
    }
    let context = Context { parameters: parameters(root.get("Parameters"))?, kinds };
    let globals = function::globals(root.get("Globals"), &context)?;
    let mut template = Template {
        routes: Vec::new(),
        functions: BTreeMap::new(),
        schedules: Vec::new(),
        rules: Vec::new(),
        queues: BTreeMap::new(),
        mappings: Vec::new(),
        roles: BTreeMap::new(),
    };
    for (id, resource) in resources {
        match context.kinds.get(id) {
            Some(ReferenceKind::Function(function)) => {
                let block = function::Block { id, function: *function, globals: &globals };
                block.read(&unconditional(&resource)?, &context, &mut template)?;
            }
            Some(ReferenceKind::Queue) => {
                let queue = queue(&unconditional(&resource)?, &context)?;
                template.queues.insert(id.to_owned(), queue);
            }
            // Nobody is sent mail from one machine.
            Some(ReferenceKind::Rule) if only_notifies(&resource, &context)? => {}
            Some(ReferenceKind::Rule) => {
                rule::read(id, &unconditional(&resource)?, &context, &mut template)?;
            }
            Some(ReferenceKind::Api) => api(&unconditional(&resource)?)?,
            Some(
                ReferenceKind::Bus
                | ReferenceKind::Table
                | ReferenceKind::Topic
                | ReferenceKind::WithoutEffect,
            )
            | None => {}
        }
    }
    for (function, settings) in &template.functions {
        let role = settings.role.as_deref().and_then(|role| value.get("Resources")?.get(role));
        if let Some(properties) = role.and_then(|role| role.get("Properties")) {
            template.roles.insert(*function, properties.clone());
        }
    }
    Ok(template)
}

fn kind(resource: &Node<'_>) -> Result<ReferenceKind, TemplateError> {
    let kind = resource.get("Type").ok_or_else(|| resource.refuse("Type is missing"))?;
    Ok(match kind.text()? {
        "AWS::Serverless::HttpApi" => ReferenceKind::Api,
        "AWS::Events::EventBus" => ReferenceKind::Bus,
        "AWS::Serverless::Function" => ReferenceKind::Function(function::name(resource)?),
        "AWS::SQS::Queue" => ReferenceKind::Queue,
        "AWS::Events::Rule" => ReferenceKind::Rule,
        "AWS::DynamoDB::Table" => ReferenceKind::Table,
        "AWS::SNS::Topic" => ReferenceKind::Topic,
        other if WITHOUT_EFFECT.contains(&other) => ReferenceKind::WithoutEffect,
        other => {
            return Err(kind.refuse(format_args!("the local run cannot interpret {other}")));
        }
    })
}

fn parameters(node: Option<Node<'_>>) -> Result<BTreeMap<&str, String>, TemplateError> {
    let mut found = BTreeMap::new();
    for (name, parameter) in node.map(|node| node.entries()).transpose()?.unwrap_or_default() {
        if let Some(default) = parameter.get("Default") {
            found.insert(name, default.scalar()?);
        }
    }
    Ok(found)
}

/// Whether a rule has targets, and all of them are topics.
fn only_notifies(rule: &Node<'_>, context: &Context<'_>) -> Result<bool, TemplateError> {
    let targets = rule.get("Properties").and_then(|properties| properties.get("Targets"));
    let targets = targets.map(|targets| targets.items()).transpose()?.unwrap_or_default();
    let is_topic = |target: &Node<'_>| {
        let arn = target.get("Arn");
        let id = arn.as_ref().and_then(Node::reference);
        id.and_then(|id| context.kinds.get(id)) == Some(&ReferenceKind::Topic)
    };
    Ok(!targets.is_empty() && targets.iter().all(is_topic))
}

/// The properties of a resource that is there whatever the parameters are.
fn unconditional<'a>(resource: &Node<'a>) -> Result<Node<'a>, TemplateError> {
    let fields = resource.fields(&["Type", "Properties", "Metadata", "DependsOn"])?;
    fields.required("Properties")
}

fn queue(properties: &Node<'_>, context: &Context<'_>) -> Result<QueueSettings, TemplateError> {
    let fields = properties.fields(&[
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "KmsMasterKeyId",
        "SqsManagedSseEnabled",
        "RedrivePolicy",
    ])?;
    let seconds = |key, default| {
        let given = fields.get(key).map(|node| node.seconds()).transpose()?;
        Ok(given.unwrap_or(SignedDuration::from_secs(default)))
    };
    let redrive = |policy: Node<'_>| {
        let policy: Fields<'_> = policy.fields(&["deadLetterTargetArn", "maxReceiveCount"])?;
        Ok(Redrive {
            queue: context.queue_arn(&policy.required("deadLetterTargetArn")?)?,
            receives_max: policy.required("maxReceiveCount")?.count()?,
        })
    };
    Ok(QueueSettings {
        // SQS's defaults: half a minute and four days.
        visibility: seconds("VisibilityTimeout", 30)?,
        retention: seconds("MessageRetentionPeriod", 345_600)?,
        redrive: fields.get("RedrivePolicy").map(redrive).transpose()?,
    })
}

/// Which routes have the authorizer stands at the routes; the rest of it matters in AWS only.
fn api(properties: &Node<'_>) -> Result<(), TemplateError> {
    properties.fields(&["Description", "Auth", "DefaultRouteSettings", "AccessLogSettings"])?;
    Ok(())
}
