//! A reconciliation that a person asks for.

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::error::{Error, chain};
use crate::events::{OwnEvent, ReconciliationRequested};
use crate::service::Service;
use crate::views::findings::regions;

/// How long one must wait before asking for another look.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How long a look that was asked for may be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);

/// Asks the reconciler for a look at everything now. It is [`Error::Conflict`] where the last look was less than five
/// minutes ago, or where one that was asked for less than fifteen minutes ago is still under way.
pub async fn request(service: &Service, who: &str, now: Timestamp) -> Result<(), Error> {
    let regions = regions(service).await?;
    let latest = regions.iter().map(|one| one.looked_at).max();
    if let Some(latest) = latest.filter(|latest| now.duration_since(*latest) < PAUSE) {
        return Err(Error::conflict(format!(
            "everything was looked at at {latest}; ask again five minutes after it"
        )));
    }
    let asked = service.table.look_asked_at().await?;
    let is_under_way = |asked: Timestamp| {
        now.duration_since(asked) < UNDER_WAY && latest.is_none_or(|latest| latest < asked)
    };
    if let Some(asked) = asked.filter(|asked| is_under_way(*asked)) {
        return Err(under_way(asked));
    }
    if !service.table.ask_look(asked, now).await?.is_done() {
        return Err(under_way(now));
    }
    let detail = ReconciliationRequested { requested_by: who.to_owned() };
    let published = service.bus.publish(&[OwnEvent::ReconciliationRequested(detail)]).await;
    if published.is_err() {
        // Else nobody could ask for a while. It holds nobody back for longer than that if this fails as well. It is written
        // over: the api may remove nothing where this is.
        let earlier = asked.unwrap_or(Timestamp::UNIX_EPOCH);
        if let Err(error) = service.table.ask_look(Some(now), earlier).await {
            warn!(error.chain = %chain(&error), "A look may be asked for only later");
        }
    }
    published
}

/// A look was asked for at `asked`, and may not have ended.
fn under_way(asked: Timestamp) -> Error {
    let again = asked.saturating_add(UNDER_WAY).unwrap_or(asked);
    Error::conflict(format!(
        "a look was asked for at {asked}; ask again when it has ended, or at {again}"
    ))
}
