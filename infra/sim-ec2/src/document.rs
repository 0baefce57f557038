//! The document that answers a call.

use crate::{auto_scaling, errors::Ec2Error, request::Params, xml::Xml};

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The status and the document of a call's outcome.
pub(crate) fn written(
    params: &Params,
    result: Result<Xml, Ec2Error>,
    request_id: &str,
) -> (u16, String) {
    if let Some(body) = auto_scaling::answer(params, request_id) {
        return (200, body);
    }
    match result {
        Err(error) => (error.status, error.document(request_id)),
        Ok(content) => {
            // Only known actions succeed, so that the name is one.
            let action = params.get("Action").unwrap_or_default();
            let content = content.into_text();
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response \
                 xmlns=\"{NAMESPACE}\"><requestId>{request_id}</requestId>{content}\
                 </{action}Response>"
            );
            (200, body)
        }
    }
}
