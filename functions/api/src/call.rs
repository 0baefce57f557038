//! The call that every handler is given: the service, the caller with a sufficient role, the time, the query.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use shared::Service;
use shared::domain::audit::{Actor, Author};
use shared::trace::TraceParent;

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::query::{FromQuery, NoParameters, Query};
use crate::role::Role;

/// The header that says why; the audit keeps it.
pub(crate) const REASON_HEADER: &str = "X-Snapkeep-Reason";
/// How many characters it has at the most.
pub(crate) const REASON_LENGTH_MAX: usize = 500;

/// What the envelope has found out about a request.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    pub(crate) request_id: Arc<str>,
    pub(crate) caller: Result<Caller, Problem>,
    /// What it belongs to.
    pub(crate) trace: Option<TraceParent>,
}

/// A role as a type, so that a handler's signature says who may call it.
pub(crate) trait AtLeast: Send + Sync + 'static {
    /// The lowest role that may.
    const ROLE: Role;
}

/// Whoever reads.
#[derive(Debug)]
pub(crate) struct Viewer;
/// Whoever takes snapshots and keeps schedules.
#[derive(Debug)]
pub(crate) struct Operator;
/// Whoever deletes.
#[derive(Debug)]
pub(crate) struct Admin;

impl AtLeast for Viewer {
    const ROLE: Role = Role::Viewer;
}

impl AtLeast for Operator {
    const ROLE: Role = Role::Operator;
}

impl AtLeast for Admin {
    const ROLE: Role = Role::Admin;
}

/// A request by somebody who may make it, with its query read. Whoever may not is refused before anything
/// else about the request is looked at.
#[derive(Debug)]
pub(crate) struct Call<R, Q = NoParameters> {
    /// What operations need; what it writes is the caller's.
    service: Service,
    /// The caller's name.
    pub(crate) who: String,
    /// The caller's role.
    pub(crate) role: Role,
    /// The time, the same for the whole request.
    pub(crate) now: Timestamp,
    /// API Gateway's identifier of the request.
    pub(crate) request_id: Arc<str>,
    /// The query's parameters.
    pub(crate) query: Q,
    at_least: PhantomData<R>,
}

impl<R, Q> Call<R, Q> {
    /// What operations need.
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// Refuses a caller below `role`; `what` says what needs it.
    pub(crate) fn needs(&self, role: Role, what: &str) -> Result<(), Problem> {
        if self.role >= role { Ok(()) } else { Err(Problem::role_too_low(role, what)) }
    }
}

impl<R: AtLeast, Q: FromQuery> FromRequestParts<Arc<App>> for Call<R, Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<App>) -> Result<Self, Problem> {
        let facts = parts.extensions.get::<Facts>().cloned();
        let Facts { now, request_id, caller, trace } =
            facts.ok_or_else(|| Problem::internal("the envelope is missing around a route"))?;
        let Caller { who, role } = caller?;
        let role = role
            .filter(|role| *role >= R::ROLE)
            .ok_or_else(|| Problem::role_too_low(R::ROLE, "this request"))?;
        let Query(query) = Query::from_request_parts(parts, state).await?;
        let reason = match parts.method {
            Method::GET => None,
            _ => reason(&parts.headers)?,
        };
        let actor = Actor::Person {
            who: who.clone(),
            role: role.as_str().to_owned(),
            request_id: request_id.to_string(),
        };
        let service = state.service.acting(Author { actor, reason }).traced(trace);
        Ok(Self { service, who, role, now, request_id, query, at_least: PhantomData })
    }
}

/// Why, in the caller's words, as the header says it.
fn reason(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(REASON_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
    let is_text = |text: &&str| {
        (1..=REASON_LENGTH_MAX).contains(&text.chars().count()) && !text.contains(char::is_control)
    };
    let text = text.filter(is_text).filter(|_| values.next().is_none()).ok_or_else(|| {
        let allowed = format!("must be one text of 1 to {REASON_LENGTH_MAX} characters in UTF-8");
        Problem::invalid(REASON_HEADER, allowed)
    })?;
    Ok(Some(text.to_owned()))
}
