//! The real binary as its users run it: processes, files, sockets.

mod alerts;
mod bench;
mod chat;
mod contact;
mod deploy;
mod docs;
#[cfg(feature = "cluster")]
mod doctor;
mod foreign;
mod log;
mod manners;
mod process;
mod replay;
mod sdk;
mod serve;
mod sieve;
mod terminal;
