//! Extractors: what a handler takes from a request, refused as a [`Problem`] where it does not fit.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::domain::ids::digest;
use shared::operations::idempotency;

use crate::app::App;
use crate::call::Call;
use crate::problem::Problem;

/// How large a body may be, unless its route says otherwise.
pub(crate) const BODY_KIB_MAX: usize = 64;
const KEY_HEADER: &str = "idempotency-key";
const KEY_LENGTH_MAX: usize = 255;

/// A JSON body; none at all reads as `{}`. Where it may have other than the usual `KIB_MAX`, the route's
/// `DefaultBodyLimit` says the same.
#[derive(Debug)]
pub(crate) struct Body<T, const KIB_MAX: usize = BODY_KIB_MAX>(pub(crate) T);

/// A body that says nothing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFields {}

/// The body of a request that makes something, with what keeps it from being made twice.
#[derive(Debug)]
pub(crate) struct Creation<T> {
    /// The body.
    pub(crate) body: T,
    key: Option<String>,
    fingerprint: String,
}

/// What a creation is carried out under: the same again for the same `Idempotency-Key`.
#[derive(Debug)]
pub(crate) struct Claimed<I> {
    /// The identifier of what is made.
    pub(crate) id: I,
    /// The `now` of what is made.
    pub(crate) at: Timestamp,
}

/// The identifier in the path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

/// The version that `If-Match` names; none for `*` or without the header.
///
/// A weak tag is taken like a strong one: ours begin with the version of the record, and what follows it, of the answer,
/// does not matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl<T: DeserializeOwned, const KIB_MAX: usize> FromRequest<Arc<App>> for Body<T, KIB_MAX> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &Arc<App>) -> Result<Self, Problem> {
        let media_type = MediaType::of(req.headers());
        let bytes = Bytes::from_request(req, state)
            .await
            .map_err(|rejection| Problem::unread_body(&rejection, KIB_MAX))?;
        parse(&bytes, media_type).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Creation<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &Arc<App>) -> Result<Self, Problem> {
        let key = key(req.headers())?;
        let media_type = MediaType::of(req.headers());
        let (method, path) = (req.method().to_string(), req.uri().path().to_owned());
        let bytes = Bytes::from_request(req, state)
            .await
            .map_err(|rejection| Problem::unread_body(&rejection, BODY_KIB_MAX))?;
        let body = parse(&bytes, media_type)?;
        let content = String::from_utf8_lossy(&bytes);
        Ok(Self { body, key, fingerprint: digest(&[&method, &path, &content]) })
    }
}

impl<T> Creation<T> {
    /// The identifier and time to make it under. `derive` makes the identifier of a time and random parts.
    pub(crate) async fn claim<I, R, Q>(
        &self,
        call: &Call<R, Q>,
        derive: fn(Timestamp, &[&str]) -> I,
    ) -> Result<Claimed<I>, Problem>
    where
        I: FromStr<Err: Display> + Display,
    {
        let fresh = derive(call.now, &[&call.request_id, &call.who, &self.fingerprint]);
        let caller = (call.who.as_str(), self.key.as_deref());
        let idempotency::Claim { id, at } = idempotency::claim(
            call.service(),
            caller,
            &self.fingerprint,
            fresh.to_string(),
            call.now,
        )
        .await?;
        let id = id.parse().map_err(|error: I::Err| Problem::internal(error.to_string()))?;
        Ok(Claimed { id, at })
    }
}

impl<T: FromStr<Err: Display>> FromRequestParts<Arc<App>> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<App>) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::invalid("id", "is not readable as text"))?;
        text.parse().map(Self).map_err(|error: T::Err| Problem::invalid("id", error))
    }
}

impl FromRequestParts<Arc<App>> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        if_match(&parts.headers)
    }
}

fn if_match(headers: &HeaderMap) -> Result<IfMatch, Problem> {
    let refused = || {
        Problem::invalid(
            "If-Match",
            "must be one ETag of ours, such as \"7\", or * for any version",
        )
    };
    let mut values = headers.get_all(IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(IfMatch(None)) };
    if values.next().is_some() {
        return Err(refused());
    }
    let text = value.to_str().map_err(|_| refused())?.trim();
    if text == "*" {
        return Ok(IfMatch(None));
    }
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let version = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // What is after the dot is of the answer, not of the record.
    let version = version.map(|tag| tag.split_once('.').map_or(tag, |(version, _)| version));
    let version = version.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    version.and_then(|digits| digits.parse().ok()).map(|one| IfMatch(Some(one))).ok_or_else(refused)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let is_key = (1..=KEY_LENGTH_MAX).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_graphic)
        && values.next().is_none();
    let text = value.to_str().ok().filter(|_| is_key).ok_or_else(|| {
        let allowed = format!("must be one text of 1 to {KEY_LENGTH_MAX} visible ASCII characters");
        Problem::invalid("Idempotency-Key", allowed)
    })?;
    Ok(Some(text.to_owned()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8], media_type: MediaType) -> Result<T, Problem> {
    match media_type {
        _ if bytes.is_empty() => Ok(Json::from_bytes(b"{}")?.0),
        // An array would pass for a structure, its members for the fields in their order.
        MediaType::Json if bytes.trim_ascii_start().first() != Some(&b'{') => {
            Err(Problem::invalid("body", "must be a JSON object"))
        }
        MediaType::Json => Ok(Json::from_bytes(bytes)?.0),
        MediaType::Other => Err(Problem::not_json()),
    }
}

/// What a body is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    Json,
    Other,
}

impl MediaType {
    fn of(headers: &HeaderMap) -> Self {
        let coding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Self::Other;
        }
        let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        let subtype = essence.strip_prefix("application/");
        if subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json")) {
            Self::Json
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn version(value: &str) -> Result<Option<u64>, Problem> {
        let headers = HeaderMap::from_iter([(IF_MATCH, value.parse().unwrap())]);
        if_match(&headers).map(|IfMatch(version)| version)
    }

    fn key_of(value: &str) -> Result<Option<String>, Problem> {
        let name = http::HeaderName::from_static(KEY_HEADER);
        key(&HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())]))
    }

    #[test]
    fn if_match_names_a_version_or_any() {
        assert_eq!(if_match(&HeaderMap::new()), Ok(IfMatch(None)));
        assert_eq!(version("*"), Ok(None));
        assert_eq!(version("\"7\""), Ok(Some(7)));
        assert_eq!(version("W/\"7\""), Ok(Some(7)));
    }

    #[test]
    fn an_if_match_that_is_no_etag_of_ours_is_refused() {
        for value in [
            "7",
            "\"\"",
            "\"x\"",
            "\"-1\"",
            "\"+1\"",
            "\"6\", \"7\"",
            "w/\"7\"",
            "\"99999999999999999999\"",
        ] {
            version(value).expect_err(value);
        }
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        assert_eq!(key(&HeaderMap::new()), Ok(None));
        assert!(key_of("a").is_ok());
        assert!(key_of(&"k".repeat(255)).is_ok());
        for value in ["", "a b", "ä", &"k".repeat(256)] {
            key_of(value).expect_err(value);
        }
    }

    #[test]
    fn json_is_told_by_its_media_type() {
        for (value, expected) in [
            ("application/json", MediaType::Json),
            ("Application/JSON; charset=utf-8", MediaType::Json),
            ("application/merge-patch+json", MediaType::Json),
            ("text/json", MediaType::Other),
            ("text/plain", MediaType::Other),
            ("application/x-www-form-urlencoded", MediaType::Other),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]);

            assert_eq!(MediaType::of(&headers), expected, "{value}");
        }
    }
}
