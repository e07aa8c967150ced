//! What users say of themselves beside their names.

use anser_proto::v1::{
    GetUsers, KnownProfile, ServerFrame, UpdateProfile, User, Users, client_frame::Request, server_frame::Body,
};

use crate::samples::user;

/// Beside the golden frames of the same requests: what came later to them.
pub(crate) fn newer_requests() -> Vec<(&'static str, Request)> {
    let known = vec![KnownProfile { user_id: 1008, profile_version: 2 }];
    let (signature, custom) = (Some("On the road".into()), Some(r#"{"city":"Oulu"}"#.into()));
    vec![
        ("get_users-known", Request::GetUsers(GetUsers { known, ..GetUsers::default() })),
        (
            "update_profile-whole",
            Request::UpdateProfile(UpdateProfile { signature, custom, ..UpdateProfile::default() }),
        ),
    ]
}

pub(crate) fn whole() -> ServerFrame {
    let (signature, custom) = ("On the road".into(), r#"{"city":"Oulu"}"#.into());
    let users = vec![User { signature, custom, profile_version: 3, ..user(1008, "alice") }];
    ServerFrame { request_id: 8, body: Some(Body::Users(Users { users, mailbox_seq: 9 })) }
}
