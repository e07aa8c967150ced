//! Everything that changed since a position: the healer of every loss.

use anser_proto::{limits::PAGE_MAX, v1};

use super::{Actor, Lane, check_named, wire};
use crate::{ctx::Ctx, error::Error};

/// Sessions of one page.
const SESSIONS_MAX: u32 = 100;

pub async fn sync(cx: &Ctx, actor: &Actor, lane: &mut Lane, sync: v1::Sync) -> Result<v1::SyncPage, Error> {
    check_named("groups", sync.groups.len(), PAGE_MAX as usize)?;
    let sessions_max = lane.entries(SESSIONS_MAX);
    let since = wire::position(sync.mailbox_seq);
    let mut changes = cx.store.changes(actor.user, since, sessions_max).await?;
    let reset = changes.forgotten && !sync.resetting;
    if reset && since > 0 {
        changes = cx.store.changes(actor.user, 0, sessions_max).await?;
    }
    let known = sync
        .groups
        .iter()
        .map(|known| Ok((wire::group_id(known.group_id)?, wire::position(known.server_msg_id))))
        .collect::<Result<Vec<_>, Error>>()?;
    let groups_behind = match sync.groups_digest {
        Some(known) => cx.store.positions(actor.user).await?.groups_digest != known,
        None => false,
    };
    let moved = if known.is_empty() { Vec::new() } else { cx.store.moved_groups(actor.user, known).await? };
    Ok(v1::SyncPage {
        sessions: changes.sessions.iter().chain(&moved).map(wire::session).collect(),
        mailbox_seq: changes.mailbox_seq,
        caught_up: changes.caught_up,
        profile: changes.profile.as_ref().map(wire::profile),
        groups_behind,
        changes: changes.things.iter().map(wire::change).collect(),
        reset,
    })
}
