//! What the expansion of `#[require_token]` names.

use std::marker::PhantomData;

use utoipa::openapi::path::Operation;

/// The operation of a handler, with and without a description by `#[utoipa::path]`.
#[derive(Debug)]
pub struct Described<T>(PhantomData<T>);

impl<T> Described<T> {
    /// Names the type.
    #[expect(clippy::new_without_default, reason = "only the expansion calls it")]
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// A handler without a description.
pub trait Undescribed {}

/// The operation that `#[utoipa::path]` describes.
pub trait OfUtoipa {
    /// Returns it.
    fn operation(&self) -> Operation;
}

impl<T: utoipa::Path> OfUtoipa for Described<T> {
    fn operation(&self) -> Operation {
        T::operation()
    }
}

/// An operation for which nobody asks.
pub trait OfNone {
    /// Returns it.
    fn operation(&self) -> Operation;
}

impl<T: Undescribed> OfNone for Described<T> {
    fn operation(&self) -> Operation {
        Operation::new()
    }
}
