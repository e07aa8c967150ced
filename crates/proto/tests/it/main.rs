//! The wire as other programs see it: bytes that never change, peers that are newer, input that is garbage,
//! and the examples of docs/protocol.md. Knows only the public interface of the crate.

mod docs;
mod garbage;
mod golden;
mod joining;
mod mapping;
mod newer;
mod parts;
mod pins;
mod profile;
mod samples;
