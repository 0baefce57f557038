//! The estimated cost of snapshots: the routes.

mod by;
mod snapshot;
mod wire;

use std::sync::Arc;

use shared::domain::chain::DAILY_CHANGE_PERCENT_DEFAULT;
use shared::domain::cursor::Order;
use shared::views::billing as bills;
use shared::views::statistics::DimensionKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::by::{By, Percent};
use self::wire::Bill;
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// Routes of what snapshots cost.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show_billing)).merge(snapshot::routes())
}

/// How much changes; 3 unless told.
fn daily_change(given: &mut Parameters) -> Result<f64, Problem> {
    let percent: Option<Percent> = given.one("daily_change_percent")?;
    Ok(percent.map_or(DAILY_CHANGE_PERCENT_DEFAULT, |percent| percent.0))
}

/// Which bill is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BillParameters {
    /// What the rows are of; regions unless told otherwise.
    #[param(inline, value_type = Option<By>)]
    group_by: By,
    /// How much of a volume is written anew within a day, of a hundred.
    #[param(value_type = Option<f64>, minimum = 0, maximum = 100, default = 3)]
    daily_change_percent: f64,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for BillParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            group_by: given.one("group_by")?.unwrap_or_default(),
            daily_change_percent: daily_change(given)?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// Show what snapshots cost
///
/// By estimate, from numbers that are kept up to date and counted anew each hour: nothing is added up for the answer. By
/// region, instance and schedule it is what a month costs if everything stays as it is now; by month (in UTC, newest
/// first, the last 24) what each has cost, with each snapshot counted from when it was taken until it was gone. None of
/// the three numbers is what AWS bills, which depends on blocks that only AWS sees; each says what it is. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/billing",
    tag = "billing",
    params(BillParameters, PageParameters),
    responses((status = 200, description = "A page of the bill, and the total", body = Bill))
)]
async fn show_billing(call: Call<Viewer, BillParameters>) -> Result<Answer<Bill>, Problem> {
    let BillParameters { group_by: by, daily_change_percent: percent, page } = &call.query;
    let request = page.request(Order::default());
    let kind = match by {
        By::Region => DimensionKind::Region,
        By::Instance => DimensionKind::Instance,
        By::Schedule => DimensionKind::Schedule,
        By::Month => {
            let bill = bills::bill_months(call.service(), *percent, &request, call.now).await?;
            return Ok(Answer::ok(Bill::of(bill, *by, *percent, call.now)));
        }
    };
    let bill = bills::bill_rows(call.service(), kind, *percent, &request).await?;
    Ok(Answer::ok(Bill::of(bill, *by, *percent, call.now)))
}
