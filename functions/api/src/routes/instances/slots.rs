//! The calendar of promised slots: the routes, and what they answer.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Serialize;
use shared::domain::cursor::Order;
use shared::domain::ids::{InstanceId, ScheduleId, SnapshotId};
use shared::domain::run::promise;
use shared::domain::schedule::zone::Zone;
use shared::views::instances::InstanceQuery;
use shared::views::slots::days::{CalendarDays, DayCounts};
use shared::views::slots::{Calendar, Calendars, PromisedSlot, calendar, calendars};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::call::{Call, Viewer};
use crate::cursor::written;
use crate::extract::Id;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters, TagText};
use crate::respond::Answer;
use crate::routes::words::wire_words;

/// How many days are told unless somebody asks for others.
const DAYS_DEFAULT: i64 = 30;
/// How many instances a page has at the most.
const INSTANCES_MAX: usize = 50;

/// Routes of calendars.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_slots)).routes(routes!(show_slots))
}

/// Which days are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DayParameters {
    /// From this day on; 29 days before `to` unless told.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-01")]
    from: Option<Date>,
    /// Until this day, which is in it: at most 30 days later. Today unless told.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-30")]
    to: Option<Date>,
    /// The IANA zone whose days they are; UTC unless told.
    #[param(value_type = Option<String>, example = "Europe/Berlin")]
    timezone: Option<Zone>,
}

impl FromQuery for DayParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            from: given.date("from")?,
            to: given.date("to")?,
            timezone: given.one("timezone")?,
        })
    }
}

impl DayParameters {
    fn days(&self, now: Timestamp) -> Result<CalendarDays, Problem> {
        let zone = self.timezone.clone().unwrap_or_default();
        let today = now.to_zoned(zone.time_zone().clone()).date();
        let to = self.to.unwrap_or(today);
        let from = self.from.unwrap_or_else(|| to.saturating_sub((DAYS_DEFAULT - 1).days()));
        Ok(CalendarDays::checked(from, to, zone)?)
    }
}

/// Which instances' calendars are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SlotParameters {
    #[param(ignore)]
    days: DayParameters,
    /// Of this region.
    #[param(example = "us-east-1")]
    region: Option<String>,
    /// Bearing this tag, `Key=Value`; may be repeated, and then all are wanted.
    #[param(value_type = Vec<String>, required = false, example = json!(["team=blue"]))]
    tag: Vec<TagText>,
    /// With this text in id, name or type; case does not matter.
    #[param(max_length = 100)]
    q: Option<String>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for SlotParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            days: DayParameters::from_query(given)?,
            region: given.one("region")?,
            tag: given.all("tag")?,
            q: given.text("q", 100)?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// A page of calendars.
#[derive(Debug, Serialize, ToSchema)]
struct SlotCalendarPage {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date, example = "2026-03-30")]
    to: Date,
    /// The zone whose days they are.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// The instances, in EC2's order. There may be fewer than `limit`, even none, although more follow.
    items: Vec<SlotCalendar>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The regions that this page came to and that gave no answer: their instances are not in the list.
    regions_out_of_reach: Vec<String>,
}

/// What became of the slots that were promised to an instance, day by day.
#[derive(Debug, Serialize, ToSchema)]
struct SlotCalendar {
    /// The instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its name.
    instance_name: Option<String>,
    /// Its region.
    region: Option<String>,
    /// The days on which slots were due, in order.
    days: Vec<SlotDay>,
    /// How many slots its schedules promise it for the 24 hours from now.
    coming: usize,
}

/// The slots of one day in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct SlotDay {
    /// The day.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    date: Date,
    /// How many were due.
    due: usize,
    /// A snapshot was taken in time.
    met: usize,
    /// One was taken, more than a quarter of an hour after it was due.
    late: usize,
    /// Nothing took them up.
    missed: usize,
    /// They were taken up, and nothing whole came of them.
    failed: usize,
    /// They were skipped: the snapshot before was still under way.
    put_off: usize,
    /// They are under way.
    open: usize,
}

/// What became of the slots that were promised to an instance, one by one.
#[derive(Debug, Serialize, ToSchema)]
struct InstanceSlots {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date, example = "2026-03-30")]
    to: Date,
    /// The zone whose days they are.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    #[serde(flatten)]
    calendar: SlotCalendar,
    /// The slots, in order.
    slots: Vec<Slot>,
}

/// A slot that was promised to an instance.
#[derive(Debug, Serialize, ToSchema)]
struct Slot {
    /// When it was due.
    at: Timestamp,
    /// By which schedule.
    #[schema(value_type = String, example = "sch_0195500c-6d00-7000-8000-000000000000")]
    schedule_id: ScheduleId,
    /// Its name.
    schedule_name: String,
    /// What became of it.
    outcome: SlotOutcome,
    /// Its snapshot, if there is or was one.
    #[schema(value_type = Option<String>)]
    snapshot_id: Option<SnapshotId>,
    /// How long after it was due, staggered, its snapshot was taken.
    lateness_seconds: Option<i64>,
}

wire_words! {
    /// What became of a promised slot.
    SlotOutcome of promise::SlotOutcome {
        /// A snapshot was taken in time.
        Met,
        /// One was taken, more than a quarter of an hour after it was due.
        Late,
        /// Nothing took it up.
        Missed,
        /// It was taken up, and nothing whole came of it.
        Failed,
        /// It was skipped: the snapshot before was still under way.
        PutOff,
        /// It is under way.
        Open,
    }
}

/// List the calendars of instances
///
/// Of each instance that EC2 shows, day by day, how many slots its schedules promised it and what became of them, for up
/// to 31 days and 50 instances a page. What a schedule took for an instance counts whomever it is for now. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/slots",
    tag = "instances",
    params(DayParameters, SlotParameters, PageParameters),
    responses(
        (status = 200, description = "A page of calendars", body = SlotCalendarPage),
        (status = 409, description = "There are more than 20,000 runs in that time")
    )
)]
async fn list_slots(
    call: Call<Viewer, SlotParameters>,
) -> Result<Answer<SlotCalendarPage>, Problem> {
    let SlotParameters { days, region, tag, q, page } = &call.query;
    let days = days.days(call.now)?;
    let query = InstanceQuery {
        tags: tag.iter().map(|TagText(tag)| tag.clone()).collect(),
        q: q.clone(),
        region: region.clone(),
        ..InstanceQuery::default()
    };
    let mut request = page.request(Order::default());
    request.limit = request.limit.min(INSTANCES_MAX);
    let found = calendars(call.service(), &query, &days, &request, call.now).await?;
    Ok(Answer::ok(SlotCalendarPage::of(found, &days)))
}

/// Show the calendar of an instance
///
/// The same for one instance, with each slot, what became of it and its snapshot. Of an instance that EC2 shows no more, by
/// the schedules that took its snapshots. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}/slots",
    tag = "instances",
    params(
        ("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0"),
        DayParameters
    ),
    responses(
        (status = 200, description = "The calendar", body = InstanceSlots),
        (status = 409, description = "There are more than 20,000 runs in that time")
    )
)]
async fn show_slots(
    call: Call<Viewer, DayParameters>,
    Id(id): Id<InstanceId>,
) -> Result<Answer<InstanceSlots>, Problem> {
    let days = call.query.days(call.now)?;
    let found = calendar(call.service(), &id, &days, call.now).await?;
    let slots = found.slots.iter().cloned().map(Slot::from).collect();
    let (from, to, timezone) = (days.from, days.to, days.zone.name().to_owned());
    let calendar = SlotCalendar::of(found);
    Ok(Answer::ok(InstanceSlots { from, to, timezone, calendar, slots }))
}

impl SlotCalendarPage {
    fn of(found: Calendars, days: &CalendarDays) -> Self {
        let Calendars { items, next_cursor, out_of_reach } = found;
        Self {
            from: days.from,
            to: days.to,
            timezone: days.zone.name().to_owned(),
            items: items.into_iter().map(SlotCalendar::of).collect(),
            next_cursor: next_cursor.as_ref().map(written),
            regions_out_of_reach: out_of_reach,
        }
    }
}

impl SlotCalendar {
    fn of(calendar: Calendar) -> Self {
        let Calendar { instance_id, instance_name, region, days, slots: _slots, coming } = calendar;
        let days = days.into_iter().map(SlotDay::of).collect();
        Self { instance_id, instance_name, region, days, coming }
    }
}

impl SlotDay {
    fn of((date, counts): (Date, DayCounts)) -> Self {
        let DayCounts { due, met, late, missed, failed, put_off, open } = counts;
        Self { date, due, met, late, missed, failed, put_off, open }
    }
}

impl From<PromisedSlot> for Slot {
    fn from(slot: PromisedSlot) -> Self {
        let PromisedSlot { at, schedule_id, schedule_name, promise, snapshot_id } = slot;
        let lateness_seconds = promise.lateness.map(|late: SignedDuration| late.as_secs());
        let outcome = promise.outcome.into();
        Self { at, schedule_id, schedule_name, outcome, snapshot_id, lateness_seconds }
    }
}
