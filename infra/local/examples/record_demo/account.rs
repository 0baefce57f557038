//! The account of the demonstration: its instances and its schedules.

use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, RootDevice, SeedVolume, SimEc2};

/// Puts the instances into the simulation.
pub(crate) fn add_instances(ec2: &SimEc2) {
    for (name, size) in
        [("orders-db", 500), ("customers-db", 320), ("reporting-db", 800), ("sessions-db", 120)]
    {
        let spec = InstanceSpec::named(name)
            .tag("Environment", "production")
            .tag("Role", "database")
            .tag("Team", "data")
            .instance_type("r6i.xlarge")
            .volume(SeedVolume::new("/dev/sdf", size).tag("Content", "tables"))
            .volume(SeedVolume::new("/dev/sdg", 40).tag("Content", "log"));
        ec2.add_instance(spec);
    }
    for number in 1..=6 {
        let spec = machine(&format!("web-{number}"), "production", "shop", "t3.medium");
        ec2.add_instance(spec.tag("Tier", "web"));
    }
    for (name, count, team) in [("api", 4, "shop"), ("worker", 4, "shop")] {
        for number in 1..=count {
            let spec = machine(&format!("{name}-{number}"), "production", team, "m6i.large");
            ec2.add_instance(spec.tag("Backup", "nightly"));
        }
    }
    for (name, kind) in [
        ("monitoring", "m6i.large"),
        ("wiki", "t3.small"),
        ("vpn", "t3.micro"),
        ("jump", "t3.micro"),
    ] {
        ec2.add_instance(machine(name, "production", "platform", kind).tag("Backup", "nightly"));
    }
    for (name, size) in [("erp", 250), ("payroll", 80)] {
        let spec = machine(name, "production", "finance", "m6i.xlarge").tag("Books", "yes");
        ec2.add_instance(spec.volume(SeedVolume::new("/dev/sdf", size).encrypted()));
    }
    for (name, size) in [("gitlab", 300), ("registry", 400)] {
        let spec = machine(name, "production", "platform", "m6i.large").tag("Git", "yes");
        ec2.add_instance(spec.volume(SeedVolume::new("/dev/sdf", size)));
    }
    ec2.add_instance(machine("mail", "production", "platform", "t3.large"));
    ec2.add_instance(machine("crm-old", "production", "sales", "t3.large"));
    for name in ["cache-1", "cache-2"] {
        ec2.add_instance(machine(name, "production", "shop", "r6g.large"));
    }
    for name in ["web", "api", "worker", "db", "search", "mail"] {
        ec2.add_instance(machine(&format!("staging-{name}"), "staging", "shop", "t3.small"));
    }
    for name in ["anna", "ben", "chen", "dora", "eli"] {
        ec2.add_instance(machine(&format!("dev-{name}"), "development", "shop", "t3.medium"));
    }
    ec2.add_instance(InstanceSpec {
        root: RootDevice::InstanceStore,
        volumes: Vec::new(),
        ..machine("render", "production", "studio", "m5d.large")
    });
}

fn machine(name: &str, environment: &str, team: &str, kind: &str) -> InstanceSpec {
    let spec = InstanceSpec::named(name).instance_type(kind);
    spec.tag("Environment", environment).tag("Team", team)
}

/// The schedules that there are from the beginning.
pub(crate) fn schedules(id_of: impl Fn(&str) -> String) -> Vec<Value> {
    vec![
        json!({"name": "Production, every night", "expression": "cron(30 2 * * ? *)", "timezone": "Europe/Berlin",
            "targets": {"tags": {"all_of": [{"key": "Backup", "value": "nightly"}]}},
            "retention": {"keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12}}),
        json!({"name": "Databases, every six hours", "expression": "cron(0 0/6 * * ? *)",
            "targets": {"tags": {"all_of": [{"key": "Role", "value": "database"}]}},
            "retention": {"keep_last": 8, "keep_daily": 14, "keep_weekly": 8, "keep_monthly": 12},
            "drill_every": "7d"}),
        json!({"name": "Staging, weekdays", "expression": "cron(0 20 ? * MON-FRI *)", "timezone": "Europe/Berlin",
            "targets": {"tags": {"all_of": [{"key": "Environment", "value": "staging"}]}},
            "retention": {"keep_daily": 5}}),
        json!({"name": "Development, Sundays", "expression": "cron(0 3 ? * SUN *)",
            "targets": {"tags": {"all_of": [{"key": "Environment", "value": "development"}]}},
            "retention": {"keep_weekly": 4}}),
        json!({"name": "Finance, first of the month", "expression": "cron(0 4 1 * ? *)", "timezone": "Europe/Berlin",
            "targets": {"tags": {"all_of": [{"key": "Books", "value": "yes"}]}},
            "retention": {"keep_monthly": 24, "keep_yearly": 7}}),
        json!({"name": "Git, twice a day", "expression": "cron(15 5,17 * * ? *)",
            "targets": {"tags": {"all_of": [{"key": "Git", "value": "yes"}]}},
            "retention": {"keep_daily": 10, "keep_weekly": 4}}),
        json!({"name": "Mail, every twelve hours", "expression": "rate(12 hours)",
            "targets": {"instance_ids": [id_of("mail")]}, "retention": {"max_age": "21d"}}),
        json!({"name": "Second region, Saturdays", "expression": "cron(0 5 ? * SAT *)",
            "targets": {"instance_ids": [id_of("orders-db"), id_of("erp")]},
            "retention": {"keep_weekly": 6}, "copies": [{"region": "eu-west-1"}]}),
        json!({"name": "The old CRM", "expression": "cron(0 22 * * ? *)",
            "targets": {"instance_ids": [id_of("crm-old")]},
            "retention": {"keep_daily": 7}, "when_gone": {"type": "keep_last", "count": 3}}),
        json!({"name": "Before patch day", "expression": "cron(0 7 ? * TUE *)",
            "targets": {"instance_ids": [id_of("jump"), id_of("vpn")]}, "retention": {"keep_weekly": 6}}),
    ]
}

/// The tier of web servers came to a schedule of its own later.
pub(crate) fn web_tier() -> Value {
    json!({"name": "Web tier, twice a day", "expression": "cron(0 6,18 * * ? *)",
        "targets": {"tags": {"all_of": [{"key": "Tier", "value": "web"}]}},
        "retention": {"keep_last": 6, "keep_daily": 7}})
}

/// What is watched most closely.
pub(crate) fn hourly(orders: &str) -> Value {
    json!({"name": "Orders, every hour", "expression": "cron(20 * * * ? *)",
        "targets": {"instance_ids": [orders]},
        "retention": {"keep_within": "48h", "keep_daily": 7}})
}
