//! The parameters of the template: it takes no value that the functions refuse, and refuses none that they take.

use shared::settings::Settings;
use yaml_serde::Value;

use super::sources::root;

fn template() -> Value {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    yaml_serde::from_str(&template).unwrap()
}

/// The variables of every function that are a parameter, with the parameter's name.
fn variables(template: &Value) -> Vec<(String, String)> {
    let all = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let parameters = template["Parameters"].as_mapping().unwrap();
    let parameter = |(name, value): (&Value, &Value)| {
        let Value::Tagged(tagged) = value else { return None };
        let target = tagged.value.as_str().filter(|_| tagged.tag == "Ref")?;
        let known = parameters.contains_key(target);
        known.then(|| (name.as_str().unwrap().to_owned(), target.to_owned()))
    };
    all.iter().filter_map(parameter).collect()
}

fn takes(name: &str, value: &str) -> bool {
    let base = [("AWS_REGION", "us-east-1"), ("SNAPKEEP_TABLE", "t"), ("SNAPKEEP_BUS", "b")];
    let given: Vec<_> = base.into_iter().chain([(name, value)]).collect();
    let lookup = |asked: &str| {
        let found = given.iter().find(|(key, _)| *key == asked);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::from_lookup(lookup).is_ok()
}

/// A number as CloudFormation hands it over.
fn written(number: f64) -> String {
    number.to_string()
}

#[test]
fn numbers_have_the_bounds_that_the_functions_check() {
    let template = template();
    let mut numbers = 0;
    for (variable, parameter) in variables(&template) {
        let declared = &template["Parameters"][parameter.as_str()];
        if declared["Type"].as_str() != Some("Number") {
            continue;
        }
        numbers += 1;
        let bound = |name: &str| {
            declared[name].as_f64().unwrap_or_else(|| panic!("{parameter} has no {name}"))
        };
        let (least, most) = (bound("MinValue"), bound("MaxValue"));
        let default = declared["Default"].as_f64().unwrap();

        assert!(takes(&variable, &written(least)), "{parameter} may be {least}");
        assert!(takes(&variable, &written(most)), "{parameter} may be {most}");
        assert!((least..=most).contains(&default) && takes(&variable, &written(default)));
        // CloudFormation takes fractions for any number.
        let between = f64::midpoint(least, most) + 0.5;
        assert!(takes(&variable, &format!("{between:.1}")), "{parameter} may be {between}");
        assert!(!takes(&variable, &written(most + 1.0)), "{parameter} may not be more");
        let less = if least >= 1.0 { least - 1.0 } else { least - 0.1 };
        assert!(!takes(&variable, &written(less)), "{parameter} may not be less");
    }
    assert!(numbers >= 9, "{numbers}");
}

#[test]
fn every_setting_is_a_parameter_of_the_template_or_the_stack_s_own() {
    let template = template();
    let all = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let settings = std::fs::read_to_string(root().join("shared/src/settings.rs")).unwrap();
    let code = settings.split("#[cfg(test)]").next().unwrap();
    let mut words = code.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_'));
    let read: std::collections::BTreeSet<_> =
        words.by_ref().filter(|word| word.starts_with("SNAPKEEP_")).collect();

    for name in &read {
        assert!(all.contains_key(*name), "{name} is not set by the template");
    }
    for (name, _) in all.iter().filter(|(name, _)| name.as_str().unwrap().starts_with("SNAPKEEP_"))
    {
        assert!(read.contains(name.as_str().unwrap()), "nobody reads {name:?}");
    }
}

#[test]
fn no_level_of_the_log_shows_a_request() {
    let levels = &template()["Parameters"]["LogLevel"]["AllowedValues"];
    let levels: Vec<_> =
        levels.as_sequence().unwrap().iter().map(|one| one.as_str().unwrap()).collect();

    assert_eq!(levels, ["DEBUG", "INFO", "WARN", "ERROR"]);
}
