//! The real binary as its users run it: processes, files, sockets.

mod bench;
mod chat;
mod foreign;
mod process;
mod replay;
mod serve;
mod terminal;
