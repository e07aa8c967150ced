//! A connection's name and its age.

/// Names a connection for as long as the process runs, in the order in which connections were accepted. Never 0, and hardly ever
/// that of a connection to another node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u64);

/// A connection, and when it was accepted. Of two connections, to whichever nodes, one is older: all nodes agree which, also
/// of those of one millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Accepted {
    /// By the clock that all nodes share.
    pub at_ms: u64,
    pub conn: ConnId,
}

impl Accepted {
    /// Older than every connection that is accepted from then on, and younger than all others.
    pub fn at(at_ms: u64) -> Self {
        Self { at_ms, conn: ConnId(0) }
    }

    /// The oldest that is younger than this one.
    pub fn next(self) -> Self {
        Self { conn: ConnId(self.conn.0 + 1), ..self }
    }
}
