//! The names under which EC2 attaches volumes.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html> lists them by the kind of instance; what no
//! kind has is refused. Recorded refusals: `/dev/nvme1n1`, `Disk_D`, `/dev/sdZZ`.

use crate::errors::Ec2Error;

/// Refuses a name that is none, as `AttachVolume` does.
pub(crate) fn check_attached(name: &str) -> Result<(), Ec2Error> {
    if is_known(name) {
        return Ok(());
    }
    Err(Ec2Error::invalid_parameter(format!(
        "Value ({name}) for parameter device is invalid. {name} is not a valid EBS device name."
    )))
}

/// Refuses a name that is none, as `RegisterImage` and `RunInstances` do.
pub(crate) fn check_mapped(name: &str) -> Result<(), Ec2Error> {
    if is_known(name) {
        return Ok(());
    }
    Err(Ec2Error::new("InvalidBlockDeviceMapping", format!("Invalid device name {name}")))
}

fn is_known(name: &str) -> bool {
    let name = name.strip_prefix("/dev/").unwrap_or(name).as_bytes();
    match name {
        [b'x', b'v', b'd', letter]
        | [b'x', b'v', b'd', b'a'..=b'd', letter]
        | [b's' | b'h', b'd', letter]
        | [b's' | b'h', b'd', letter, b'1'..=b'9']
        | [b's' | b'h', b'd', letter, b'1', b'0'..=b'5'] => letter.is_ascii_lowercase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_as_refused_is_refused_in_the_same_words() {
        for name in ["/dev/nvme1n1", "Disk_D", "/dev/sdZZ", "/dev/xvdea", "/dev/sdf16"] {
            let error = check_attached(name).unwrap_err();
            assert_eq!(
                error.message,
                format!(
                    "Value ({name}) for parameter device is invalid. {name} is not a valid EBS device name."
                )
            );
        }
        for name in ["/dev/sdf", "/dev/sda1", "xvdf", "/dev/xvdba", "/dev/sdf15", "/dev/xvda"] {
            assert_eq!(check_attached(name), Ok(()), "{name}");
        }
    }
}
