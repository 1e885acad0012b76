//! What stands as text in paths, queries and bodies.

use penfold_rest::Problem;
use penfold_types::{Address, Domain};
use serde::Deserialize as _;

pub fn address(pointer: &str, text: &str) -> Result<Address, Problem> {
    text.parse().map_err(|error| Problem::field(pointer, format!("{text}: {error}")))
}

pub fn domain(pointer: &str, text: &str) -> Result<Domain, Problem> {
    text.parse().map_err(|error| Problem::field(pointer, format!("{text}: {error}")))
}

/// What people and things are called.
pub fn name(pointer: &str, text: &str) -> Result<(), Problem> {
    penfold_directory::check_name(text).map_err(|error| Problem::field(pointer, error.text()))
}

/// For a field that is left alone where it is absent, and emptied where it is null (RFC 7396).
pub fn nullable<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}
