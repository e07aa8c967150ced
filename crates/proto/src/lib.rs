//! What is said on the wire: frames and their two encodings, ids, limits, codes. Knows no sockets and no storage.

pub mod attachment;
pub mod codec;
pub mod codes;
pub mod digest;
pub mod ids;
mod json;
pub mod limits;
pub mod tcp;

/// Frames and what they carry, generated from `proto/anser/v1` by `cargo xtask codegen`.
pub mod v1 {
    #![allow(clippy::all, clippy::pedantic, unreachable_pub)]
    include!("gen/anser.v1.rs");
}

/// What nodes say to each other, generated from `proto/anser/cluster/v1` by `cargo xtask codegen`.
pub mod cluster {
    pub mod v1 {
        #![allow(clippy::all, clippy::pedantic, unreachable_pub)]
        include!("gen/anser.cluster.v1.rs");
    }
}

pub use attachment::Attachment;
pub use codec::Format;
pub use codes::{CloseCode, ErrorCode};
pub use ids::{ClientMsgId, ConversationId, GroupId, UserId};

/// Types of silent entries of a log, also those that a newer build made: nobody is shown them.
pub const SILENT_TYPES: std::ops::Range<i32> = 60..80;

/// The version of the protocol that this build speaks.
pub const VERSION: u32 = 1;
