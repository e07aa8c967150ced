//! A client that keeps to no rule, for tests and measurements: bytes go out as they are given, and what comes back is counted.
//!
//! It knows of the server what docs/protocol.md tells everybody, and uses no library for WebSocket or HTTP, since those refuse
//! to say what is wrong. Whoever attacks can see the victim from inside: its memory and its open files.

pub mod attack;
mod calm;
mod peer;
pub mod secure;
mod site;
mod toll;
mod victim;
pub mod web_socket;

pub use calm::{Calm, Talk};
pub use peer::{Came, Peer, Stream};
pub use site::{Site, Tokens};
pub use toll::Toll;
pub use victim::Victim;
