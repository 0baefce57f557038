//! The page as a browser asks for it.

use http::{Request, Response, StatusCode};
use lambda_http::Body;

use super::*;

/// All files together, as a browser loads them.
const COMPRESSED_MAX: usize = 150 * 1024;

fn console() -> Console {
    console_with(&[])
}

fn console_with(variables: &[(&str, &str)]) -> Console {
    let lookup = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Console::new(Settings::from_lookup(lookup))
}

fn get(console: &Console, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    console.handle(&request.body(Body::Empty).unwrap())
}

fn text(response: &Response<Body>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_page_names_its_files_by_their_digest() {
    let console = console();

    let page = get(&console, "/", &[]);

    assert_eq!(page.status(), StatusCode::OK);
    let page = text(&page);
    assert!(!page.contains("{{"), "{page}");
    let script = format!("/assets/{}/main.js", console.assets.digest());
    assert!(page.contains(&script), "{page}");
    let script = get(&console, &script, &[]);
    assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
}

#[test]
fn the_page_itself_is_asked_for_again_each_time() {
    let console = console();
    let first = get(&console, "/", &[]);
    let etag = header(&first, "etag");

    let again = get(&console, "/", &[("if-none-match", etag)]);
    let changed = get(&console, "/", &[("if-none-match", "\"other\"")]);

    assert_eq!(header(&first, "cache-control"), "no-cache");
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(changed.status(), StatusCode::OK);
}

#[test]
fn what_is_compressed_says_so_and_is_asked_for() {
    let console = console();
    let script = format!("/assets/{}/main.js", console.assets.digest());

    let small = get(&console, &script, &[("accept-encoding", "br, gzip;q=0.5")]);
    let plain = get(&console, &script, &[("accept-encoding", "br, gzip;q=0")]);

    assert_eq!(header(&small, "content-encoding"), "gzip");
    assert!(small.body().to_vec().starts_with(&[0x1f, 0x8b]));
    assert_eq!(header(&plain, "content-encoding"), "");
    assert_eq!(header(&small, "vary"), "accept-encoding");
}

#[test]
fn another_digest_another_path_and_another_method_lead_nowhere() {
    let console = console();
    let digest = console.assets.digest();
    let paths = [
        "/assets/0000/main.js".to_owned(),
        format!("/assets/{digest}/index.html"),
        format!("/assets/{digest}/../main.js"),
        format!("/assets/{digest}/none.js"),
        "/assets/main.js".to_owned(),
    ];

    for path in paths {
        let answer = get(&console, &path, &[]);
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
    }
    let post = Request::post("/").body(Body::Empty).unwrap();
    assert_eq!(console.handle(&post).status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn every_answer_says_that_nothing_else_may_be_loaded() {
    let console = console();

    for path in ["/", "/assets/0000/main.js"] {
        let answer = get(&console, path, &[]);
        assert_eq!(
            header(&answer, "content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        );
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "x-frame-options"), "DENY");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        assert_eq!(header(&answer, "cross-origin-opener-policy"), "same-origin");
        assert_eq!(header(&answer, "cross-origin-embedder-policy"), "require-corp");
        assert_eq!(
            header(&answer, "strict-transport-security"),
            "max-age=63072000; includeSubDomains"
        );
    }
}

#[test]
fn the_sign_in_is_one_more_that_the_page_may_talk_to() {
    let url = "https://snapkeep.auth.example";
    let console =
        console_with(&[("SNAPKEEP_SIGN_IN_URL", url), ("SNAPKEEP_WEB_CLIENT_ID", "a\"<b")]);

    let page = get(&console, "/", &[]);

    let policy = header(&page, "content-security-policy").to_owned();
    assert!(policy.contains("connect-src 'self' https://snapkeep.auth.example;"), "{policy}");
    let page = text(&page);
    assert!(page.contains("a&quot;&lt;b") && page.contains(url), "{page}");
}

#[test]
fn the_page_says_where_it_stands() {
    for (kind, said) in [("", "deployed"), ("local", "local"), ("demonstration", "demonstration")] {
        let page = text(&get(&console_with(&[("SNAPKEEP_PAGE_KIND", kind)]), "/", &[]));
        assert!(page.contains(&format!("content=\"{said}\"")), "{page}");
    }
}

/// What a file is, by the end of its name.
fn kind(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, kind)| kind)
}

#[test]
fn all_files_together_are_small() {
    let bytes = console().compressed_bytes();

    assert!(bytes < COMPRESSED_MAX, "{bytes}");
}

#[test]
fn the_page_has_no_script_and_no_style_of_its_own() {
    let console = console();

    for (name, text) in console.assets.texts() {
        if kind(name) == Some("html") {
            assert!(!text.contains(" style=") && !text.contains("<style"), "{name}");
            assert!(!text.contains(" onclick="), "{name}");
        }
        if kind(name) == Some("js") {
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(sink), "{name} uses {sink}");
            }
            assert!(text.lines().count() <= 360, "{name} is long");
        }
    }
}
