//! The tests of the whole: the API and the flows over a simulated EC2 and an embedded DynamoDB, in one process
//! and on set clocks, and the rules of the house.

#[cfg(test)]
mod api;
#[cfg(test)]
mod features;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
