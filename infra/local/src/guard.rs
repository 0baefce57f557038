//! Who may speak to a port of ours: programs of this machine, and pages that came from the very same port.
//!
//! A page of any other origin can have a browser send requests to loopback, with forms and `fetch`; by rebinding its
//! name to 127.0.0.1 it can even read the answers. Its requests give themselves away: by a `Host` that is not ours, by an
//! `Origin` that is not, or by `Sec-Fetch-Site`, which no page can set. What remains to them is a link: it opens our page
//! in place of theirs, where they can read nothing. A sign-in comes back that way.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{CONTENT_TYPE, HOST, ORIGIN},
};
use serde_json::json;

/// What loopback is called in an address.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
/// Where a request comes from, in the browser's own words.
const FETCH_SITE: &str = "sec-fetch-site";
/// What a request is for, likewise.
const FETCH_MODE: &str = "sec-fetch-mode";
/// Where its answer will stand, likewise: a frame of another page says another word.
const FETCH_DEST: &str = "sec-fetch-dest";

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is addressed to somebody else.
    #[error(
        "this port answers to 127.0.0.1, localhost and [::1] with its own number only; the Host was another"
    )]
    Host,
    /// A page of somebody else's sends it.
    #[error("a page of another origin may not call this port")]
    Origin,
}

/// The same routes, for those who may speak to this port.
pub(crate) fn guarded(router: Router, port: u16) -> Router {
    router.layer(from_fn_with_state(port, stand_guard))
}

async fn stand_guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    match check(request.method(), request.uri(), request.headers(), port) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let body = json!({ "message": refusal.to_string() }).to_string();
            (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "application/json")], body).into_response()
        }
    }
}

/// Whether a request may be answered on this port.
pub(crate) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    port: u16,
) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter().peekable();
    let no_host = hosts.peek().is_none() && uri.authority().is_none();
    let is_own_host = |host: &HeaderValue| host.to_str().is_ok_and(|host| is_own(host, port));
    let is_own_authority = uri.authority().is_none_or(|host| is_own(host.as_str(), port));
    if no_host || !hosts.all(is_own_host) || !is_own_authority {
        return Err(Refusal::Host);
    }
    let is_own_origin = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|host| is_own(host, port))
    };
    if !headers.get_all(ORIGIN).iter().all(is_own_origin) {
        return Err(Refusal::Origin);
    }
    let is_own_site = |site: &HeaderValue| ["same-origin", "none"].iter().any(|own| site == own);
    let is_from_here = headers.get_all(FETCH_SITE).iter().all(is_own_site);
    if is_from_here || opens_the_page(method, uri, headers) {
        return Ok(());
    }
    Err(Refusal::Origin)
}

/// Whether somebody followed a link to our page: a `GET` of it, into a window of its own.
fn opens_the_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let says = |name, word| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| value == word) && values.next().is_none()
    };
    *method == Method::GET
        && uri.path() == "/"
        && says(FETCH_MODE, "navigate")
        && says(FETCH_DEST, "document")
}

/// Whether this names loopback with our port. Without a port it is that of http.
fn is_own(authority: &str, port: u16) -> bool {
    HOSTS.iter().any(|host| {
        let rest = authority.get(..host.len()).filter(|start| start.eq_ignore_ascii_case(host));
        match rest.and_then(|_| authority.get(host.len()..)) {
            Some("") => port == 80,
            Some(rest) => rest.strip_prefix(':') == Some(port.to_string().as_str()),
            None => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: u16 = 8080;

    fn asked(headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(&Method::GET, &Uri::from_static("/v1/me"), &map, PORT)
    }

    fn from(more: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let own = [("host", "127.0.0.1:8080")];
        asked(&own.iter().chain(more).copied().collect::<Vec<_>>())
    }

    #[test]
    fn loopback_is_answered_by_each_of_its_names() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"] {
            assert_eq!(asked(&[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_name_that_was_rebound_to_loopback_is_not() {
        for host in [
            "evil.example:8080",
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "127.0.0.1:8081",
            "127.0.0.1",
            "127.0.0.1:08080",
            "127.0.0.1:8080:8080",
            "user@127.0.0.1:8080",
            "0.0.0.0:8080",
            "127.0.0.2:8080",
            "[::ffff:127.0.0.1]:8080",
            "",
        ] {
            assert_eq!(asked(&[("host", host)]), Err(Refusal::Host), "{host}");
        }
        assert_eq!(asked(&[]), Err(Refusal::Host));
        let both = [("host", "127.0.0.1:8080"), ("host", "evil.example:8080")];
        assert_eq!(asked(&both), Err(Refusal::Host));
    }

    #[test]
    fn a_whole_address_in_the_request_line_counts_as_well() {
        let own: HeaderMap =
            [(HOST, HeaderValue::from_static("localhost:8080"))].into_iter().collect();
        let to = |uri| check(&Method::GET, &Uri::from_static(uri), &own, PORT);

        assert_eq!(to("http://localhost:8080/v1/me"), Ok(()));
        assert_eq!(to("http://evil.example:8080/v1/me"), Err(Refusal::Host));
    }

    #[test]
    fn a_page_of_our_own_may_call() {
        assert_eq!(from(&[("origin", "http://127.0.0.1:8080")]), Ok(()));
        assert_eq!(from(&[("origin", "http://localhost:8080")]), Ok(()));
        assert_eq!(from(&[("sec-fetch-site", "same-origin")]), Ok(()));
        // Typed into the address bar.
        assert_eq!(from(&[("sec-fetch-site", "none")]), Ok(()));
    }

    #[test]
    fn a_page_of_anybody_elses_may_not() {
        for origin in [
            "http://evil.example",
            "https://127.0.0.1:8080",
            "http://127.0.0.1:3000",
            "http://127.0.0.1",
            "null",
            "file://",
            "",
        ] {
            assert_eq!(from(&[("origin", origin)]), Err(Refusal::Origin), "{origin}");
        }
        // A page of another port of this machine is of the same site, and yet somebody else's.
        for site in ["cross-site", "same-site", "Same-Origin", "other"] {
            assert_eq!(from(&[("sec-fetch-site", site)]), Err(Refusal::Origin), "{site}");
        }
    }

    #[test]
    fn a_link_of_anybody_elses_opens_the_page_and_nothing_else() {
        let followed = |method: Method, uri, more: &[(&'static str, &'static str)]| {
            let link = [("host", "127.0.0.1:8080"), ("sec-fetch-site", "cross-site")];
            let mut headers = HeaderMap::new();
            for (name, value) in link.iter().chain(more) {
                headers.append(*name, HeaderValue::from_static(value));
            }
            check(&method, &Uri::from_static(uri), &headers, PORT)
        };
        let window = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        let fetch = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "document")];
        let form = [window[0], window[1], ("origin", "https://evil.example")];

        assert_eq!(followed(Method::GET, "/", &window), Ok(()));
        assert_eq!(followed(Method::GET, "/?code=abc&state=def", &window), Ok(()));
        assert_eq!(followed(Method::GET, "/v1/me", &window), Err(Refusal::Origin));
        assert_eq!(followed(Method::POST, "/", &window), Err(Refusal::Origin));
        for other in [&frame[..], &fetch[..], &form[..], &[]] {
            assert_eq!(followed(Method::GET, "/", other), Err(Refusal::Origin), "{other:?}");
        }
    }

    #[test]
    fn the_port_of_http_may_be_left_out() {
        assert!(is_own("localhost", 80));
        assert!(!is_own("localhost", 8080));
    }
}
