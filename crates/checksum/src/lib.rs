//! Turns an unverified thing into a verified one: signed notes, the transparency log, the checksum database.
//!
//! Pure: what is fetched and kept goes through the trait [`sumdb::Ops`]. The rule of this crate is that an answer counts only if a
//! signature covers it: a [`Verified`] is made here and nowhere else.

pub mod note;
pub mod sumdb;
pub mod tlog;

/// Something that a signature of a trusted key covers. Only this crate makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The thing itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
