//! The API from outside, as far as it goes without a table and EC2: who may, what is refused, the document.

mod access;
mod conditional;
mod document;
mod outside;
mod previews;
mod refusals;
mod strictness;
mod support;
