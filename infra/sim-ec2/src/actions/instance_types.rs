//! The instance types there are, and `DescribeInstanceTypes`.

use super::{ActionContext, Reply};
use crate::{
    errors::Ec2Error,
    filters::{Filters, one},
    paging::Page,
    request::Params,
    state::Tags,
    xml::Xml,
};

/// What is known of an instance type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceType {
    pub(crate) name: &'static str,
    pub(crate) vcpus: u32,
    pub(crate) memory_mib: u64,
    pub(crate) architecture: &'static str,
    gpu: Option<Gpu>,
}

#[derive(Clone, Copy, Debug)]
struct Gpu {
    name: &'static str,
    manufacturer: &'static str,
    count: u32,
    memory_mib: u32,
}

const fn plain(
    name: &'static str,
    vcpus: u32,
    memory_gib: u64,
    architecture: &'static str,
) -> InstanceType {
    InstanceType { name, vcpus, memory_mib: memory_gib * 1024, architecture, gpu: None }
}

const fn with_gpu(
    name: &'static str,
    vcpus: u32,
    memory_gib: u64,
    gpu: (&'static str, u32, u32),
) -> InstanceType {
    InstanceType {
        name,
        vcpus,
        memory_mib: memory_gib * 1024,
        architecture: "x86_64",
        gpu: Some(Gpu { name: gpu.0, manufacturer: "NVIDIA", count: gpu.1, memory_mib: gpu.2 }),
    }
}

const X86: &str = "x86_64";
const ARM: &str = "arm64";

/// By name, so that pages are in order.
const TYPES: [InstanceType; 27] = [
    plain("c6i.2xlarge", 8, 16, X86),
    plain("c6i.large", 2, 4, X86),
    plain("c6i.xlarge", 4, 8, X86),
    plain("c7g.xlarge", 4, 8, ARM),
    with_gpu("g4dn.12xlarge", 48, 192, ("T4", 4, 16_384)),
    with_gpu("g4dn.xlarge", 4, 16, ("T4", 1, 16_384)),
    with_gpu("g5.12xlarge", 48, 192, ("A10G", 4, 24_576)),
    with_gpu("g5.xlarge", 4, 16, ("A10G", 1, 24_576)),
    plain("m5.2xlarge", 8, 32, X86),
    plain("m5.4xlarge", 16, 64, X86),
    plain("m5.large", 2, 8, X86),
    plain("m5.xlarge", 4, 16, X86),
    plain("m5d.large", 2, 8, X86),
    plain("m7g.large", 2, 8, ARM),
    plain("m7g.xlarge", 4, 16, ARM),
    with_gpu("p3.2xlarge", 8, 61, ("V100", 1, 16_384)),
    with_gpu("p3.8xlarge", 32, 244, ("V100", 4, 16_384)),
    plain("r5.xlarge", 4, 32, X86),
    plain("r6i.2xlarge", 8, 64, X86),
    plain("r6i.large", 2, 16, X86),
    plain("t3.large", 2, 8, X86),
    plain("t3.medium", 2, 4, X86),
    plain("t3.micro", 2, 1, X86),
    plain("t3.small", 2, 2, X86),
    plain("t4g.medium", 2, 4, ARM),
    plain("t4g.micro", 2, 1, ARM),
    plain("t4g.small", 2, 2, ARM),
];

/// The type of this name.
pub(crate) fn find(name: &str) -> Option<&'static InstanceType> {
    TYPES.iter().find(|each| each.name == name)
}

/// `DescribeInstanceTypes`
pub(crate) fn describe(_scene: &mut ActionContext<'_>, params: &Params) -> Reply {
    const KNOWN: [&str; 7] = [
        "instance-type",
        "vcpu-info.default-vcpus",
        "memory-info.size-in-mib",
        "processor-info.supported-architecture",
        "current-generation",
        "bare-metal",
        "hypervisor",
    ];
    Page::refuse_with_ids(params, "InstanceType")?;
    let page = Page::parse(params, "DescribeInstanceTypes", 5..=100)?;
    let filters = Filters::parse(params, &KNOWN)?;
    let names = params.values("InstanceType");
    let unknown: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| find(name).is_none()).collect();
    if !unknown.is_empty() {
        return Err(Ec2Error::new(
            "InvalidInstanceType",
            format!("The following supplied instance types do not exist: [{}]", unknown.join(", ")),
        ));
    }
    let no_tags = Tags::new();
    let after = page.after.as_deref().unwrap_or_default();
    let types = TYPES
        .iter()
        .filter(|each| each.name > after)
        .filter(|each| names.is_empty() || names.iter().any(|name| name == each.name))
        .filter(|each| {
            filters.admit(&no_tags, |field| match field {
                "instance-type" => one(each.name),
                "vcpu-info.default-vcpus" => one(each.vcpus.to_string()),
                "memory-info.size-in-mib" => one(each.memory_mib.to_string()),
                "processor-info.supported-architecture" => one(each.architecture),
                "current-generation" => one("true"),
                "bare-metal" => one("false"),
                "hypervisor" => one("nitro"),
                _ => Vec::new(),
            })
        })
        .map(|each| (each.name, each));
    let (types, next) = page.cut(types);
    let mut xml = Xml::default();
    xml.list("instanceTypeSet", types, write);
    xml.optional("nextToken", next);
    Ok(xml)
}

/// How much of the host's own disks a type has, which a stop wipes
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html>).
fn store_gb(name: &str) -> Option<u32> {
    match name {
        "g4dn.12xlarge" => Some(900),
        "g4dn.xlarge" => Some(125),
        "g5.12xlarge" => Some(3_800),
        "g5.xlarge" => Some(250),
        "m5d.large" => Some(75),
        _ => None,
    }
}

fn write(xml: &mut Xml, each: &InstanceType) {
    xml.leaf("instanceType", each.name);
    xml.leaf("currentGeneration", true);
    xml.leaf("bareMetal", false);
    xml.leaf("hypervisor", "nitro");
    xml.element("processorInfo", |xml| {
        xml.element("supportedArchitectures", |xml| xml.leaf("item", each.architecture));
    });
    xml.element("vCpuInfo", |xml| xml.leaf("defaultVCpus", each.vcpus));
    xml.element("memoryInfo", |xml| xml.leaf("sizeInMiB", each.memory_mib));
    let store_gb = store_gb(each.name);
    xml.leaf("instanceStorageSupported", store_gb.is_some());
    if let Some(total) = store_gb {
        xml.element("instanceStorageInfo", |xml| {
            xml.leaf("totalSizeInGB", total);
            xml.leaf("nvmeSupport", "required");
        });
    }
    xml.element("ebsInfo", |xml| xml.leaf("encryptionSupport", "supported"));
    if let Some(gpu) = each.gpu {
        xml.element("gpuInfo", |xml| {
            xml.list("gpus", [gpu], |xml, gpu| {
                xml.leaf("name", gpu.name);
                xml.leaf("manufacturer", gpu.manufacturer);
                xml.leaf("count", gpu.count);
                xml.element("memoryInfo", |xml| xml.leaf("sizeInMiB", gpu.memory_mib));
            });
            xml.leaf("totalGpuMemoryInMiB", gpu.count * gpu.memory_mib);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_in_the_order_of_their_names() {
        assert!(TYPES.is_sorted_by_key(|each| each.name));
    }
}
