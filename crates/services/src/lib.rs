//! Real MariaDB, Redis and NATS for tests and for developers: started from the system's packages on loopback, with data
//! of their own, and gone when their owner is. Runs whatever else listens on a port in the same way. Knows nothing of Anser
//! but the settings that it asks for.

mod folder;
mod installed;
mod mariadb;
mod nats;
mod process;
mod redis;

pub use folder::Place;
pub use installed::{missing, program, require, require_services};
pub use mariadb::{MariaDb, MariaDbOptions, Source};
pub use nats::Nats;
pub use process::{Process, free_port};
pub use redis::{Kept, Redis};
