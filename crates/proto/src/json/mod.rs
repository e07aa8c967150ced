//! Frames as JSON, by the mapping of proto3. What it says of each message is generated; how values of each kind are read and
//! written stands here, once.
//!
//! A frame is read in one pass. A value that its field cannot have does not end it: it is noted, with its path, and passed
//! over, so that it is known whether the rest is JSON and which request it is.

mod number;
mod read;
mod text;
mod value;
mod write;

use std::borrow::Cow;

pub use read::{NoJson, Read, Reader};
pub use write::Writer;

/// A message, as `cargo xtask codegen` knows it.
pub trait Fields: Default {
    /// Reads the value of the field of this name, or passes it over.
    fn read_field(&mut self, name: &[u8], json: &mut Reader<'_>) -> Read;
    /// Writes the fields that are not at their default, and the one of each `oneof` that is there.
    fn write_fields(&self, json: &mut Writer);
}

/// An enum, whose values are kept as numbers, also those that nobody knows here.
pub trait Enum: TryFrom<i32> {
    fn number(name: &str) -> Option<i32>;
    fn name(self) -> &'static str;
}

/// What a field holds.
pub trait Value: Default {
    /// Reads the value that comes next. If it is of another kind it is noted and passed over.
    fn read(json: &mut Reader<'_>) -> Read<Self>;
    fn write(&self, json: &mut Writer);
    /// Such a field is not written.
    fn is_default(&self) -> bool;
}

/// Of each message and enum of `anser.v1`: generated from `proto/` by `cargo xtask codegen`.
mod forms {
    #![allow(clippy::all)]

    use super::{Enum, Fields, Read, Reader, Writer};
    use crate::v1::*;

    macro_rules! impl_enum {
        ($kind:path) => {
            impl Enum for $kind {
                fn number(name: &str) -> Option<i32> {
                    Self::from_str_name(name).map(i32::from)
                }

                fn name(self) -> &'static str {
                    self.as_str_name()
                }
            }
        };
    }

    include!("../gen/anser.v1.json.rs");
}

/// A value that its field cannot have.
pub struct Fault {
    /// Names of fields, and places in lists: `sync.groups[3].group_id`.
    path: String,
    what: Cow<'static, str>,
}

/// A message out of the whole of `bytes`, and the first value in it that is wrong.
pub fn decode<M: Fields>(bytes: &[u8]) -> Result<(M, Option<Fault>), NoJson> {
    let mut json = Reader::new(bytes);
    let message = json.document()?;
    Ok((message, json.into_fault()))
}

/// The message behind so many bytes of zero.
pub fn encode_behind<M: Fields>(room: usize, message: &M) -> Vec<u8> {
    let mut json = Writer::behind(room);
    json.message(message);
    json.into_bytes()
}

impl Fault {
    fn new(what: Cow<'static, str>) -> Self {
        Self { path: String::new(), what }
    }

    /// The value lies in this field or place of what is around it.
    fn is_in(&mut self, step: &str) {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, joint);
        self.path.insert_str(0, step);
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}
