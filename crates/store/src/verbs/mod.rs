//! A file for each verb that changes the store: what it wants, what it decides. Its contract stands in [`crate::Store`].

mod append;
mod block;
mod change;
mod change_members;
mod change_people;
mod contact;
mod create_group;
mod create_user;
mod edit;
mod joining;
mod leaving;
mod mark;
mod muting;
mod probe;
mod react;
mod recall;
mod roles;
mod set_disabled;
mod set_password;
mod touch_device;
mod update_group;
mod update_privacy;
mod update_profile;

pub(crate) use append::Append;
pub(crate) use change_members::ChangeMembers;
pub(crate) use change_people::ChangePeople;
pub(crate) use create_group::CreateGroup;
pub(crate) use create_user::CreateUser;
pub(crate) use mark::{MoveMark, StandingMark};
pub(crate) use probe::Probe;
pub(crate) use set_disabled::SetDisabled;
pub(crate) use set_password::SetPassword;
pub(crate) use touch_device::TouchDevice;
pub(crate) use update_group::UpdateGroup;
pub(crate) use update_privacy::UpdatePrivacy;
pub(crate) use update_profile::UpdateProfile;
