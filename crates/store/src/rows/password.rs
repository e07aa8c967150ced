//! What is kept of a user's password, apart from the profile so that nobody reads it in passing.

use anser_proto::UserId;

use super::{Row, columns};
use crate::PasswordHash;

pub(crate) type PasswordRow = PasswordHash;

impl Row for PasswordRow {
    type Key = UserId;

    const TABLE: &str = "im_password";
    const KEY: &[&str] = &["user_id"];

    columns!(argon2, scram);
}
