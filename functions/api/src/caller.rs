//! Who calls, and what they may do: read off the claims that API Gateway's JWT authorizer has checked.

use lambda_http::request::RequestContext;

use crate::problem::Problem;
use crate::role::Role;

/// Somebody whose token was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name that records and logs know them by.
    pub(crate) who: String,
    /// The highest role that their groups or scopes give, if any does.
    pub(crate) role: Option<Role>,
}

impl Caller {
    /// The caller of a request, or why it is refused.
    pub(crate) fn of(context: Option<&RequestContext>, role_claim: &str) -> Result<Self, Problem> {
        let authorizer = match context {
            Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref(),
            Some(_) | None => None,
        };
        let claims =
            authorizer.and_then(|authorizer| authorizer.jwt.as_ref()).map(|jwt| &jwt.claims);
        match claims.filter(|claims| !claims.is_empty()) {
            Some(claims) => {
                Self::from_claims(|name| claims.get(name).map(String::as_str), role_claim)
            }
            None => Err(Problem::unauthenticated(
                "no checked token came with the request; send an access token as Authorization: Bearer",
            )),
        }
    }

    /// A program's scopes count, a person's do not: a person's client could ask for any that it is allowed.
    fn from_claims<'a>(
        claim: impl Fn(&str) -> Option<&'a str>,
        role_claim: &str,
    ) -> Result<Self, Problem> {
        if let Some(token_use) = claim("token_use").filter(|token_use| *token_use != "access") {
            return Err(Problem::unauthenticated(format!(
                "this is an {token_use} token; an access token is needed"
            )));
        }
        let person = claim("username");
        let who = [person, claim("sub"), claim("client_id")].into_iter().flatten().next();
        let who = who.ok_or_else(|| Problem::unauthenticated("the token names nobody"))?.to_owned();
        let groups = claim(role_claim).into_iter().flat_map(listed);
        let by_group = highest(groups, Role::group);
        let scopes = claim("scope").filter(|_| person.is_none()).into_iter().flat_map(listed);
        let by_scope = highest(scopes, Role::scope);
        Ok(Self { who, role: by_group.max(by_scope) })
    }
}

/// The items of a claim. The authorizer writes a list as `[a b]`, which is the one way to read it: a group may be called
/// `x,snapkeep-admins`, and makes nobody an admin. Only what is JSON has quotes, and is read as that.
fn listed(claim: &str) -> Vec<String> {
    if let Ok(items) = serde_json::from_str::<Vec<String>>(claim) {
        return items;
    }
    let inner = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(claim);
    inner.split(' ').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn highest(given: impl Iterator<Item = String>, word: fn(Role) -> &'static str) -> Option<Role> {
    given.filter_map(|given| Role::ALL.into_iter().find(|role| word(*role) == given)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(claims: &[(&str, &str)]) -> Result<Caller, Problem> {
        let claim =
            |name: &str| claims.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        Caller::from_claims(claim, "cognito:groups")
    }

    fn role(claims: &[(&str, &str)]) -> Option<Role> {
        let claims: Vec<_> = claims.iter().copied().chain([("sub", "ada")]).collect();
        caller(&claims).unwrap().role
    }

    #[test]
    fn a_list_is_read_however_the_authorizer_writes_it() {
        for groups in [
            "snapkeep-operators",
            "[snapkeep-operators]",
            "[snapkeep-operators others]",
            "[\"others\",\"snapkeep-operators\"]",
        ] {
            assert_eq!(role(&[("cognito:groups", groups)]), Some(Role::Operator), "{groups}");
        }
    }

    #[test]
    fn the_highest_role_wins() {
        let groups = "[snapkeep-viewers snapkeep-admins snapkeep-operators]";

        assert_eq!(role(&[("cognito:groups", groups)]), Some(Role::Admin));
    }

    #[test]
    fn a_group_that_only_looks_like_one_gives_no_role() {
        for groups in [
            "[]",
            "",
            "snapkeep-admin",
            "[xsnapkeep-admins]",
            "admin",
            "Snapkeep-Admins",
            "x,snapkeep-admins",
            "[x,snapkeep-admins]",
            "[x, snapkeep-admins,]",
            "[\"snapkeep-admins\" x]",
            "[[snapkeep-admins]]",
        ] {
            assert_eq!(role(&[("cognito:groups", groups)]), None, "{groups}");
        }
    }

    #[test]
    fn a_programs_scope_gives_a_role_and_a_persons_does_not() {
        let scope = ("scope", "openid snapkeep/viewer snapkeep/operator");

        assert_eq!(role(&[scope]), Some(Role::Operator));
        assert_eq!(role(&[scope, ("username", "ada")]), None);
    }

    #[test]
    fn only_an_access_token_will_do() {
        assert!(caller(&[("sub", "ada"), ("token_use", "id")]).is_err());
        assert!(caller(&[("sub", "ada"), ("token_use", "access")]).is_ok());
        assert!(caller(&[("sub", "ada")]).is_ok());
    }

    #[test]
    fn a_person_goes_by_their_username_and_a_program_by_its_subject() {
        let claims = [("client_id", "client"), ("sub", "subject"), ("username", "ada")];

        assert_eq!(caller(&claims).unwrap().who, "ada");
        assert_eq!(caller(&claims[..2]).unwrap().who, "subject");
        assert_eq!(caller(&claims[..1]).unwrap().who, "client");
        assert!(caller(&[("scope", "snapkeep/admin")]).is_err());
    }
}
