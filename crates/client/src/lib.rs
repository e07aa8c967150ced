//! The client SDK: log in, send, be told, go offline and come back, without a message lost, doubled or out of order.
//!
//! [`Client`] is what an app uses. Inside, the engine decides everything and touches nothing (no socket, file or clock), the
//! driver carries out what it decides, `store` keeps it in SQLite. Of the wire it knows `anser-proto` alone; it must not
//! know the server.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use anser_client::{Client, Config, Credential, Draft, Event};
//!
//! let mut config = Config::new("ws://127.0.0.1:7400", Credential::Token("…".into()));
//! config.store = anser_client::Keep::File("alice.db".into());
//! let client = Client::open(config).await?;
//! let mut events = client.events();
//! let sending = client.send("single_1008_1009".parse()?, Draft::text("hi")).await?;
//! println!("stored as {}", sending.sent().await?.server_msg_id);
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         println!("{}: {}", message.from_nickname, message.content);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

/// For this project's own tests: it speaks the wire's frames, and promises nothing.
#[doc(hidden)]
pub mod engine;

mod changing;
mod client;
mod config;
mod consumer;
mod devices;
mod driver;
mod events;
mod groups;
mod history;
mod joining;
mod lists;
mod people;
mod pins;
mod presence;
mod sending;
mod store;
/// For this project's own tools, which wrap connections: it speaks the wire's frames, and promises nothing.
#[doc(hidden)]
pub mod transport;
mod trust;
mod unopened;
mod view;

pub use anser_proto::{ClientMsgId, CloseCode, ConversationId, ErrorCode, Format, GroupId, UserId, ids::BadId};
pub use bytes::Bytes;
pub use client::{Client, Error};
pub use config::{Bounds, Config, Credential, Keep, Provider};
pub use consumer::{Consumer, Start};
pub use engine::{
    Act, Attention, Draft, Edit, Fate, FirstPage, NotQueued, NotWithdrawn, Place, Policy, Queued, State, Status,
    StopReason, Target,
};
pub use events::{Event, Events};
pub use groups::{Changed, GroupUpdate, NewGroup};
pub use history::History;
pub use sending::{Sending, Unsent};
pub use store::StoreError;
pub use transport::BadUrl;
pub use unopened::Unopened;
pub use view::{
    Attachment, Audio, Ban, Bans, Blocked, Contact, ContactState, Device, File, Group, GroupChange, GroupNickname,
    GroupPreview, HistoryShown, Image, Join, JoinRequest, JoinRequests, Kind, Link, Location, Member, Members,
    Mentions, Message, MessageState, NewLink, Notice, NoticeKind, Pin, Platform, Presence, PresenceState, Preview,
    Privacy, Reaction, Reactions, ReactionsOfUser, Readers, Refusal, Role, Session, Signal, User, Video, Waiting, Who,
};

/// What readers try first is compiled with the SDK's own examples.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../README.zh-CN.md")]
struct Readme;
