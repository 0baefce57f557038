//! The alarms of the template: nothing ends where nobody looks.

use yaml_serde::Value;

use super::sources::root;

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

/// What the alarms on a metric watch: each one's dimension, as it is written.
fn watched(metric: &str) -> Vec<String> {
    let resources = resources();
    of_type("AWS::CloudWatch::Alarm")
        .iter()
        .map(|name| resources[name.as_str()]["Properties"].clone())
        .filter(|alarm| alarm["MetricName"].as_str() == Some(metric))
        .map(|alarm| yaml_serde::to_string(&alarm["Dimensions"][0]["Value"]).unwrap())
        .collect()
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

    assert!(dead.len() >= 8, "{dead:?}");
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
