//! The service: everything that an operation needs.

use aws_config::SdkConfig;

use crate::bus::Bus;
use crate::domain::audit::Author;
use crate::ec2::Ec2;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::table::Table;
use crate::trace::TraceParent;

/// The table, EC2 in each region, the bus and the settings.
#[derive(Clone, Debug)]
pub struct Service {
    pub table: Table,
    /// EC2 in our own region.
    pub ec2: Ec2,
    /// EC2 in the other regions of the settings.
    pub elsewhere: Vec<Ec2>,
    pub bus: Bus,
    /// What can be set from outside.
    pub settings: Settings,
    /// What is counted on the way.
    pub metrics: Metrics,
}

/// How each of the three services is reached. In AWS all are the same.
#[derive(Clone, Debug)]
pub struct Connections {
    /// EC2.
    pub ec2: SdkConfig,
    pub dynamodb: SdkConfig,
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
        let metrics = Metrics::default();
        let ec2 = |region: &str| {
            Ec2::new(&connections.ec2, region, settings.installation.clone(), &metrics)
        };
        Self {
            table: Table::new(&connections.dynamodb, &settings.table)
                .keeping_audit(settings.audit_days)
                .counting(metrics.clone()),
            ec2: ec2(&settings.region),
            elsewhere: settings
                .regions
                .iter()
                .filter(|region| **region != settings.region)
                .map(|region| ec2(region))
                .collect(),
            bus: Bus::new(&connections.eventbridge, &settings.bus),
            metrics,
            settings,
        }
    }

    /// The same service, whose writes are this author's. Cheap: what is copied are handles and a few short texts.
    #[must_use]
    pub fn acting(&self, author: Author) -> Self {
        Self { table: self.table.acting(author), ..self.clone() }
    }

    /// The same service for a batch of writes, after which [`Table::add_together`] adds to the numbers.
    #[must_use]
    pub fn counting_together(&self) -> Self {
        Self { table: self.table.counting_together(), ..self.clone() }
    }

    /// The same service, whose events belong to this trace.
    #[must_use]
    pub fn traced(&self, trace: Option<TraceParent>) -> Self {
        Self { bus: self.bus.traced(trace), ..self.clone() }
    }

    /// EC2 in each region that is looked after, our own first.
    pub fn everywhere(&self) -> impl Iterator<Item = &Ec2> {
        std::iter::once(&self.ec2).chain(&self.elsewhere)
    }

    /// EC2 in this region. A region that is not looked after is [`Error::Conflict`].
    pub fn ec2_in(&self, region: &str) -> Result<&Ec2, Error> {
        self.everywhere().find(|ec2| ec2.region() == region).ok_or_else(|| {
            Error::conflict(format!(
                "the region {region} is not among those that are looked after; add it to SNAPKEEP_REGIONS"
            ))
        })
    }
}
