//! The machine of an instance, on the wire.

use serde::Serialize;
use shared::domain::instance as domain;
use utoipa::ToSchema;

/// What an instance type offers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Machine {
    /// Virtual CPUs.
    pub(crate) vcpus: i32,
    /// Memory in MiB.
    pub(crate) memory_mib: i64,
    /// Graphics processors, by kind.
    pub(crate) gpus: Vec<Gpu>,
    /// The disks of the host that it has for itself, in GB; they are in no snapshot, and a stop wipes them.
    pub(crate) instance_store_gb: Option<i64>,
}

/// Graphics processors of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gpu {
    /// Their name.
    #[schema(example = "NVIDIA A10G")]
    name: String,
    /// How many.
    count: i32,
    /// The memory of each in MiB, where EC2 says.
    memory_mib: Option<i32>,
}

impl From<domain::InstanceType> for Machine {
    fn from(kind: domain::InstanceType) -> Self {
        let domain::InstanceType { name: _name, vcpus, memory_mib, gpus, instance_store_gb } = kind;
        let gpus = gpus.into_iter().map(Gpu::from).collect();
        Self { vcpus, memory_mib, gpus, instance_store_gb }
    }
}

impl From<domain::Gpu> for Gpu {
    fn from(gpu: domain::Gpu) -> Self {
        let domain::Gpu { name, count, memory_mib } = gpu;
        Self { name, count, memory_mib }
    }
}
