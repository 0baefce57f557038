//! What EC2 certainly refuses of a volume: its type, size, speed and the name of its device.
//!
//! The numbers are those of <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html> and
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>, the names those of
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>, all that any instance takes.

use std::ops::RangeInclusive;

/// The types of volumes.
pub const VOLUME_TYPES: [&str; 7] = ["gp3", "gp2", "io2", "io1", "st1", "sc1", "standard"];
/// What EC2 gives a `gp3` volume of which nothing else is said.
const GP3_IOPS: i32 = 3_000;

/// What is wanted of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    pub volume_type: &'a str,
    /// In GiB.
    pub size_gib: i32,
    /// Operations a second; what EC2 gives without being asked, if none.
    pub iops: Option<i32>,
    /// MiB a second; likewise.
    pub throughput_mibps: Option<i32>,
}

/// What EC2 refuses, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// `volume_type`, `size_gib`, `iops` or `throughput_mibps`.
    pub field: &'static str,
    pub reason: String,
}

/// Whether a volume of this type can be booted from: hard disks cannot.
pub fn boots(volume_type: &str) -> bool {
    !matches!(volume_type, "st1" | "sc1")
}

/// Whether operations can be provisioned for this type.
pub fn has_iops(volume_type: &str) -> bool {
    matches!(volume_type, "gp3" | "io1" | "io2")
}

/// Whether operations must be provisioned for this type.
pub fn needs_iops(volume_type: &str) -> bool {
    matches!(volume_type, "io1" | "io2")
}

/// Whether a volume of this type can be at several instances at once
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes-multi.html>).
pub fn has_multi_attach(volume_type: &str) -> bool {
    matches!(volume_type, "io1" | "io2")
}

/// Whether throughput can be provisioned for this type.
pub fn has_throughput(volume_type: &str) -> bool {
    volume_type == "gp3"
}

/// How large a volume of this type can be, in GiB; none for a type that there is not.
pub fn sizes(volume_type: &str) -> Option<RangeInclusive<i32>> {
    match volume_type {
        "gp2" => Some(1..=16_384),
        "gp3" => Some(1..=65_536),
        "io1" => Some(4..=16_384),
        "io2" => Some(4..=65_536),
        "st1" | "sc1" => Some(125..=16_384),
        "standard" => Some(1..=1_024),
        _ => None,
    }
}

/// The operations that can be provisioned for a volume of this type and size.
fn iops_of(volume_type: &str, size_gib: i32) -> Option<RangeInclusive<i32>> {
    let (least, most, each_gib) = match volume_type {
        "gp3" => (3_000, 80_000, 500),
        "io1" => (100, 64_000, 50),
        "io2" => (100, 256_000, 1_000),
        _ => return None,
    };
    Some(least..=most.min(size_gib.saturating_mul(each_gib)).max(least))
}

/// Operations for a volume of which it was not recorded how many it had: as many as a `gp3` volume has, if its size
/// allows.
pub fn usual_iops(volume_type: &str, size_gib: i32) -> Option<i32> {
    iops_of(volume_type, size_gib).map(|range| GP3_IOPS.clamp(*range.start(), *range.end()))
}

/// What EC2 would refuse of this volume; nothing if it may take it.
pub fn refusal(wanted: &Wanted<'_>) -> Option<NotTaken> {
    let Wanted { volume_type, size_gib, iops, throughput_mibps } = *wanted;
    let not_taken = |field, reason| Some(NotTaken { field, reason });
    let Some(sizes) = sizes(volume_type) else {
        return not_taken("volume_type", format!("must be one of {}", VOLUME_TYPES.join(", ")));
    };
    if !sizes.contains(&size_gib) {
        let (least, most) = (sizes.start(), sizes.end());
        let reason =
            format!("a volume of type {volume_type} has {least} to {most} GiB, not {size_gib}");
        return not_taken("size_gib", reason);
    }
    let range = iops_of(volume_type, size_gib);
    match (iops, range) {
        (Some(_), None) => {
            return not_taken("iops", format!("a volume of type {volume_type} has none"));
        }
        (Some(iops), Some(range)) if !range.contains(&iops) => {
            let (least, most) = (range.start(), range.end());
            let reason = format!(
                "a volume of type {volume_type} and {size_gib} GiB has {least} to {most}, not {iops}"
            );
            return not_taken("iops", reason);
        }
        (None, Some(_)) if needs_iops(volume_type) => {
            return not_taken("iops", format!("a volume of type {volume_type} needs them"));
        }
        (Some(_) | None, Some(_)) | (None, None) => {}
    }
    let throughput = throughput_mibps?;
    if !has_throughput(volume_type) {
        let reason = format!("a volume of type {volume_type} has none");
        return not_taken("throughput_mibps", reason);
    }
    // A quarter of a MiB for each operation, 125 in any case.
    let most = (iops.unwrap_or(GP3_IOPS) / 4).clamp(125, 2_000);
    if !(125..=most).contains(&throughput) {
        let reason = format!(
            "a volume of type {volume_type} and {} operations a second has 125 to {most}, not {throughput}",
            iops.unwrap_or(GP3_IOPS)
        );
        return not_taken("throughput_mibps", reason);
    }
    None
}

/// Why EC2 would refuse to attach a volume under this name, in words; nothing if it may take it. What the operating
/// system calls an `NVMe` disk is no such name.
pub fn device_refusal(device: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/").unwrap_or(device);
    if is_device(name) {
        return None;
    }
    let shown: String = device.chars().take(40).collect();
    let hint = if name.starts_with("nvme") {
        "; the operating system names it nvme…, EC2 does not"
    } else {
        ""
    };
    Some(format!(
        "{shown} is no name that EC2 attaches a volume under; /dev/sdf to /dev/sdp are{hint}"
    ))
}

fn is_device(name: &str) -> bool {
    let letters = |text: &str, first: RangeInclusive<char>| {
        let mut letters = text.chars();
        let begins = letters.next().is_some_and(|letter| first.contains(&letter));
        begins
            && letters.next().is_some_and(|letter| letter.is_ascii_lowercase())
            && letters.next().is_none()
    };
    let one =
        |text: &str| text.len() == 1 && text.chars().all(|letter| letter.is_ascii_lowercase());
    let numbered = |text: &str| {
        let (letter, number) = text.split_at_checked(1).unwrap_or((text, ""));
        let is_number = number.parse().is_ok_and(|number: u8| (1..=15).contains(&number));
        one(letter) && (number.is_empty() || is_number && !number.starts_with(['0', '+']))
    };
    if let Some(rest) = name.strip_prefix("xvd") {
        return one(rest) || letters(rest, 'a'..='d');
    }
    name.strip_prefix("sd").or_else(|| name.strip_prefix("hd")).is_some_and(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(volume_type: &str, size_gib: i32, iops: i32, throughput: i32) -> Option<&'static str> {
        let some = |number: i32| Some(number).filter(|number| *number > 0);
        let (iops, throughput_mibps) = (some(iops), some(throughput));
        refusal(&Wanted { volume_type, size_gib, iops, throughput_mibps }).map(|one| one.field)
    }

    #[test]
    fn what_is_beyond_a_types_limits_is_refused_by_its_field() {
        for (volume_type, size, iops, throughput, expected) in [
            ("gp3", 1, 0, 0, None),
            ("gp3", 65_536, 80_000, 2_000, None),
            ("gp3", 65_537, 0, 0, Some("size_gib")),
            ("gp3", 8, 3_000, 125, None),
            ("gp3", 8, 2_999, 0, Some("iops")),
            ("gp3", 8, 4_000, 0, None),
            ("gp3", 8, 4_001, 0, Some("iops")),
            ("gp3", 100, 0, 750, None),
            ("gp3", 100, 0, 751, Some("throughput_mibps")),
            ("gp3", 100, 8_000, 2_000, None),
            ("gp3", 100, 0, 124, Some("throughput_mibps")),
            ("gp2", 16_384, 0, 0, None),
            ("gp2", 16_385, 0, 0, Some("size_gib")),
            ("gp2", 8, 3_000, 0, Some("iops")),
            ("gp2", 8, 0, 125, Some("throughput_mibps")),
            ("io1", 8, 400, 0, None),
            ("io1", 8, 401, 0, Some("iops")),
            ("io1", 8, 0, 0, Some("iops")),
            ("io1", 3, 100, 0, Some("size_gib")),
            ("io2", 300, 256_000, 0, None),
            ("io2", 300, 256_001, 0, Some("iops")),
            ("st1", 124, 0, 0, Some("size_gib")),
            ("st1", 125, 0, 0, None),
            ("sc1", 16_385, 0, 0, Some("size_gib")),
            ("standard", 1_024, 0, 0, None),
            ("standard", 1_025, 0, 0, Some("size_gib")),
            ("gp4", 8, 0, 0, Some("volume_type")),
        ] {
            assert_eq!(
                field(volume_type, size, iops, throughput),
                expected,
                "{volume_type} {size} {iops} {throughput}"
            );
        }
    }

    #[test]
    fn the_usual_operations_are_always_taken() {
        for volume_type in VOLUME_TYPES {
            let Some(sizes) = sizes(volume_type) else { continue };
            for size_gib in [*sizes.start(), 8.max(*sizes.start()), *sizes.end()] {
                let iops = usual_iops(volume_type, size_gib);
                let wanted = Wanted { volume_type, size_gib, iops, throughput_mibps: None };
                assert_eq!(refusal(&wanted), None, "{wanted:?}");
                assert_eq!(iops.is_some(), has_iops(volume_type));
            }
        }
    }

    // The refused ones were recorded: `/dev/nvme1n1`, `Disk_D`, `/dev/sdZZ` ("… is not a valid EBS device name.").
    #[test]
    fn the_names_that_ec2_attaches_under_are_taken_and_no_others() {
        for name in [
            "/dev/sda",
            "/dev/sda1",
            "/dev/sdf",
            "/dev/sdp",
            "/dev/sdz",
            "/dev/sdf15",
            "/dev/xvda",
            "/dev/xvdz",
            "/dev/xvdba",
            "/dev/xvddz",
            "/dev/xvdaa",
            "xvdf",
            "xvdca",
            "sdf",
            "/dev/hdb",
        ] {
            assert_eq!(device_refusal(name), None, "{name}");
        }
        for name in [
            "/dev/nvme1n1",
            "nvme1n1",
            "Disk_D",
            "/dev/sdZZ",
            "/dev/sdaa",
            "/dev/xvdea",
            "/dev/xvd",
            "/dev/sdf16",
            "/dev/sdf0",
            "/dev/sdf01",
            "/dev/sdf+1",
            "sd",
            "",
            "/dev/",
            "/dev/disk/by-id/x",
            "sdü",
            "/dev/xvdabc",
        ] {
            assert!(device_refusal(name).is_some(), "{name}");
        }
        assert!(device_refusal("/dev/nvme1n1").unwrap().contains("operating system"));
    }
}
