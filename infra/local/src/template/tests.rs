//! What is read of a template, and what is refused by name.

use super::*;

/// A template of one function, with this in place of its properties' end and these other resources.
fn template(properties: &str, resources: &str) -> Result<Template, String> {
    let text = format!(
        "
Parameters:
  Days:
    Type: Number
    Default: 2.5
  Without:
    Type: String
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  Bus:
    Type: AWS::Events::EventBus
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties: {{}}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {{}}
{resources}
  SweeperFunction:
    Type: AWS::Serverless::Function
    Metadata:
      BuildProperties:
        Binary: sweeper
    Properties:
      MemorySize: 512
{properties}
"
    );
    text.parse().map_err(|error: TemplateError| error.to_string())
}

fn refusal(properties: &str, resources: &str) -> String {
    let error = template(properties, resources).unwrap_err();
    error.strip_prefix("infra/template.yaml: ").unwrap().to_owned()
}

#[test]
fn the_template_of_the_repository_is_understood() {
    let template = Template::embedded().unwrap();

    assert_eq!(template.functions.len(), Function::ALL.len());
    assert!(template.routes.iter().any(|route| route.access == Access::Open));
    assert!(template.routes.iter().any(|route| route.access == Access::Authorized));
    let scheduled: Vec<_> = template.schedules.iter().map(|rule| rule.function).collect();
    assert_eq!(scheduled, [Function::Scheduler, Function::Sweeper, Function::Reconciler]);
    let fed: Vec<_> = template.mappings.iter().map(|mapping| mapping.function).collect();
    let behind_queues =
        [Function::Snapshotter, Function::Tracker, Function::Reaper, Function::Restorer];
    assert_eq!(fed, behind_queues);
}

#[test]
fn every_queue_of_the_repository_that_is_read_has_dead_letters() {
    let template = Template::embedded().unwrap();

    for mapping in &template.mappings {
        let queue = &template.queues[&mapping.queue];
        let timeout = template.functions[&mapping.function].timeout;
        assert_eq!(queue.redrive.as_ref().unwrap().receives_max, 5, "{}", mapping.queue);
        assert_eq!(queue.visibility, timeout * 6, "{}", mapping.queue);
        assert_eq!(mapping.failures, Failures::Reported, "{}", mapping.queue);
    }
}

#[test]
fn the_environment_is_literals_and_references() {
    let template = template(
        "      Environment:
        Variables:
          TEXT: a
          DAYS: !Ref Days
          TABLE: !Ref Table
          BUS: {Ref: Bus}
          ID: !Sub '${AWS::StackName}.${AWS::Region}'",
        "",
    )
    .unwrap();

    let environment = &template.functions[&Function::Sweeper].environment;
    assert_eq!(environment["TEXT"], EnvironmentValue::Literal("a".to_owned()));
    assert_eq!(environment["DAYS"], EnvironmentValue::Literal("2.5".to_owned()));
    assert_eq!(environment["TABLE"], EnvironmentValue::Table);
    assert_eq!(environment["BUS"], EnvironmentValue::Bus);
    assert_eq!(environment["ID"], EnvironmentValue::Installation);
}

#[test]
fn an_environment_that_needs_aws_is_refused_by_name() {
    let variable = |value: &str| {
        refusal(&format!("      Environment:\n        Variables:\n          X: {value}"), "")
    };
    let place = "Resources.SweeperFunction.Properties.Environment.Variables.X: ";

    assert_eq!(
        variable("!Ref Without"),
        format!("{place}!Ref Without leads to no parameter with a default, no table and no bus")
    );
    assert_eq!(
        variable("!GetAtt Table.Arn"),
        format!("{place}should be a literal or a !Ref of a parameter, the table or the bus")
    );
}

#[test]
fn an_unknown_type_is_refused_by_name() {
    let error = refusal("", "  Extra:\n    Type: AWS::Scheduler::Schedule");

    assert_eq!(
        error,
        "Resources.Extra.Type: the local run cannot interpret AWS::Scheduler::Schedule"
    );
}

#[test]
fn an_unknown_property_is_refused_by_name() {
    let error = refusal("      ReservedConcurrentExecutions: 1", "");
    let condition = refusal("", "  Q:\n    Type: AWS::SQS::Queue\n    Condition: Sometimes");
    let delay =
        refusal("", "  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: 5");

    let problem = "the local run cannot interpret this";
    let place = "Resources.SweeperFunction.Properties.ReservedConcurrentExecutions";
    assert_eq!(error, format!("{place}: {problem}"));
    assert_eq!(condition, format!("Resources.Q.Condition: {problem}"));
    assert_eq!(delay, format!("Resources.Q.Properties.DelaySeconds: {problem}"));
}

#[test]
fn an_unknown_function_is_refused_by_name() {
    let error = refusal(
        "",
        "  F:
    Type: AWS::Serverless::Function
    Metadata:
      BuildProperties:
        Binary: gardener",
    );

    let place = "Resources.F.Metadata.BuildProperties.Binary";
    assert_eq!(error, format!("{place}: the local run knows no function \"gardener\""));
}

#[test]
fn an_unknown_event_is_refused_by_name() {
    let error = refusal(
        "      Events:
        Bucket:
          Type: S3
          Properties: {}",
        "",
    );

    let place = "Resources.SweeperFunction.Properties.Events.Bucket.Type";
    assert_eq!(error, format!("{place}: the local run cannot interpret events of type S3"));
}

#[test]
fn a_pattern_that_is_not_of_exact_values_is_refused_by_name() {
    let error = refusal(
        "",
        "  R:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [{prefix: aws.}]
      Targets: []",
    );

    let place = "Resources.R.Properties.EventPattern: source";
    assert!(error.starts_with(&format!("{place}: the local run knows exact values")), "{error}");
}

#[test]
fn a_wrong_schedule_is_refused_by_name() {
    let error = refusal(
        "      Events:
        Often:
          Type: Schedule
          Properties:
            Schedule: rate(1 minutes)",
        "",
    );

    let place = "Resources.SweeperFunction.Properties.Events.Often.Properties.Schedule";
    assert!(error.starts_with(&format!("{place}: rate's unit")), "{error}");
}

#[test]
fn what_lambda_does_when_nothing_is_said_is_done() {
    let settings = &template("", "").unwrap().functions[&Function::Sweeper];

    assert_eq!(settings.timeout, SignedDuration::from_secs(3));
    assert_eq!(settings.invoke, AsyncInvoke::default());
}

#[test]
fn a_call_that_fails_may_have_a_destination() {
    let template = template(
        "      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 60
        DestinationConfig:
          OnFailure:
            Type: SQS
            Destination: !GetAtt Dead.Arn",
        "",
    )
    .unwrap();

    let invoke = &template.functions[&Function::Sweeper].invoke;
    assert_eq!((invoke.retries_max, invoke.on_failure.as_deref()), (1, Some("Dead")));
    assert_eq!(invoke.age_max, SignedDuration::from_mins(1));
}

#[test]
fn a_rule_that_only_sends_mail_is_left_out() {
    let rule = |target: &str| {
        format!(
            "
  Topic:
    Type: AWS::SNS::Topic
    Condition: WithMail
  Rule:
    Type: AWS::Events::Rule
    Condition: WithMail
    Properties:
      EventPattern: {{source: [snapkeep]}}
      Targets:
        - Id: one
          Arn: !Ref {target}"
        )
    };

    assert!(template("", &rule("Topic")).unwrap().rules.is_empty());
    assert!(refusal("", &rule("Dead")).contains("Condition"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn a_spoiled_template_is_read_or_refused(
        from in proptest::prelude::any::<proptest::sample::Index>(),
        length in 0_usize..200,
        instead in "(\\PC{0,20}|[ \\n:!\\[\\]{}&*-]{0,20})",
    ) {
        // Spoiled anywhere: letters are left out, and others put in.
        let letters: Vec<char> = EMBEDDED.chars().collect();
        let at = from.index(letters.len());
        let rest = (at + length).min(letters.len());
        let spoiled: String =
            letters[..at].iter().chain(&instead.chars().collect::<Vec<_>>()).chain(&letters[rest..]).collect();

        if let Err(error) = spoiled.parse::<Template>() {
            assert!(!error.to_string().is_empty());
        }
    }
}
