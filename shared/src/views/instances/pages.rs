//! The list of instances: page after page of EC2's, region after region.

use super::InstanceQuery;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::instance::Instance;
use crate::ec2::{Ec2, InstanceFilter};
use crate::error::Error;
use crate::regions::OutOfReach;
use crate::service::Service;

/// The smallest page that EC2 gives.
const EC2_PAGE_MIN: usize = 5;
/// How many of EC2's pages one of ours looks at before it answers with what it has and a cursor.
const EC2_PAGES_MAX: usize = 10;

/// One page of instances, and what is not in it.
#[derive(Clone, Debug)]
pub struct InstanceList {
    pub page: Page<Instance>,
    /// The regions that this page came to and that gave no answer: their instances, or the rest of them, are left out.
    pub out_of_reach: Vec<String>,
}

/// One page of the instances that `query` wants, region after region, our own first, and in EC2's order. A page may be
/// short although more follow. A region out of reach is left out; if no other was to be asked, that is the answer.
pub async fn list_instances(
    service: &Service,
    query: &InstanceQuery,
    request: &PageRequest,
) -> Result<InstanceList, Error> {
    let is_wanted = |ec2: &&Ec2| query.region.as_ref().is_none_or(|region| region == ec2.region());
    let regions: Vec<_> = service.everywhere().filter(is_wanted).collect();
    let mut position = InstancesPosition::of(request.cursor.as_ref())?;
    // A cursor that names a region which is no longer looked after goes on with the first.
    let first = regions.iter().position(|ec2| position.is_in(ec2)).unwrap_or_default();
    let mut pager = Pager {
        filter: query.filter(),
        query,
        limit: request.limit,
        items: Vec::new(),
        pages_left: EC2_PAGES_MAX,
    };
    let mut out_of_reach = OutOfReach::default();
    let mut next = None;
    for (index, ec2) in regions.iter().enumerate().skip(first) {
        let from = position.take_if_in(ec2);
        match pager.read(ec2, from).await {
            Ok(None) => {}
            Ok(Some(position)) => {
                next = Some(position);
                break;
            }
            Err(error) => out_of_reach.note(ec2.region(), error),
        }
        let follows = regions.get(index + 1);
        if let Some(follows) = follows.filter(|_| pager.is_full()) {
            next = Some(InstancesPosition::start_of(follows));
            break;
        }
    }
    let names = out_of_reach.names();
    match out_of_reach.into_error() {
        Some(error) if names.len() == regions.len() => Err(error),
        Some(_) | None => {
            let next_cursor = next.map(|position| position.cursor());
            Ok(InstanceList { page: Page { items: pager.items, next_cursor }, out_of_reach: names })
        }
    }
}

/// A page of ours that is being filled.
struct Pager<'a> {
    filter: InstanceFilter,
    query: &'a InstanceQuery,
    limit: usize,
    items: Vec<Instance>,
    pages_left: usize,
}

impl Pager<'_> {
    fn is_full(&self) -> bool {
        self.items.len() == self.limit || self.pages_left == 0
    }

    /// Reads on in a region; answers where it broke off, or none at the region's end.
    async fn read(
        &mut self,
        ec2: &Ec2,
        from: InstancesPosition,
    ) -> Result<Option<InstancesPosition>, Error> {
        let limit = i32::try_from(self.limit.max(EC2_PAGE_MIN)).unwrap_or(i32::MAX);
        let mut position = from;
        while !self.is_full() {
            self.pages_left -= 1;
            let page = ec2.instances_page(&self.filter, limit, position.token.clone()).await?;
            for (index, instance) in page.instances.into_iter().enumerate().skip(position.skip) {
                if self.items.len() == self.limit {
                    return Ok(Some(InstancesPosition { skip: index, ..position }));
                }
                if self.query.wants(&instance) {
                    self.items.push(instance);
                }
            }
            let Some(token) = page.next_token else { return Ok(None) };
            position = InstancesPosition { skip: 0, token: Some(token), ..position };
        }
        Ok(Some(position))
    }
}

/// Where a page goes on: in this region, so many instances into the page that EC2 gives for this token.
struct InstancesPosition {
    /// None is the first.
    region: Option<String>,
    skip: usize,
    token: Option<String>,
}

impl InstancesPosition {
    fn of(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self { region: None, skip: 0, token: None }) };
        let mut parts = cursor.key().splitn(3, ':');
        let (region, skip) = (parts.next(), parts.next().and_then(|skip| skip.parse().ok()));
        let (Some(region), Some(skip), Some(token)) = (region, skip, parts.next()) else {
            return Err(Error::invalid(
                "cursor",
                "is no cursor of this list; take the next_cursor of the page before",
            ));
        };
        let token = (!token.is_empty()).then(|| token.to_owned());
        Ok(Self { region: Some(region.to_owned()), skip, token })
    }

    fn start_of(ec2: &Ec2) -> Self {
        Self { region: Some(ec2.region().to_owned()), skip: 0, token: None }
    }

    fn is_in(&self, ec2: &Ec2) -> bool {
        self.region.as_deref() == Some(ec2.region())
    }

    /// This position, if it lies in the region, once; else the region's beginning.
    fn take_if_in(&mut self, ec2: &Ec2) -> Self {
        let start = Self::start_of(ec2);
        if self.is_in(ec2) { std::mem::replace(self, start) } else { start }
    }

    fn cursor(&self) -> Cursor {
        let region = self.region.as_deref().unwrap_or_default();
        let token = self.token.as_deref().unwrap_or_default();
        Cursor::after(format!("{region}:{}:{token}", self.skip))
    }
}
