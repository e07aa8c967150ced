//! The verbs that read, by their nouns.

mod beside;
mod group;
mod joining;
mod log;
mod people;
mod pin;
mod receipt;
mod session;
mod user;

pub(crate) use group::{BansOf, GroupAsMember, MemberIdsOf, MembersOf};
pub(crate) use joining::{Called, JoinRequestsOf, LinkCalled, LinksOf, OverseersToTell, PreviewOf};
pub(crate) use log::{Asked, ReadLog};
#[cfg(feature = "cluster")]
pub(crate) use log::{Plan, PlanLog};
pub(crate) use people::{BetweenTwo, Blocks, ContactIds, Contacts, Invisible, PrivacyOf, SeenBy};
pub(crate) use pin::{PinsOf, ReactionsTo};
pub(crate) use receipt::WhoRead;
pub(crate) use session::{ChangesSince, MovedGroups, OneSession, PositionsOf, Sessions};
pub(crate) use user::{
    AllUsers, DevicesOf, IsSeenToday, LoginVersions, LoginsOf, NotBefore, Profiles, UserCalled, UserWithPassword, Users,
};
