//! Answers no larger than they need be: a weak `ETag` for every GET and 304 to who has it, and gzip to who takes it.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::problem::Problem;

/// From how many bytes on an answer is compressed.
const COMPRESSED_FROM: usize = 1_024;
/// What may be kept: by the client only, and asked about before it is used again.
const KEPT: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What may not.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");
/// What changes with every second and says nothing new: it is left out of the tag.
const VOLATILE: [&[u8]; 2] = [b"\"as_of\":", b"\"age_seconds\":"];

/// What a client says it has, and what it takes.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a header's own")]
pub(crate) struct Wishes {
    is_get: bool,
    has: Vec<String>,
    takes_gzip: bool,
}

/// An answer that is the same for everybody until the next version: its tag and its compressed form are made once.
#[derive(Clone, Debug)]
pub(crate) struct Premade {
    pub(crate) tag: HeaderValue,
    pub(crate) compressed: Bytes,
}

impl Premade {
    /// What there is to make of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let tag = HeaderValue::from_str(&format!("W/\"{}\"", hash(bytes))).ok()?;
        Some(Self { tag, compressed: gzip(bytes)? })
    }
}

impl Wishes {
    /// What a request says.
    pub(crate) fn of(request: &Request) -> Self {
        let list = |name| {
            let values = request.headers().get_all(name).iter();
            let texts = values.filter_map(|value| value.to_str().ok());
            texts.flat_map(|text| text.split(',')).map(|one| one.trim().to_owned())
        };
        Self {
            is_get: request.method() == Method::GET,
            has: list(IF_NONE_MATCH).map(|tag| opaque(&tag).to_owned()).collect(),
            takes_gzip: list(ACCEPT_ENCODING).any(|coding| takes_gzip(&coding)),
        }
    }

    /// The answer as the client wants it.
    pub(crate) async fn fit(&self, response: Response) -> Response {
        let (mut parts, body) = response.into_parts();
        let is_shown = self.is_get && parts.status == StatusCode::OK;
        let cache = if is_shown { KEPT } else { NOT_KEPT };
        parts.headers.entry(CACHE_CONTROL).or_insert(cache);
        let Ok(bytes) = to_bytes(body, usize::MAX).await else {
            return axum::response::IntoResponse::into_response(Problem::internal(
                "the body of an answer cannot be read",
            ));
        };
        let premade = parts.extensions.remove::<Premade>();
        if is_shown {
            let tag = premade.as_ref().map(|made| made.tag.clone());
            if let Some(tag) = tag.or_else(|| tag_of(&parts.headers, &bytes)) {
                let is_had = tag.to_str().is_ok_and(|tag| self.has_it(tag));
                parts.headers.insert(ETAG, tag);
                parts.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
                if is_had {
                    parts.status = StatusCode::NOT_MODIFIED;
                    parts.headers.remove(CONTENT_TYPE);
                    parts.headers.remove(CONTENT_LENGTH);
                    return Response::from_parts(parts, Body::empty());
                }
            }
        }
        let compressed = match premade {
            _ if !self.takes_gzip || bytes.len() < COMPRESSED_FROM => None,
            Some(made) => Some(made.compressed),
            None => gzip(&bytes),
        };
        let Some(compressed) = compressed else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(compressed))
    }

    /// Whether the client has what bears this tag.
    fn has_it(&self, tag: &str) -> bool {
        self.has.iter().any(|has| has == "*" || has == opaque(tag))
    }
}

/// A tag without what says that it is weak: what is asked for conditionally is compared weakly (RFC 9110, 13.1.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether a member of `Accept-Encoding` is gzip, or anything, and not refused by a weight of nothing.
fn takes_gzip(coding: &str) -> bool {
    let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
    let is_refused =
        matches!(weight.trim().strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000"));
    matches!(name.trim(), "gzip" | "x-gzip" | "*") && !is_refused
}

/// The weak tag of an answer: a digest of what it says, and the version before it where there is one.
fn tag_of(headers: &HeaderMap, bytes: &[u8]) -> Option<HeaderValue> {
    let version = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let version = version.trim_matches('"');
    let dot = if version.is_empty() { "" } else { "." };
    HeaderValue::from_str(&format!("W/\"{version}{dot}{}\"", hash(bytes))).ok()
}

/// A digest of a JSON text, but for what is only the time.
fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|byte| *byte == b'"') {
        let (before, from) = rest.split_at(place);
        hasher.write(before);
        rest = if let Some(value) = VOLATILE.iter().find_map(|name| from.strip_prefix(*name)) {
            let end = value.iter().position(|byte| matches!(byte, b',' | b'}'));
            value.get(end.unwrap_or(value.len())..).unwrap_or_default()
        } else {
            hasher.write(b"\"");
            from.get(1..).unwrap_or_default()
        };
    }
    hasher.write(rest);
    format!("{:016x}", hasher.finish())
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_answer_is_no_news() {
        let at = |time: &str, age: u32, name: &str| {
            let text = format!(
                "{{\"as_of\":\"{time}\",\"a\":{{\"age_seconds\":{age}}},\"name\":\"{name}\"}}"
            );
            hash(text.as_bytes())
        };

        assert_eq!(at("2026-03-01T00:00:00Z", 1, "x"), at("2026-03-02T00:00:00Z", 22, "x"));
        assert_ne!(at("2026-03-01T00:00:00Z", 1, "x"), at("2026-03-01T00:00:00Z", 1, "y"));
    }

    #[test]
    fn gzip_is_taken_by_name_or_by_star_unless_its_weight_is_nothing() {
        for coding in ["gzip", "gzip;q=0.5", "*", "x-gzip", "gzip; q=1"] {
            assert!(takes_gzip(coding), "{coding}");
        }
        for coding in ["br", "gzip;q=0", "gzip; q=0.0", "identity", ""] {
            assert!(!takes_gzip(coding), "{coding}");
        }
    }

    #[test]
    fn a_tag_has_the_version_before_the_digest() {
        let mut headers = HeaderMap::new();
        let plain = tag_of(&headers, b"{}").unwrap();
        headers.insert(ETAG, HeaderValue::from_static("\"7\""));

        let versioned = tag_of(&headers, b"{}").unwrap();

        let digest = plain.to_str().unwrap().strip_prefix("W/\"").unwrap().to_owned();
        assert_eq!(versioned.to_str().unwrap(), format!("W/\"7.{digest}"));
    }
}
