//! What tools that look after snapshots ask EC2 Auto Scaling: which groups and launch configurations there are. There are
//! none. Cloud Custodian's filter `unused` wants to know, since what a launch configuration names is in use.

use crate::request::Params;

const VERSION: &str = "2011-01-01";
const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

/// The answer, if it is Auto Scaling that is asked, and for something that is answered.
pub(crate) fn answer(params: &Params, request_id: &str) -> Option<String> {
    if params.get("Version") != Some(VERSION) {
        return None;
    }
    let action = params.get("Action")?;
    let list = match action {
        "DescribeAutoScalingGroups" => "AutoScalingGroups",
        "DescribeLaunchConfigurations" => "LaunchConfigurations",
        _ => return None,
    };
    Some(format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result><{list}/></{action}Result><ResponseMetadata>\
         <RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::{Clock, Config, SimEc2};

    #[test]
    fn there_are_no_groups_and_no_launch_configurations() {
        let sim = SimEc2::new(Config::default(), Clock::at(Timestamp::UNIX_EPOCH));
        for (action, list) in [
            ("DescribeAutoScalingGroups", "AutoScalingGroups"),
            ("DescribeLaunchConfigurations", "LaunchConfigurations"),
        ] {
            let ask = |version: &str| {
                let body = format!("Action={action}&Version={version}");
                sim.answer("us-east-1", body.as_bytes())
            };

            let answer = ask("2011-01-01");

            assert_eq!(answer.status, 200);
            assert!(answer.body.contains(&format!("<{action}Result><{list}/></{action}Result>")));
            // EC2 itself has no such action.
            assert_eq!(ask("2016-11-15").status, 400);
        }
    }
}
