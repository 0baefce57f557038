//! The HTTP API: a request becomes the event that API Gateway sends (payload format 2.0), and the function's
//! answer a response.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{
    dispatch::Identity,
    function::Function,
    options::Role,
    template::{Access, Route},
};

/// The longest body API Gateway takes.
pub const BODY_MAX: usize = 10 * 1024 * 1024;
/// Lowers the role of `--as` for one request: `viewer`, `operator`, `admin` or `none`.
pub const ROLE_HEADER: &str = "x-snapkeep-role";

/// The HTTP API of the template.
#[derive(Debug)]
pub struct Gateway {
    routes: Vec<Route>,
    /// What stands for a person's token, where not everybody who reaches the port may call.
    token: Option<String>,
    role_claim: String,
    identity: Identity,
    requests: AtomicU64,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Anonymous,
    /// Somebody whose token gives this role.
    Person(Role),
}

/// What never reaches the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No route is like this.
    NotFound,
    /// The route wants a token.
    Unauthorized,
    /// The body is longer than API Gateway takes.
    TooLarge,
    /// The role in the header is none of ours.
    UnknownRole,
}

impl Gateway {
    /// The routes of a template; roles are told in the claim `role_claim`.
    pub fn new(routes: Vec<Route>, role_claim: String, identity: Identity) -> Self {
        Self { routes, token: None, role_claim, identity, requests: AtomicU64::new(0) }
    }

    /// The same, for those alone who bring this token as `Authorization: Bearer`.
    #[must_use]
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// The function that answers this request, and the event that it gets for it.
    pub fn event(
        &self,
        request: &Request<Bytes>,
        caller: Caller,
        now: Timestamp,
    ) -> Result<(Function, Value), Refusal> {
        let path = request.uri().path();
        let (route, parameters) =
            self.find(request.method().as_str(), path).ok_or(Refusal::NotFound)?;
        let caller = caller_of(request.headers(), caller)?;
        let authorizer = match (route.access, caller) {
            (Access::Open, _) => None,
            (Access::Authorized, Caller::Anonymous) => return Err(Refusal::Unauthorized),
            (Access::Authorized, Caller::Person(_))
                if self.token.as_ref().is_some_and(|token| !brings(request.headers(), token)) =>
            {
                return Err(Refusal::Unauthorized);
            }
            (Access::Authorized, Caller::Person(role)) => Some(self.authorizer(role, now)),
        };
        if request.body().len() > BODY_MAX {
            return Err(Refusal::TooLarge);
        }
        let mut event = json!({
            "version": "2.0",
            "routeKey": key(route),
            "rawPath": path,
            "rawQueryString": request.uri().query().unwrap_or_default(),
            "headers": headers(request.headers()),
            "requestContext": self.context(request, route, now),
        });
        let context = event.get_mut("requestContext").and_then(Value::as_object_mut);
        if let (Some(context), Some(authorizer)) = (context, authorizer) {
            context.insert("authorizer".to_owned(), authorizer);
        }
        let (body, is_encoded) = body(request.body());
        let parts = [
            ("pathParameters", (!parameters.is_empty()).then_some(Value::Object(parameters))),
            ("cookies", cookies(request.headers())),
            ("body", body.map(Value::from)),
            ("isBase64Encoded", Some(is_encoded.into())),
        ];
        if let Some(event) = event.as_object_mut() {
            let there = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
            event.extend(there);
        }
        Ok((route.function, event))
    }

    /// The route: one of this very method before one of any, and the more exact the better.
    fn find(&self, method: &str, path: &str) -> Option<(&Route, Map<String, Value>)> {
        let fitting = self.routes.iter().filter_map(|route| {
            if route.method.as_deref().is_some_and(|wanted| wanted != method) {
                return None;
            }
            let parameters = parameters(&route.path, path)?;
            let greedy = route.path.contains("+}");
            Some(((!greedy, route.method.is_some(), route.path.len()), route, parameters))
        });
        let best = fitting.max_by_key(|(rank, _, _)| *rank);
        best.map(|(_, route, parameters)| (route, parameters))
    }

    fn authorizer(&self, role: Role, now: Timestamp) -> Value {
        let second = now.as_second();
        let claims = json!({
            // Lists arrive as one text in brackets.
            (self.role_claim.as_str()): format!("[{}]", role.group()),
            "sub": format!("local-{role}"),
            "username": format!("local-{role}"),
            "client_id": "local",
            "token_use": "access",
            "scope": "openid profile email",
            "iss": "https://local.invalid",
            "auth_time": second.to_string(),
            "iat": second.to_string(),
            "exp": (second + 3_600).to_string(),
        });
        json!({ "jwt": { "claims": claims, "scopes": null } })
    }

    fn context(&self, request: &Request<Bytes>, route: &Route, now: Timestamp) -> Value {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        json!({
            "accountId": self.identity.account,
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": request.method().as_str(),
                "path": request.uri().path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": text(header::USER_AGENT).unwrap_or_default(),
            },
            "requestId": format!("local-{}-{number}", now.as_millisecond()),
            "routeKey": key(route),
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        })
    }
}

impl Refusal {
    /// What API Gateway answers; only the role's header is ours.
    pub fn response(self) -> Response<Bytes> {
        let (status, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::UnknownRole => (
                StatusCode::BAD_REQUEST,
                "x-snapkeep-role should be viewer, operator, admin or none",
            ),
        };
        let mut response = Response::new(Bytes::from(json!({ "message": message }).to_string()));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The caller, whose role the header may lower. What asks for more than there is gets what there is.
fn caller_of(headers: &HeaderMap, default: Caller) -> Result<Caller, Refusal> {
    let Some(value) = headers.get(ROLE_HEADER) else { return Ok(default) };
    let wanted = match value.as_bytes() {
        b"viewer" => Role::Viewer,
        b"operator" => Role::Operator,
        b"admin" => Role::Admin,
        b"none" => return Ok(Caller::Anonymous),
        _ => return Err(Refusal::UnknownRole),
    };
    Ok(match default {
        Caller::Anonymous => Caller::Anonymous,
        Caller::Person(role) => Caller::Person(role.min(wanted)),
    })
}

/// Whether a request brings the token that the run has printed. As long as it takes to compare, so long for each.
fn brings(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let wanted = format!("Bearer {token}");
    let differences = given.iter().zip(wanted.as_bytes()).filter(|(one, other)| one != other);
    (given.len() == wanted.len()) & (differences.count() == 0)
}

fn key(route: &Route) -> String {
    format!("{} {}", route.method.as_deref().unwrap_or("ANY"), route.path)
}

/// The path's variables, if it is like the template's.
fn parameters(template: &str, path: &str) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    let mut rest = path.strip_prefix('/')?.split('/');
    let mut wanted = template.strip_prefix('/')?.split('/');
    for part in wanted.by_ref() {
        let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let Some(name) = variable else {
            if rest.next()? != part {
                return None;
            }
            continue;
        };
        let (name, text) = match name.strip_suffix('+') {
            Some(name) => (name, rest.by_ref().collect::<Vec<_>>().join("/")),
            None => (name, rest.next()?.to_owned()),
        };
        if text.is_empty() {
            return None;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        found.insert(name.to_owned(), decoded.into());
    }
    rest.next().is_none().then_some(found)
}

/// Lower-case names, several values joined by commas, cookies apart. The host is ours, as API Gateway's is
/// its own: what a client sends there need not be one.
fn headers(given: &HeaderMap) -> Map<String, Value> {
    let mut found = Map::new();
    for name in given.keys() {
        if name == header::COOKIE || name == ROLE_HEADER {
            continue;
        }
        let values: Vec<_> = given
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        found.insert(name.as_str().to_owned(), values.join(",").into());
    }
    found.insert("host".to_owned(), "localhost".into());
    found.insert("x-forwarded-for".to_owned(), "127.0.0.1".into());
    found.insert("x-forwarded-proto".to_owned(), "http".into());
    found
}

/// The body as a text, and whether that is base64.
fn body(bytes: &[u8]) -> (Option<String>, bool) {
    match std::str::from_utf8(bytes) {
        Ok("") => (None, false),
        Ok(text) => (Some(text.to_owned()), false),
        Err(_) => (Some(BASE64_STANDARD.encode(bytes)), true),
    }
}

fn cookies(headers: &HeaderMap) -> Option<Value> {
    let values = headers.get_all(header::COOKIE);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = texts.flat_map(|text| text.split("; ")).collect();
    (!cookies.is_empty()).then(|| json!(cookies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn gateway() -> Gateway {
        let template = Template::embedded().unwrap();
        let identity =
            Identity { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        Gateway::new(template.routes, "cognito:groups".to_owned(), identity)
    }

    fn ask(request: http::request::Builder, body: &'static [u8]) -> Result<Value, Refusal> {
        let request = request.body(Bytes::from_static(body)).unwrap();
        let event = gateway().event(&request, Caller::Person(Role::Admin), Timestamp::UNIX_EPOCH);
        event.map(|(_, event)| event)
    }

    fn get(path: &str) -> Result<Value, Refusal> {
        ask(Request::get(path), b"")
    }

    #[test]
    fn the_role_arrives_as_a_claim() {
        let event = get("/v1/instances?limit=2&limit=3").unwrap();

        let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
        assert_eq!(claims["cognito:groups"], "[snapkeep-admins]");
        assert_eq!(claims["token_use"], "access");
        assert_eq!(event["routeKey"], "ANY /v1/{proxy+}");
        assert_eq!(event["pathParameters"]["proxy"], "instances");
        assert_eq!(event["rawQueryString"], "limit=2&limit=3");
    }

    #[test]
    fn an_open_route_has_no_claims() {
        let event = get("/v1/health").unwrap();

        assert_eq!(event["routeKey"], "GET /v1/health");
        assert!(event["requestContext"].get("authorizer").is_none());
    }

    #[test]
    fn another_method_of_an_open_path_is_not_open() {
        let event = ask(Request::post("/v1/health"), b"").unwrap();

        assert_eq!(event["routeKey"], "ANY /v1/{proxy+}");
    }

    #[test]
    fn the_page_and_its_files_are_open_and_the_pages_own() {
        for path in ["/", "/assets/0123/pages/list.js"] {
            let request = Request::get(path).body(Bytes::new()).unwrap();
            let (function, event) =
                gateway().event(&request, Caller::Anonymous, Timestamp::UNIX_EPOCH).unwrap();

            assert_eq!(function, Function::Console, "{path}");
            assert!(event["requestContext"].get("authorizer").is_none(), "{path}");
        }
    }

    #[test]
    fn what_has_no_route_is_not_found() {
        for path in ["/v1", "/v1/", "/v2/instances", "/assets", "/assets/"] {
            assert_eq!(get(path), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn the_header_changes_the_role_and_does_not_arrive() {
        let request = |role| Request::get("/v1/me").header(ROLE_HEADER, role);

        let event = ask(request("viewer"), b"").unwrap();

        let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
        assert_eq!(claims["cognito:groups"], "[snapkeep-viewers]");
        assert!(event["headers"].get(ROLE_HEADER).is_none());
        assert_eq!(ask(request("none"), b""), Err(Refusal::Unauthorized));
        assert_eq!(ask(request("root"), b""), Err(Refusal::UnknownRole));
    }

    #[test]
    fn the_header_never_raises_the_role() {
        let as_who = |default, role: &str| {
            let request = Request::get("/v1/me").header(ROLE_HEADER, role);
            caller_of(request.body(()).unwrap().headers(), default)
        };
        let viewer = Caller::Person(Role::Viewer);

        assert_eq!(as_who(viewer, "admin"), Ok(viewer));
        assert_eq!(as_who(viewer, "operator"), Ok(viewer));
        assert_eq!(as_who(Caller::Anonymous, "admin"), Ok(Caller::Anonymous));
        let operator = Caller::Person(Role::Operator);
        assert_eq!(as_who(Caller::Person(Role::Admin), "operator"), Ok(operator));
    }

    #[test]
    fn with_a_token_only_who_brings_it_may_call() {
        let gateway = gateway().with_token(Some("0123456789abcdef".to_owned()));
        let ask = |path: &str, authorization: &str| {
            let request = Request::get(path).header("authorization", authorization);
            let request = request.body(Bytes::new()).unwrap();
            gateway.event(&request, Caller::Person(Role::Admin), Timestamp::UNIX_EPOCH).map(|_| ())
        };

        assert_eq!(ask("/v1/me", "Bearer 0123456789abcdef"), Ok(()));
        for wrong in [
            "",
            "Bearer ",
            "Bearer 0123456789abcdeX",
            "0123456789abcdef",
            "Bearer 0123456789abcdef0",
        ] {
            assert_eq!(ask("/v1/me", wrong), Err(Refusal::Unauthorized), "{wrong}");
        }
        assert_eq!(ask("/v1/health", ""), Ok(()));
    }

    #[test]
    fn a_body_that_is_no_text_arrives_in_base64() {
        let text = ask(Request::post("/v1/snapshots"), b"{}").unwrap();
        let bytes = ask(Request::post("/v1/snapshots"), &[0xff, 0x00]).unwrap();

        assert_eq!((&text["body"], &text["isBase64Encoded"]), (&json!("{}"), &json!(false)));
        assert_eq!((&bytes["body"], &bytes["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    }

    #[test]
    fn the_runtime_reads_the_event_back() {
        let event = ask(Request::post("/v1/snapshots?a=b").header("host", "a b"), b"{}").unwrap();

        let request = lambda_http::request::from_str(&event.to_string()).unwrap();

        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "http://localhost/v1/snapshots?a=b");
    }
}
