//! Messages, of which each party of a one-to-one conversation keeps a copy, and a group one.

use super::Head;
use crate::NewMessage;

/// A message at its place.
#[derive(Clone, Copy)]
pub(crate) struct MessageRow<'m> {
    pub(crate) message: &'m NewMessage,
    /// Where the log ends with it.
    pub(crate) head: &'m Head,
}
