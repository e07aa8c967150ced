//! Users: looking them up, and a user's own profile.

use std::sync::Arc;

use anser_proto::{
    UserId,
    ids::check_ascii_id,
    limits::{AVATAR_BYTES_MAX, NAME_CHARS_MAX, PAGE_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{self as store, NewUser, ProfileChange, Refusal, Store, User};

use super::{
    Actor, check_named,
    deliver::{Audience, publish},
    name::check_name,
    wire,
};
use crate::{accepted::ConnId, ctx::Ctx, error::Error, event::Event, outbox::Wave, snowflake::Snowflake};

/// Makes a user under an id that nobody has.
pub async fn create_user(store: &dyn Store, ids: &Snowflake, new: NewUser) -> Result<User, store::Error> {
    loop {
        let new = NewUser { user: UserId(ids.create()), ..new.clone() };
        match store.create_user(new).await {
            // Another node makes ids by the same number.
            Err(store::Error::Refused(Refusal::Conflict("user_id"))) => {}
            made => return made,
        }
    }
}

pub async fn get(cx: &Ctx, get: v1::GetUsers) -> Result<v1::Users, Error> {
    check_named("users", get.user_ids.len() + get.accounts.len(), PAGE_MAX as usize)?;
    for account in &get.accounts {
        check_ascii_id("account", account)?;
    }
    let ids = get.user_ids.into_iter().map(wire::user_id).collect::<Result<_, _>>()?;
    let accounts = get.accounts.into_iter().map(Into::into).collect();
    let users = cx.store.users(ids, accounts).await?;
    Ok(v1::Users { users: users.iter().map(wire::user).collect(), mailbox_seq: 0 })
}

pub async fn update_profile(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    update: v1::UpdateProfile,
) -> Result<v1::Users, Error> {
    if let Some(nickname) = &update.nickname {
        check_name("nickname", nickname, 1..=NAME_CHARS_MAX)?;
    }
    if let Some(avatar) = &update.avatar {
        check_avatar(avatar, AVATAR_BYTES_MAX)?;
    }
    let change = ProfileChange {
        nickname: update.nickname.map(Into::into),
        avatar: update.avatar.map(Into::into),
        device_id: Arc::clone(&actor.device_id),
        login_version: actor.login_version(),
    };
    let (user, mailbox_seq) = cx.store.update_profile(actor.user, change).await?;
    let told = wire::user(&user);
    if mailbox_seq != 0 {
        actor.nickname.set(&user.nickname, mailbox_seq);
        let changed = v1::ProfileChanged { user: Some(told.clone()), mailbox_seq };
        let event = Event::new(Body::ProfileChanged(changed));
        publish(cx, &mut Wave::default(), Audience::Users(&[actor.user]), &event, Some(from)).await;
    }
    Ok(v1::Users { users: vec![told], mailbox_seq })
}

pub fn check_avatar(avatar: &str, bytes_max: usize) -> Result<(), Error> {
    if avatar.len() > bytes_max || avatar.chars().any(char::is_control) {
        let message = format!("avatar has {} bytes: it must be an address of at most {bytes_max}", avatar.len());
        return Err(Error::bad_field(message));
    }
    Ok(())
}
