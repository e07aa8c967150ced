//! Users: looking them up, and a user's own profile.

use std::sync::Arc;

use anser_proto::{
    UserId,
    ids::check_ascii_id,
    limits::{AVATAR_BYTES_MAX, CUSTOM_BYTES_MAX, NAME_CHARS_MAX, PAGE_MAX, SIGNATURE_CHARS_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{self as store, NewUser, Profile, ProfileChange, Refusal, Store, User};

use super::{
    Actor, check_named,
    deliver::{Audience, publish},
    name::check_name,
    wire,
};
use crate::{accepted::ConnId, ctx::Ctx, error::Error, event::Event, outbox::Wave, snowflake::Snowflake};

/// Contacts who are told at once: they are one message between nodes.
const TOLD_AT_ONCE: usize = 1_000;

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
    check_named("users", get.user_ids.len() + get.accounts.len() + get.known.len(), PAGE_MAX as usize)?;
    for account in &get.accounts {
        check_ascii_id("account", account)?;
    }
    let ids = get.user_ids.into_iter().map(wire::user_id).collect::<Result<_, _>>()?;
    let accounts = get.accounts.into_iter().map(Into::into).collect();
    let known = |known: v1::KnownProfile| Ok((wire::user_id(known.user_id)?, known.profile_version));
    let known = get.known.into_iter().map(known).collect::<Result<_, Error>>()?;
    let profiles = cx.store.profiles(ids, accounts, known).await?;
    Ok(v1::Users { users: profiles.iter().map(wire::profile).collect(), mailbox_seq: 0 })
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
    if let Some(signature) = &update.signature {
        check_name("signature", signature, 0..=SIGNATURE_CHARS_MAX)?;
    }
    if let Some(custom) = &update.custom {
        check_custom(custom)?;
    }
    let change = ProfileChange {
        nickname: update.nickname.map(Into::into),
        avatar: update.avatar.map(Into::into),
        signature: update.signature.map(Into::into),
        custom: update.custom.map(Into::into),
        device_id: Arc::clone(&actor.device_id),
        login_version: actor.login_version(),
    };
    let (profile, mailbox_seq) = cx.store.update_profile(actor.user, change).await?;
    if mailbox_seq != 0 {
        actor.nickname.set(&profile.user.nickname, mailbox_seq);
        tell(cx, &profile, mailbox_seq, from).await;
    }
    Ok(v1::Users { users: vec![wire::profile(&profile)], mailbox_seq })
}

/// The user's other devices, who need it, and contacts, for whom it is a hint: it is stored for none of them.
async fn tell(cx: &Ctx, profile: &Profile, mailbox_seq: u64, from: ConnId) {
    let user = profile.user.user;
    let event =
        |told, mailbox_seq| Event::new(Body::ProfileChanged(v1::ProfileChanged { user: Some(told), mailbox_seq }));
    let (own, mut wave) = (event(wire::profile(profile), mailbox_seq), Wave::default());
    publish(cx, &mut wave, Audience::Users(&[user]), &own, Some(from)).await;
    match cx.store.contact_ids(user).await {
        Ok(contacts) => {
            let brief = v1::User { profile_version: profile.version, ..wire::user(&profile.user) };
            let hint = event(brief, 0);
            for some in contacts.chunks(TOLD_AT_ONCE) {
                publish(cx, &mut wave, Audience::Users(some), &hint, None).await;
            }
        }
        Err(error) => tracing::warn!(%user, %error, "their contacts are not told that their profile changed"),
    }
}

fn check_custom(custom: &str) -> Result<(), Error> {
    if custom.len() > CUSTOM_BYTES_MAX {
        let message = format!("custom has {} bytes: at most {CUSTOM_BYTES_MAX} are allowed", custom.len());
        return Err(Error::bad_field(message));
    }
    if !custom.is_empty()
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(custom)
    {
        return Err(Error::bad_field(format!("custom is no JSON: {error}")));
    }
    Ok(())
}

pub fn check_avatar(avatar: &str, bytes_max: usize) -> Result<(), Error> {
    if avatar.len() > bytes_max || avatar.chars().any(char::is_control) {
        let message = format!("avatar has {} bytes: it must be an address of at most {bytes_max}", avatar.len());
        return Err(Error::bad_field(message));
    }
    Ok(())
}
