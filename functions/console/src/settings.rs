//! What the page is told about where it stands.

use std::path::PathBuf;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where people sign in; none where nobody has to, or where they bring a token.
    pub sign_in: Option<SignIn>,
    /// What kind of page it is.
    pub kind: PageKind,
    /// Reads the files from this folder each time, for work on the page.
    pub folder: Option<PathBuf>,
}

/// A hosted sign-in page that speaks OAuth: code with PKCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its origin.
    pub url: String,
    /// The id of our client there.
    pub client: String,
}

/// What stands behind the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// An account.
    Deployed,
    /// One machine, where everybody has the role of `--as` and may lower it.
    Local,
    /// One machine with made-up history.
    Demonstration,
}

impl Settings {
    /// From variables: `SNAPKEEP_SIGN_IN_URL` and `SNAPKEEP_WEB_CLIENT_ID` together, `SNAPKEEP_PAGE_KIND`
    /// (`local`, `demonstration`), `SNAPKEEP_PAGE_FOLDER`.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name| lookup(name).filter(|value| !value.is_empty());
        let sign_in = given("SNAPKEEP_SIGN_IN_URL").zip(given("SNAPKEEP_WEB_CLIENT_ID"));
        let kind = match given("SNAPKEEP_PAGE_KIND").as_deref() {
            Some("local") => PageKind::Local,
            Some("demonstration") => PageKind::Demonstration,
            Some(_) | None => PageKind::Deployed,
        };
        Self {
            sign_in: sign_in.map(|(url, client)| SignIn { url, client }),
            kind,
            folder: given("SNAPKEEP_PAGE_FOLDER").map(PathBuf::from),
        }
    }

    /// The page with its places filled in.
    pub(crate) fn fill(&self, page: &str, digest: &str) -> String {
        let kind = match self.kind {
            PageKind::Deployed => "deployed",
            PageKind::Local => "local",
            PageKind::Demonstration => "demonstration",
        };
        let (url, client) = match &self.sign_in {
            Some(SignIn { url, client }) => (url.as_str(), client.as_str()),
            None => ("", ""),
        };
        page.replace("{{digest}}", digest)
            .replace("{{kind}}", kind)
            .replace("{{sign-in}}", &escaped(url))
            .replace("{{client}}", &escaped(client))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
