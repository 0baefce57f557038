//! The page: static files, under a name that changes with their content.
//!
//! `GET /` is the page itself, `GET /assets/<digest>/<path>` everything else. The digest is that of all files
//! together, so that modules can name each other by plain relative paths, and a browser may keep them for ever.

mod assets;
mod headers;
mod settings;
#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use lambda_http::Body;

pub use self::settings::{PageKind, Settings, SignIn};

use self::assets::{Asset, Assets};

const PAGE: &str = "index.html";
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// The page and all its files.
#[derive(Debug)]
pub struct Console {
    settings: Settings,
    assets: Assets,
}

impl Console {
    /// The page as compiled in, or from the folder that the settings name.
    pub fn new(settings: Settings) -> Self {
        let assets = Assets::read(&settings);
        Self { settings, assets }
    }

    /// Answers one request.
    pub fn handle(&self, request: &Request<Body>) -> Response<Body> {
        // While somebody works on the page, its files are read anew each time.
        let read = self.settings.folder.is_some().then(|| Assets::read(&self.settings));
        let assets = read.as_ref().unwrap_or(&self.assets);
        let mut response = if matches!(*request.method(), Method::GET | Method::HEAD) {
            answer(assets, request.uri().path(), request.headers())
        } else {
            plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.")
        };
        headers::add(response.headers_mut(), &self.settings);
        response
    }

    /// How many bytes a browser loads if it loads everything.
    pub fn compressed_bytes(&self) -> usize {
        self.assets.iter().map(|asset| asset.compressed().len()).sum()
    }
}

fn answer(assets: &Assets, path: &str, wanted: &HeaderMap) -> Response<Body> {
    if path == "/" {
        return assets.get(PAGE).map_or_else(not_found, |page| serve(page, wanted, ASK_AGAIN));
    }
    let named = path.strip_prefix("/assets/").and_then(|rest| rest.split_once('/'));
    let Some((digest, name)) = named.filter(|(_, name)| *name != PAGE) else { return not_found() };
    match assets.get(name) {
        Some(asset) if digest == assets.digest() => serve(asset, wanted, FOREVER),
        // A page of before asks for a file of before.
        Some(_) | None => not_found(),
    }
}

fn serve(asset: &Asset, wanted: &HeaderMap, caching: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::ETAG, asset.etag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if names(wanted, header::IF_NONE_MATCH, asset.etag.to_str().unwrap_or_default()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let body = if names(wanted, header::ACCEPT_ENCODING, "gzip") {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        asset.compressed().to_vec()
    } else {
        asset.plain.clone()
    };
    *response.body_mut() = Body::Binary(body);
    response
}

/// Whether one of the values between commas is this one, whatever weight it has.
fn names(headers: &HeaderMap, name: header::HeaderName, value: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|text| text.to_str().ok());
    let mut parts = texts.flat_map(|text| text.split(','));
    parts.any(|part| {
        let mut part = part.split(';').map(str::trim);
        let named = part.next().is_some_and(|part| part.trim_start_matches("W/") == value);
        named && !part.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn not_found() -> Response<Body> {
    plain(
        StatusCode::NOT_FOUND,
        "There is nothing here. A newer version of the page may be: load / again.",
    )
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, NEVER);
    response
}
