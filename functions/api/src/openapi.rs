//! The OpenAPI document: its frame, and the problems that routes have in common.
//!
//! Routes declare how they succeed and what only they refuse. What follows from their extractors (a token, an
//! identifier, a body, a precondition, a key) is added here, so that no route can forget it. Only tests make the document:
//! what is served is the one that they hold to be the same, ready-made.

mod examples;
mod finish;
mod patterns;

use std::collections::BTreeMap;
use std::mem;

use http::{Method, StatusCode};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ArrayItems, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use self::examples::AllExamples;
pub(crate) use self::finish::{finished, text};
use self::patterns::{complete_parameters, complete_schema};
use crate::call::{REASON_HEADER, REASON_LENGTH_MAX};
use crate::problem::{MEDIA_TYPE, ProblemBody, ProblemKind};
use crate::role::Role;

const TOKEN: &str = "token";

/// The document without any route.
pub(crate) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Snapkeep")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Snapshots of EC2 instances: taken on demand or on schedules, kept as long as the rules say, and \
             never deleted by mistake. Times are RFC 3339 in UTC. Unknown fields and query parameters are \
             refused, and so is a body of more than 64 KiB unless the route says otherwise. Errors are problems \
             after RFC 9457, with a `type` that never changes.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    let roles = format!(
        "An access token of the configured issuer. The role follows from the groups {}, {} or {}; for a \
         program from the scopes {}, {} or {}.",
        Role::Viewer.group(),
        Role::Operator.group(),
        Role::Admin.group(),
        Role::Viewer.scope(),
        Role::Operator.scope(),
        Role::Admin.scope(),
    );
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(roles))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(TOKEN, SecurityScheme::Http(bearer))
        .schema(ProblemBody::name(), ProblemBody::schema())
        .schema(Role::name(), Role::schema())
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new(TOKEN, [""; 0])]))
        .build()
}

/// Adds to every route the problems that its extractors may answer with, the patterns of what it takes, and
/// its examples.
pub(crate) fn complete(document: &mut OpenApi) {
    let mut examples = AllExamples::kept();
    for (path, item) in &mut document.paths.paths {
        for operation in changing(path, item) {
            operation.parameters.get_or_insert_default().push(reason_header().into());
        }
        for (method, operation) in operations(item) {
            describe_refusals(operation);
            complete_parameters(path, operation);
            examples.complete(operation);
            for kind in common(&method, path, operation) {
                let (status, ..) = kind.facts();
                let responses = &mut operation.responses.responses;
                responses.entry(status.as_str().to_owned()).or_insert_with(|| reference(kind));
            }
        }
    }
    if let Some(components) = &mut document.components {
        name_items(&mut components.schemas);
        for schema in components.schemas.values_mut() {
            if let RefOr::T(schema) = schema {
                complete_schema(schema);
            }
        }
        for kind in COMMON {
            let (_, name, _) = kind.facts();
            components.responses.insert(name.to_owned(), RefOr::T(response(kind)));
        }
    }
}

/// Gives the items of lists their names: utoipa writes a generic's argument out in place.
fn name_items(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let mut items = Vec::new();
    for (list, schema) in schemas.iter_mut() {
        if let Some(name) = finish::item_of(list)
            && let RefOr::T(Schema::Object(object)) = schema
            && let Some(RefOr::T(Schema::Array(array))) = object.properties.get_mut("items")
            && let ArrayItems::RefOrSchema(inline) = &mut array.items
        {
            let reference = RefOr::Ref(Ref::from_schema_name(name));
            items.push((name.to_owned(), mem::replace(inline.as_mut(), reference)));
        }
    }
    schemas.extend(items);
}

const COMMON: [ProblemKind; 11] = [
    ProblemKind::Invalid,
    ProblemKind::Unauthenticated,
    ProblemKind::RoleTooLow,
    ProblemKind::NotFound,
    ProblemKind::Conflict,
    ProblemKind::Stale,
    ProblemKind::TooLarge,
    ProblemKind::NotJson,
    ProblemKind::KeyReused,
    ProblemKind::Internal,
    ProblemKind::Unavailable,
];

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The examples that belong to no operation.
pub(crate) fn examples_left(document: &mut OpenApi) -> Vec<String> {
    let mut examples = AllExamples::kept();
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(|(_, operation)| examples.complete(operation));
    }
    examples.left().into_iter().map(str::to_owned).collect()
}

/// What can change a record. What only tries something out may be told why as well, but nobody keeps it.
fn changing<'a>(path: &str, item: &'a mut PathItem) -> impl Iterator<Item = &'a mut Operation> {
    let tries_out = path.ends_with("/preview") || path.ends_with("/simulate");
    [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .flatten()
        .filter(move |_| !tries_out)
}

fn reason_header() -> Parameter {
    ParameterBuilder::new()
        .name(REASON_HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Why; the audit keeps it beside what was done"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(REASON_LENGTH_MAX)),
        ))
        .build()
}

fn common(method: &Method, path: &str, operation: &Operation) -> Vec<ProblemKind> {
    let has = |name: &str| {
        let parameters = operation.parameters.iter().flatten();
        let mut names = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter.name.as_str()),
            RefOr::Ref(_) => None,
        });
        names.any(|given| given == name)
    };
    // A POST reads its body even where there is nothing to say in it.
    let has_body = operation.request_body.is_some() || method == Method::POST;
    COMMON
        .into_iter()
        .filter(|kind| match kind {
            ProblemKind::Invalid | ProblemKind::Internal => true,
            // A route that says which security it needs, says that it needs none.
            ProblemKind::Unauthenticated | ProblemKind::RoleTooLow | ProblemKind::Unavailable => {
                operation.security.is_none()
            }
            ProblemKind::NotFound => path.contains('{'),
            // Without If-Match, what changes while it is being edited is a conflict.
            ProblemKind::Stale | ProblemKind::Conflict => has("If-Match"),
            ProblemKind::TooLarge | ProblemKind::NotJson => has_body,
            ProblemKind::KeyReused => has("Idempotency-Key"),
            ProblemKind::AwsNotPermitted | ProblemKind::MethodNotAllowed | ProblemKind::Gone => {
                false
            }
        })
        .collect()
}

/// Gives the refusals that a route declares itself the body they have.
fn describe_refusals(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let is_refusal = status.parse::<StatusCode>().is_ok_and(|status| status.is_client_error());
        if let RefOr::T(response) = response
            && is_refusal
        {
            response.content.insert(MEDIA_TYPE.to_owned(), problem().into());
        }
    }
}

fn reference(kind: ProblemKind) -> RefOr<Response> {
    let (_, name, _) = kind.facts();
    RefOr::Ref(Ref::from_response_name(name))
}

fn response(kind: ProblemKind) -> Response {
    let (_, _, title) = kind.facts();
    let description = if kind == ProblemKind::RoleTooLow {
        format!("{title}, or {}", ProblemKind::AwsNotPermitted.facts().2)
    } else {
        title.to_owned()
    };
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, problem()).build()
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build()
}
