//! What every operation needs.

use aws_config::SdkConfig;

use crate::bus::Bus;
use crate::ec2::Ec2;
use crate::settings::Settings;
use crate::table::Table;

/// The table, EC2, the bus and the settings.
#[derive(Clone, Debug)]
pub struct Service {
    /// The records.
    pub table: Table,
    /// EC2.
    pub ec2: Ec2,
    /// The event bus.
    pub bus: Bus,
    /// What can be set from outside.
    pub settings: Settings,
}

/// How each of the three services is reached. In AWS all are the same.
#[derive(Clone, Debug)]
pub struct Connections {
    /// EC2.
    pub ec2: SdkConfig,
    /// DynamoDB.
    pub dynamodb: SdkConfig,
    /// EventBridge.
    pub eventbridge: SdkConfig,
}

impl Connections {
    /// One way for all three.
    pub fn same(config: SdkConfig) -> Self {
        Self { ec2: config.clone(), dynamodb: config.clone(), eventbridge: config }
    }
}

impl Service {
    /// A service of these settings over these connections.
    pub fn new(settings: Settings, connections: &Connections) -> Self {
        Self {
            table: Table::new(&connections.dynamodb, &settings.table),
            ec2: Ec2::new(&connections.ec2, &settings.region),
            bus: Bus::new(&connections.eventbridge, &settings.bus),
            settings,
        }
    }
}
