//! Zones, subnets, security groups and key pairs.

use super::errors::failed;
use super::{Ec2, filter};
use crate::domain::restore::surroundings::{Named, Network, Presence, Surroundings};
use crate::error::Error;

impl Ec2 {
    /// What EC2 shows of what is named. It is asked for nothing that is not.
    pub async fn surroundings(&self, named: &Named) -> Result<Surroundings, Error> {
        let Named { zone, subnet_id, security_group_ids, key_name } = named;
        let mut there = Surroundings::default();
        if zone.is_some() {
            there.zones = self.zones().await?;
        }
        if let Some(id) = subnet_id {
            there.subnet = self.network_of_subnet(id).await?;
        }
        if !security_group_ids.is_empty() {
            there.security_groups = self.security_groups(security_group_ids).await?;
        }
        if let Some(name) = key_name {
            there.key = self.key_pair(name).await?;
        }
        Ok(there)
    }

    /// The zones of the region that are open to the account.
    async fn zones(&self) -> Result<Vec<String>, Error> {
        let answer = self
            .client
            .describe_availability_zones()
            .send()
            .await
            .map_err(|error| failed("DescribeAvailabilityZones", error))?;
        let zones = answer.availability_zones().iter();
        Ok(zones.filter_map(|zone| zone.zone_name().map(str::to_owned)).collect())
    }

    async fn network_of_subnet(&self, id: &str) -> Result<Option<Network>, Error> {
        let mut token = None;
        loop {
            let answer = self
                .client
                .describe_subnets()
                .filters(filter("subnet-id", [id.to_owned()]))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeSubnets", error))?;
            if let Some(subnet) = answer.subnets().first() {
                return Ok(Some(subnet.vpc_id().map(str::to_owned)));
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    async fn security_groups(&self, ids: &[String]) -> Result<Vec<(String, Network)>, Error> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let answer = self
                .client
                .describe_security_groups()
                .filters(filter("group-id", ids.iter().cloned()))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed("DescribeSecurityGroups", error))?;
            found.extend(answer.security_groups().iter().filter_map(|group| {
                Some((group.group_id()?.to_owned(), group.vpc_id().map(str::to_owned)))
            }));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn key_pair(&self, name: &str) -> Result<Presence, Error> {
        let answer = self
            .client
            .describe_key_pairs()
            .filters(filter("key-name", [name.to_owned()]))
            .send()
            .await
            .map_err(|error| failed("DescribeKeyPairs", error))?;
        let is_it = |key: Option<&str>| key == Some(name);
        let is_there = answer.key_pairs().iter().any(|key| is_it(key.key_name()));
        Ok(if is_there { Presence::There } else { Presence::Gone })
    }
}
