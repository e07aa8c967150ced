//! What users are to each other: contacts, requests, blocks. Each device of both is told what concerns its user, and nobody else anything.

use std::sync::Arc;

use anser_proto::{
    ErrorCode, UserId,
    limits::{REMARK_CHARS_MAX, REQUEST_TEXT_CHARS_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{Change, PeopleAction, PeopleChange, PrivacyChange};

use super::{
    Actor, Lane,
    deliver::{Audience, publish},
    name::{check_length, check_name},
    page_limit, presence, wire,
};
use crate::{accepted::ConnId, config::Strangers, ctx::Ctx, error::Error, event::Event, outbox::Wave};

pub async fn request_contact(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    request: v1::RequestContact,
) -> Result<v1::Changed, Error> {
    check_length("text", &request.text, REQUEST_TEXT_CHARS_MAX)?;
    change(cx, actor, from, request.user_id, PeopleAction::Request(request.text.into())).await
}

pub async fn answer_contact(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    answer: v1::AnswerContact,
) -> Result<v1::Changed, Error> {
    let action = if answer.accept { PeopleAction::Accept } else { PeopleAction::Reject };
    change(cx, actor, from, answer.user_id, action).await
}

pub async fn set_remark(cx: &Ctx, actor: &Actor, from: ConnId, set: v1::SetRemark) -> Result<v1::Changed, Error> {
    check_name("remark", &set.remark, 0..=REMARK_CHARS_MAX)?;
    change(cx, actor, from, set.user_id, PeopleAction::Remark(set.remark.into())).await
}

/// Ends what the user has with somebody, or blocks and unblocks them.
pub async fn change(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    user_id: u64,
    action: PeopleAction,
) -> Result<v1::Changed, Error> {
    let (user, peer, login_version) = (actor.user, wire::user_id(user_id)?, actor.login_version());
    let device_id = Arc::clone(&actor.device_id);
    let changed = cx.store.change_people(PeopleChange { user, peer, action, device_id, login_version }).await?;
    tell(cx, peer, &changed.peers, None).await;
    Ok(tell(cx, user, &changed.own, Some(from)).await)
}

/// Tells the devices of a user, but one, what changed for them.
pub async fn tell(cx: &Ctx, user: UserId, changes: &[Change], except: Option<ConnId>) -> v1::Changed {
    let changed = v1::Changed { changes: changes.iter().map(wire::change).collect() };
    if !changes.is_empty() {
        let event = Event::new(Body::Changed(changed.clone()));
        publish(cx, &mut Wave::default(), Audience::Users(&[user]), &event, except).await;
    }
    changed
}

pub async fn list_contacts(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    list: v1::ListContacts,
) -> Result<v1::Contacts, Error> {
    let limit = lane.entries(page_limit(list.limit)?);
    let page = cx.store.contacts(actor.user, UserId(wire::position(list.after)), limit).await?;
    Ok(v1::Contacts { contacts: page.rows.iter().map(wire::contact).collect(), more: page.more })
}

pub async fn list_blocks(cx: &Ctx, actor: &Actor, lane: &mut Lane, list: v1::ListBlocks) -> Result<v1::Blocks, Error> {
    let limit = lane.entries(page_limit(list.limit)?);
    let page = cx.store.blocks(actor.user, UserId(wire::position(list.after)), limit).await?;
    Ok(v1::Blocks { blocks: page.rows.iter().map(wire::blocked).collect(), more: page.more })
}

pub async fn settings(cx: &Ctx, actor: &Actor) -> Result<v1::Privacy, Error> {
    Ok(wire::privacy(cx.store.privacy(actor.user).await?))
}

pub async fn update_settings(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    update: v1::UpdateSettings,
) -> Result<v1::Changed, Error> {
    let change = PrivacyChange {
        invites: wire::who("invites", update.invites)?,
        hides_reads: update.hides_reads,
        last_seen: wire::who("last_seen", update.last_seen)?,
        invisible: update.invisible,
        device_id: Arc::clone(&actor.device_id),
        login_version: actor.login_version(),
    };
    let changed = cx.store.update_privacy(actor.user, change).await?;
    let changed = tell(cx, actor.user, changed.as_slice(), Some(from)).await;
    presence::follow(cx, actor.user, &changed);
    Ok(changed)
}

/// Whether one user is told by hints what the other one does. Who is blocked cannot tell that they are not.
pub async fn is_told_hints(cx: &Ctx, from: UserId, to: UserId) -> Result<bool, Error> {
    if from == to {
        return Ok(true);
    }
    let between = cx.store.between(from, to).await?;
    if cx.config.messages.strangers == Strangers::Contacts && !between.contact && !between.refused {
        return Err(Error::new(ErrorCode::Forbidden, "only contacts may write here"));
    }
    Ok(!between.refused)
}
