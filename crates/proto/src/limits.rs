//! Bounds of the protocol. They hold for every server and client of this version; what a server may
//! choose for itself is in its configuration.

/// `content` and `attachment` of a message together, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// A frame from a client, in bytes: a body of control characters grows sixfold in JSON.
pub const CLIENT_FRAME_BYTES_MAX: usize = 448 * 1024;
/// A frame from a client, in bytes, that brings no message and changes none: else `BAD_FIELD`.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// The first frame of a connection, in bytes.
pub const HELLO_FRAME_BYTES_MAX: usize = 8 * 1024;
/// A page of messages ends once it has this many bytes of bodies, text as JSON escapes it, so that a frame from the server
/// stays bounded.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;
/// A frame from the server, in bytes: a page, one more body, and what JSON adds.
pub const SERVER_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Entries of a page at most.
pub const PAGE_MAX: u32 = 200;
/// Entries of a page when the request names no number.
pub const PAGE_DEFAULT: u32 = 50;
/// Users whom a message names.
pub const MENTIONS_MAX: usize = 50;
/// Unread messages that name a user and are counted, in one conversation; what is more is told as so many.
pub const MENTIONS_COUNTED_MAX: u64 = 100;
/// Users in one request about a group's members.
pub const INVITE_MAX: usize = 500;
/// Admins of a group, the owner not counted.
pub const ADMINS_MAX: u32 = 50;
/// Messages of before that newcomers of a group see, where they do not see all
pub const HISTORY_LAST_MAX: u32 = 200;
/// Users who wait to be let into a group
pub const JOIN_REQUESTS_MAX: u32 = 1_000;
/// Links of a group that live
pub const LINKS_MAX: usize = 10;
/// Users who may not come back into a group
pub const BANS_MAX: u32 = 1_000;
/// Characters of a group's announcement.
pub const ANNOUNCEMENT_CHARS_MAX: usize = 2048;
/// Characters of a nickname, a group's name, a device's name.
pub const NAME_CHARS_MAX: usize = 64;
/// Bytes of an avatar's address.
pub const AVATAR_BYTES_MAX: usize = 512;
/// The line that a user writes about themself.
pub const SIGNATURE_CHARS_MAX: usize = 140;
/// What an app keeps of its own in a profile.
pub const CUSTOM_BYTES_MAX: usize = 2_048;
/// Characters of the last message's text in a conversation list.
pub const PREVIEW_CHARS_MAX: usize = 128;
/// Images, videos or files of one message.
pub const ALBUM_MAX: usize = 10;
/// Bytes of what says where an attached file is.
pub const FILE_BYTES_MAX: usize = 1024;
/// Bytes of a media type.
pub const MIME_TYPE_BYTES_MAX: usize = 127;
/// Bytes of an attached file: more cannot be told in JSON.
pub const FILE_SIZE_BYTES_MAX: u64 = 9_007_199_254_740_992;
/// Characters of an attached file's name, and of a location's title and address.
pub const TITLE_CHARS_MAX: usize = 255;
/// Pixels of an image's or a video's side.
pub const SIDE_MAX: u32 = 65_535;
/// Milliseconds that a sound or a video lasts: a day.
pub const DURATION_MS_MAX: u32 = 86_400_000;
/// Levels of something spoken.
pub const LEVELS: usize = 64;
/// Bytes of a thumbhash.
pub const THUMBHASH_BYTES_MAX: usize = 25;
/// How often a message may be edited.
pub const EDITS_MAX: u32 = 20;
/// Different emojis below one message.
pub const EMOJIS_MAX: usize = 20;
/// Emojis of one user below one message.
pub const EMOJIS_OF_A_USER_MAX: usize = 5;
/// Bytes of an emoji.
pub const EMOJI_BYTES_MAX: usize = 32;
/// Reactions of a message up to which all who reacted are named; beyond, the first [`REACTORS_NAMED_MAX`] of each emoji.
pub const REACTIONS_NAMED_MAX: usize = 20;
/// Users named of each emoji then.
pub const REACTORS_NAMED_MAX: usize = 5;
/// Bytes of `client_msg_id`, `client_group_id`, `device_id` and `account`.
pub const ID_BYTES_MAX: usize = 64;
/// Bytes of a password.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Conversations that a user pinned.
pub const PINNED_SESSIONS_MAX: u32 = 100;
/// Messages that are pinned in a conversation.
pub const PINS_MAX: u32 = 50;
/// Members of a group in which it is told who read a message.
pub const RECEIPT_MEMBERS_MAX: u32 = 500;
/// Messages of which that is asked by one request.
pub const RECEIPTS_MAX: usize = 50;
/// Messages that are hidden by one request.
pub const HIDE_MAX: usize = 200;
/// Contacts of a user.
pub const CONTACTS_MAX: u32 = 5_000;
/// Users who wait for a user's answer; and those for whose answer the user waits.
pub const OPEN_REQUESTS_MAX: u32 = 100;
/// Users whom a user blocked.
pub const BLOCKS_MAX: u32 = 1_000;
/// Characters of what is said with a request to be contacts.
pub const REQUEST_TEXT_CHARS_MAX: usize = 200;
/// Bytes of what a signal carries
pub const SIGNAL_BYTES_MAX: usize = 1024;
/// Characters of a user's own name for a contact.
pub const REMARK_CHARS_MAX: usize = 64;
