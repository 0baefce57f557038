//! The alarms of the template: nothing ends where nobody looks.

use std::collections::BTreeSet;

use shared::domain::audit::Action;
use shared::metrics::{DIMENSION, Metric, NAMESPACE};
use yaml_serde::Value;

use super::sources::{files, root};

/// What AWS counts by itself, of what the alarms and the dashboard show
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html>).
const OF_AWS: [(&str, &[&str]); 5] = [
    ("AWS/ApiGateway", &["4xx", "5xx", "Count", "Latency"]),
    ("AWS/DynamoDB", &["ReadThrottleEvents", "WriteThrottleEvents"]),
    ("AWS/Events", &["FailedInvocations"]),
    ("AWS/Lambda", &["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"]),
    ("AWS/SQS", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]),
];

/// The functions that a clock calls: that they are not called is no error.
const ON_THE_CLOCK: [&str; 3] = ["SchedulerFunction", "SweeperFunction", "ReconcilerFunction"];

fn resources() -> Value {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template: Value = yaml_serde::from_str(&template).unwrap();
    template["Resources"].clone()
}

/// The names of the resources of a type.
fn of_type(wanted: &str) -> Vec<String> {
    let resources = resources();
    let all = resources.as_mapping().unwrap().iter();
    all.filter(|(_, resource)| resource["Type"].as_str() == Some(wanted))
        .map(|(name, _)| name.as_str().unwrap().to_owned())
        .collect()
}

/// A metric that an alarm or the dashboard looks at.
#[derive(Debug)]
struct Looked {
    namespace: String,
    metric: String,
    /// The dimensions, as they are written.
    dimensions: String,
}

/// What an alarm looks at: one metric, or those of an expression.
fn looked_at(alarm: &Value) -> Vec<Looked> {
    let one = |metric: &Value| Looked {
        namespace: metric["Namespace"].as_str().unwrap().to_owned(),
        metric: metric["MetricName"].as_str().unwrap().to_owned(),
        dimensions: yaml_serde::to_string(&metric["Dimensions"]).unwrap(),
    };
    match alarm["Metrics"].as_sequence() {
        None => vec![one(alarm)],
        Some(metrics) => {
            let stats = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]);
            stats.filter(|metric| !metric.is_null()).map(one).collect()
        }
    }
}

/// Every alarm by its name, with its properties.
fn alarms() -> Vec<(String, Value)> {
    let resources = resources();
    let names = of_type("AWS::CloudWatch::Alarm").into_iter();
    names.map(|name| (name.clone(), resources[name.as_str()]["Properties"].clone())).collect()
}

/// What the alarms on a metric watch: the dimensions of each, as they are written.
fn watched(metric: &str) -> Vec<String> {
    let all = alarms().into_iter().flat_map(|(_, alarm)| looked_at(&alarm));
    all.filter(|looked| looked.metric == metric).map(|looked| looked.dimensions).collect()
}

fn is_watched(watched: &[String], name: &str) -> bool {
    watched.iter().any(|value| {
        let mut words = value.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.any(|word| word == name)
    })
}

#[test]
fn every_queue_of_dead_letters_has_its_alarm() {
    let watched = watched("ApproximateNumberOfMessagesVisible");
    let queues = of_type("AWS::SQS::Queue");
    let dead: Vec<_> = queues.iter().filter(|name| name.ends_with("DeadLetters")).collect();

    assert!(dead.len() >= 9, "{dead:?}");
    for name in dead {
        assert!(is_watched(&watched, name), "nobody would see what waits in {name}");
    }
}

#[test]
fn every_function_has_an_alarm_for_its_errors() {
    let watched = watched("Errors");
    let functions = of_type("AWS::Serverless::Function");

    assert!(functions.len() >= 8, "{functions:?}");
    for name in functions {
        assert!(is_watched(&watched, &name), "nobody would see that {name} fails");
    }
}

#[test]
fn what_the_clock_calls_has_an_alarm_for_its_silence() {
    let resources = resources();
    let watched = watched("Invocations");
    let on_the_clock: Vec<_> = of_type("AWS::Serverless::Function")
        .into_iter()
        .filter(|name| {
            let events = &resources[name.as_str()]["Properties"]["Events"];
            let mut events = events.as_mapping().into_iter().flatten();
            events.any(|(_, event)| {
                event["Type"].as_str().is_some_and(|kind| kind.starts_with("Schedule"))
            })
        })
        .collect();

    for name in &on_the_clock {
        assert!(is_watched(&watched, name), "nobody would see that {name} is not called");
    }
    assert_eq!(on_the_clock, ON_THE_CLOCK);
}

#[test]
fn every_queue_that_somebody_works_off_has_an_alarm_for_its_age() {
    let resources = resources();
    let watched = watched("ApproximateAgeOfOldestMessage");
    let is_worked =
        |name: &String| !resources[name.as_str()]["Properties"]["RedrivePolicy"].is_null();
    let queues: Vec<_> = of_type("AWS::SQS::Queue").into_iter().filter(is_worked).collect();

    assert!(queues.len() >= 4, "{queues:?}");
    for name in queues {
        assert!(is_watched(&watched, &name), "nobody would see that {name} is not worked off");
    }
}

#[test]
fn every_function_has_an_alarm_for_want_of_room() {
    let watched = watched("Throttles");
    for name in of_type("AWS::Serverless::Function") {
        assert!(is_watched(&watched, &name), "nobody would see that {name} is throttled");
    }
}

#[test]
fn every_rule_has_an_alarm_for_what_it_cannot_hand_over() {
    let watched = watched("FailedInvocations");
    let mut rules = of_type("AWS::Events::Rule");
    // SAM makes the rules of the clock, and names them so.
    rules.extend(
        ["SchedulerFunctionTick", "SweeperFunctionHourly", "ReconcilerFunctionHourly"]
            .map(str::to_owned),
    );

    assert!(rules.len() >= 11, "{rules:?}");
    for name in rules {
        assert!(is_watched(&watched, &name), "nobody would see that {name} fails");
    }
}

#[test]
fn every_alarm_tells_the_one_topic_that_the_mail_comes_from() {
    for (name, alarm) in alarms() {
        for actions in ["AlarmActions", "OKActions"] {
            let actions = yaml_serde::to_string(&alarm[actions]).unwrap();
            assert!(actions.contains("NotificationTopic"), "{name} tells nobody");
        }
        // CloudWatch evaluates an expression over ten metrics at the most.
        assert!(looked_at(&alarm).len() <= 10, "{name}");
    }
    let mail = &resources()["NotificationMail"];
    assert_eq!(mail["Type"].as_str(), Some("AWS::SNS::Subscription"));
    let topic = yaml_serde::to_string(&mail["Properties"]["TopicArn"]).unwrap();
    assert!(topic.contains("NotificationTopic"), "{topic}");
}

#[test]
fn every_metric_that_is_looked_at_is_one_that_somebody_counts() {
    let ours: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let alarmed = alarms().into_iter().flat_map(|(_, alarm)| looked_at(&alarm));
    for looked in alarmed.chain(shown()) {
        let Looked { namespace, metric, dimensions } = &looked;
        if namespace == NAMESPACE {
            assert!(ours.contains(metric.as_str()), "nobody counts {metric}");
            assert!(dimensions.contains(DIMENSION), "{looked:?}");
            // As the functions are told it.
            assert!(dimensions.contains("${AWS::StackName}.${AWS::Region}"), "{looked:?}");
            continue;
        }
        let (_, known) = OF_AWS.iter().find(|(one, _)| one == namespace).expect(namespace);
        assert!(known.contains(&metric.as_str()), "AWS does not count {metric} in {namespace}");
    }
}

#[test]
fn every_metric_of_ours_is_counted_by_some_code() {
    let of_audit: BTreeSet<_> = Action::ALL.iter().filter_map(|one| Metric::of(*one)).collect();
    let sources = files(&["shared/src", "functions"], "rs");
    let mut others = sources.iter().filter(|(name, _)| !name.ends_with("tests.rs"));
    let text: String = others.by_ref().map(|(_, text)| before_tests(text)).collect();
    for metric in Metric::ALL {
        let name = metric.name();
        let counted = ["count", "count_all", "measure", "note", "insert"].iter().any(|verb| {
            text.contains(&format!("{verb}(Metric::{name}"))
                || text.contains(&format!("{verb}(\n            Metric::{name}"))
        });
        assert!(of_audit.contains(metric) || counted, "no code counts {name}");
    }
}

fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// What the dashboard shows.
fn shown() -> Vec<Looked> {
    let body = &resources()["Dashboard"]["Properties"]["DashboardBody"];
    let Value::Tagged(body) = body else { panic!("the dashboard's body should be a !Sub") };
    let body: serde_json::Value = serde_json::from_str(body.value.as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap().iter();
    let metrics = widgets.flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    metrics
        .map(|metric| Looked {
            namespace: text(&metric[0]),
            metric: text(&metric[1]),
            dimensions: format!("{} {}", text(&metric[2]), text(&metric[3])),
        })
        .collect()
}

#[test]
fn the_dashboard_shows_everything_that_we_count() {
    let shown: BTreeSet<_> = shown().into_iter().map(|looked| looked.metric).collect();
    for metric in Metric::ALL {
        assert!(shown.contains(metric.name()), "the dashboard does not show {}", metric.name());
    }
}

#[test]
fn every_alarm_has_an_entry_in_the_runbook_with_a_command() {
    let readme = std::fs::read_to_string(root().join("infra/guide/runbook.md")).unwrap();
    let entries: Vec<(&str, &str)> = readme
        .split("\n#### ")
        .skip(1)
        .map(|entry| entry.split_once('\n').unwrap())
        .map(|(name, text)| (name.trim_matches('`'), text.split("\n## ").next().unwrap()))
        .collect();
    let alarms: BTreeSet<_> = alarms().into_iter().map(|(name, _)| name).collect();
    for name in &alarms {
        let named = |heading: &str| heading.split(", ").any(|one| one.trim_matches('`') == name);
        let entry = entries.iter().find(|(heading, _)| named(heading));
        let (_, text) = entry.unwrap_or_else(|| panic!("the runbook has nothing on {name}"));
        assert!(text.contains("```console\n$ "), "the entry on {name} has no command");
        assert!(text.len() > 200, "the entry on {name} does not say what to do");
    }
    for (heading, _) in entries {
        for name in heading.split(", ").map(|one| one.trim_matches('`')) {
            assert!(alarms.contains(name), "there is no alarm {name}");
        }
    }
}
