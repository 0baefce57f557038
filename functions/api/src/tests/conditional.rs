//! Small answers: what is compressed, what may be kept, and what is not sent again.

use super::support::Call;

const DOCUMENT: &str = "/v1/openapi.json";

#[tokio::test]
async fn the_document_is_compressed_for_who_takes_it_and_not_sent_twice() {
    let call = Call::new("GET", DOCUMENT);

    let plain = call.send().await;
    let small = call.clone().header("accept-encoding", "br, gzip").send().await;
    let tag = plain.header("etag").to_owned();
    let again = call.header("if-none-match", &tag).send().await;

    assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));
    assert_eq!(plain.body["openapi"], "3.1.0");
    assert_eq!((small.status, small.header("content-encoding")), (200, "gzip"));
    assert_eq!((small.header("vary"), small.header("etag")), ("accept-encoding", &*tag));
    assert_eq!((again.status, again.body.is_null()), (304, true));
    assert_eq!(again.header("cache-control"), "public, max-age=300");
}

#[tokio::test]
async fn what_is_short_is_sent_as_it_is() {
    let answer = Call::new("GET", "/v1/me").header("accept-encoding", "gzip").send().await;

    assert_eq!((answer.status, answer.header("content-encoding")), (200, ""));
    assert_eq!(answer.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn what_failed_may_not_be_kept() {
    let answer = Call::new("GET", "/v1/nothing").send().await;

    assert_eq!((answer.status, answer.header("cache-control")), (404, "no-store"));
    assert_eq!(answer.header("etag"), "");
}
