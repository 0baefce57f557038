//! What comes before a call has any effect: whether its caller may, and a dry run.

use super::{SimEc2, State};
use crate::{
    actions::{self, Action},
    errors::Ec2Error,
    request::Params,
    rights::Call,
    state::World,
    xml::Xml,
};

impl SimEc2 {
    /// Refuses what the organization or the policy of the access key does not allow, and notes what the latter does.
    pub(super) fn authorize(
        &self,
        state: &mut State,
        access_key: &str,
        region: &str,
        params: &Params,
    ) -> Result<(), Ec2Error> {
        let call = Call {
            action: params.get("Action").unwrap_or_default(),
            params,
            region_name: region,
            regions: &state.world.regions,
            account: &self.config().account,
        };
        let all = call.asked();
        let refused = |denial| Ec2Error::denied(access_key, &denial);
        if let Some(organization) = &state.organization {
            all.iter()
                .try_for_each(|asked| organization.allows(asked).map(drop))
                .map_err(refused)?;
        }
        let Some(role) = state.roles.get_mut(access_key) else { return Ok(()) };
        for asked in all {
            match role.policy.allows(&asked) {
                Ok(rights) => role.used.extend(rights),
                Err(denial) => return Err(refused(denial)),
            }
        }
        Ok(())
    }

    /// The least that EC2 promises of a dry run: it looks at the rights, and here at whether there is such a snapshot. Who
    /// relies on locks and images being looked at too is found out.
    pub(super) fn rehearse_deletion(
        &self,
        world: &mut World,
        place: &str,
        params: &Params,
    ) -> Result<Xml, Ec2Error> {
        self.act(world, place, |context| {
            let id = params.required("SnapshotId")?;
            actions::describe_snapshots::find(context, id).map(|_| ())
        })?;
        Err(Ec2Error::dry_run())
    }

    /// Does it to a copy, so that a dry run refuses what the call itself would.
    pub(super) fn rehearse(
        &self,
        state: &State,
        place: &str,
        action: Action,
        params: &Params,
    ) -> Result<Xml, Ec2Error> {
        let mut copy = state.world.clone();
        self.act(&mut copy, place, |context| action(context, params))?;
        Err(Ec2Error::dry_run())
    }
}
