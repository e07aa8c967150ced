impl serde::Serialize for Bye {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("anser.v1.Bye", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Bye {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Bye;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Bye")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Bye, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Bye {
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Bye", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ClientFrame {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.request_id != 0 {
            len += 1;
        }
        if self.request.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.ClientFrame", len)?;
        if self.request_id != 0 {
            struct_ser.serialize_field("request_id", &self.request_id)?;
        }
        if let Some(v) = self.request.as_ref() {
            match v {
                client_frame::Request::Hello(v) => {
                    struct_ser.serialize_field("hello", v)?;
                }
                client_frame::Request::Ping(v) => {
                    struct_ser.serialize_field("ping", v)?;
                }
                client_frame::Request::Bye(v) => {
                    struct_ser.serialize_field("bye", v)?;
                }
                client_frame::Request::Send(v) => {
                    struct_ser.serialize_field("send", v)?;
                }
                client_frame::Request::Pull(v) => {
                    struct_ser.serialize_field("pull", v)?;
                }
                client_frame::Request::Sync(v) => {
                    struct_ser.serialize_field("sync", v)?;
                }
                client_frame::Request::MarkRead(v) => {
                    struct_ser.serialize_field("mark_read", v)?;
                }
                client_frame::Request::MarkDelivered(v) => {
                    struct_ser.serialize_field("mark_delivered", v)?;
                }
                client_frame::Request::Typing(v) => {
                    struct_ser.serialize_field("typing", v)?;
                }
                client_frame::Request::ListSessions(v) => {
                    struct_ser.serialize_field("list_sessions", v)?;
                }
                client_frame::Request::CreateGroup(v) => {
                    struct_ser.serialize_field("create_group", v)?;
                }
                client_frame::Request::GetGroup(v) => {
                    struct_ser.serialize_field("get_group", v)?;
                }
                client_frame::Request::ListMembers(v) => {
                    struct_ser.serialize_field("list_members", v)?;
                }
                client_frame::Request::InviteMembers(v) => {
                    struct_ser.serialize_field("invite_members", v)?;
                }
                client_frame::Request::RemoveMembers(v) => {
                    struct_ser.serialize_field("remove_members", v)?;
                }
                client_frame::Request::LeaveGroup(v) => {
                    struct_ser.serialize_field("leave_group", v)?;
                }
                client_frame::Request::GetUsers(v) => {
                    struct_ser.serialize_field("get_users", v)?;
                }
                client_frame::Request::UpdateProfile(v) => {
                    struct_ser.serialize_field("update_profile", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ClientFrame {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "request_id",
            "requestId",
            "hello",
            "ping",
            "bye",
            "send",
            "pull",
            "sync",
            "mark_read",
            "markRead",
            "mark_delivered",
            "markDelivered",
            "typing",
            "list_sessions",
            "listSessions",
            "create_group",
            "createGroup",
            "get_group",
            "getGroup",
            "list_members",
            "listMembers",
            "invite_members",
            "inviteMembers",
            "remove_members",
            "removeMembers",
            "leave_group",
            "leaveGroup",
            "get_users",
            "getUsers",
            "update_profile",
            "updateProfile",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RequestId,
            Hello,
            Ping,
            Bye,
            Send,
            Pull,
            Sync,
            MarkRead,
            MarkDelivered,
            Typing,
            ListSessions,
            CreateGroup,
            GetGroup,
            ListMembers,
            InviteMembers,
            RemoveMembers,
            LeaveGroup,
            GetUsers,
            UpdateProfile,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "requestId" | "request_id" => Ok(GeneratedField::RequestId),
                            "hello" => Ok(GeneratedField::Hello),
                            "ping" => Ok(GeneratedField::Ping),
                            "bye" => Ok(GeneratedField::Bye),
                            "send" => Ok(GeneratedField::Send),
                            "pull" => Ok(GeneratedField::Pull),
                            "sync" => Ok(GeneratedField::Sync),
                            "markRead" | "mark_read" => Ok(GeneratedField::MarkRead),
                            "markDelivered" | "mark_delivered" => Ok(GeneratedField::MarkDelivered),
                            "typing" => Ok(GeneratedField::Typing),
                            "listSessions" | "list_sessions" => Ok(GeneratedField::ListSessions),
                            "createGroup" | "create_group" => Ok(GeneratedField::CreateGroup),
                            "getGroup" | "get_group" => Ok(GeneratedField::GetGroup),
                            "listMembers" | "list_members" => Ok(GeneratedField::ListMembers),
                            "inviteMembers" | "invite_members" => Ok(GeneratedField::InviteMembers),
                            "removeMembers" | "remove_members" => Ok(GeneratedField::RemoveMembers),
                            "leaveGroup" | "leave_group" => Ok(GeneratedField::LeaveGroup),
                            "getUsers" | "get_users" => Ok(GeneratedField::GetUsers),
                            "updateProfile" | "update_profile" => Ok(GeneratedField::UpdateProfile),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ClientFrame;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.ClientFrame")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ClientFrame, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut request_id__ = None;
                let mut request__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RequestId => {
                            if request_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestId"));
                            }
                            request_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Hello => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("hello"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Hello)
;
                        }
                        GeneratedField::Ping => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ping"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Ping)
;
                        }
                        GeneratedField::Bye => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("bye"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Bye)
;
                        }
                        GeneratedField::Send => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("send"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Send)
;
                        }
                        GeneratedField::Pull => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pull"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Pull)
;
                        }
                        GeneratedField::Sync => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sync"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Sync)
;
                        }
                        GeneratedField::MarkRead => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("markRead"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::MarkRead)
;
                        }
                        GeneratedField::MarkDelivered => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("markDelivered"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::MarkDelivered)
;
                        }
                        GeneratedField::Typing => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("typing"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::Typing)
;
                        }
                        GeneratedField::ListSessions => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("listSessions"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::ListSessions)
;
                        }
                        GeneratedField::CreateGroup => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("createGroup"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::CreateGroup)
;
                        }
                        GeneratedField::GetGroup => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("getGroup"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::GetGroup)
;
                        }
                        GeneratedField::ListMembers => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("listMembers"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::ListMembers)
;
                        }
                        GeneratedField::InviteMembers => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("inviteMembers"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::InviteMembers)
;
                        }
                        GeneratedField::RemoveMembers => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("removeMembers"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::RemoveMembers)
;
                        }
                        GeneratedField::LeaveGroup => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("leaveGroup"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::LeaveGroup)
;
                        }
                        GeneratedField::GetUsers => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("getUsers"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::GetUsers)
;
                        }
                        GeneratedField::UpdateProfile => {
                            if request__.is_some() {
                                return Err(serde::de::Error::duplicate_field("updateProfile"));
                            }
                            request__ = map_.next_value::<::std::option::Option<_>>()?.map(client_frame::Request::UpdateProfile)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ClientFrame {
                    request_id: request_id__.unwrap_or_default(),
                    request: request__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.ClientFrame", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Close {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.code != 0 {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Close", len)?;
        if self.code != 0 {
            match close::Code::try_from(self.code) {
                Ok(v) => struct_ser.serialize_field("code", &v)?,
                Err(_) => struct_ser.serialize_field("code", &self.code)?,
            }
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Close {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "code",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Code,
            Reason,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "code" => Ok(GeneratedField::Code),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Close;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Close")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Close, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut code__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Code => {
                            if code__.is_some() {
                                return Err(serde::de::Error::duplicate_field("code"));
                            }
                            code__ = Some(map_.next_value::<close::Code>()? as i32);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Close {
                    code: code__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Close", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for close::Code {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Normal => "NORMAL",
            Self::Draining => "DRAINING",
            Self::Lagging => "LAGGING",
            Self::Silent => "SILENT",
            Self::ServerBusy => "SERVER_BUSY",
            Self::ServerError => "SERVER_ERROR",
            Self::LoginTimedOut => "LOGIN_TIMED_OUT",
            Self::LoginRefused => "LOGIN_REFUSED",
            Self::Replaced => "REPLACED",
            Self::BadFrames => "BAD_FRAMES",
            Self::FrameOverLimit => "FRAME_OVER_LIMIT",
            Self::Flooding => "FLOODING",
            Self::VersionRefused => "VERSION_REFUSED",
            Self::TokenRanOut => "TOKEN_RAN_OUT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for close::Code {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "NORMAL",
            "DRAINING",
            "LAGGING",
            "SILENT",
            "SERVER_BUSY",
            "SERVER_ERROR",
            "LOGIN_TIMED_OUT",
            "LOGIN_REFUSED",
            "REPLACED",
            "BAD_FRAMES",
            "FRAME_OVER_LIMIT",
            "FLOODING",
            "VERSION_REFUSED",
            "TOKEN_RAN_OUT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = close::Code;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(close::Code::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(close::Code::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(close::Code::Unspecified),
                    "NORMAL" => Ok(close::Code::Normal),
                    "DRAINING" => Ok(close::Code::Draining),
                    "LAGGING" => Ok(close::Code::Lagging),
                    "SILENT" => Ok(close::Code::Silent),
                    "SERVER_BUSY" => Ok(close::Code::ServerBusy),
                    "SERVER_ERROR" => Ok(close::Code::ServerError),
                    "LOGIN_TIMED_OUT" => Ok(close::Code::LoginTimedOut),
                    "LOGIN_REFUSED" => Ok(close::Code::LoginRefused),
                    "REPLACED" => Ok(close::Code::Replaced),
                    "BAD_FRAMES" => Ok(close::Code::BadFrames),
                    "FRAME_OVER_LIMIT" => Ok(close::Code::FrameOverLimit),
                    "FLOODING" => Ok(close::Code::Flooding),
                    "VERSION_REFUSED" => Ok(close::Code::VersionRefused),
                    "TOKEN_RAN_OUT" => Ok(close::Code::TokenRanOut),
                    _ => Ok(close::Code::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for CreateGroup {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.client_group_id.is_empty() {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.avatar.is_empty() {
            len += 1;
        }
        if !self.user_ids.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.CreateGroup", len)?;
        if !self.client_group_id.is_empty() {
            struct_ser.serialize_field("client_group_id", &self.client_group_id)?;
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.avatar.is_empty() {
            struct_ser.serialize_field("avatar", &self.avatar)?;
        }
        if !self.user_ids.is_empty() {
            struct_ser.serialize_field("user_ids", &self.user_ids.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CreateGroup {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "client_group_id",
            "clientGroupId",
            "name",
            "avatar",
            "user_ids",
            "userIds",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ClientGroupId,
            Name,
            Avatar,
            UserIds,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "clientGroupId" | "client_group_id" => Ok(GeneratedField::ClientGroupId),
                            "name" => Ok(GeneratedField::Name),
                            "avatar" => Ok(GeneratedField::Avatar),
                            "userIds" | "user_ids" => Ok(GeneratedField::UserIds),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CreateGroup;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.CreateGroup")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CreateGroup, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut client_group_id__ = None;
                let mut name__ = None;
                let mut avatar__ = None;
                let mut user_ids__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ClientGroupId => {
                            if client_group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("clientGroupId"));
                            }
                            client_group_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Avatar => {
                            if avatar__.is_some() {
                                return Err(serde::de::Error::duplicate_field("avatar"));
                            }
                            avatar__ = Some(map_.next_value()?);
                        }
                        GeneratedField::UserIds => {
                            if user_ids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userIds"));
                            }
                            user_ids__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(CreateGroup {
                    client_group_id: client_group_id__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                    avatar: avatar__.unwrap_or_default(),
                    user_ids: user_ids__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.CreateGroup", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Device {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.device_id.is_empty() {
            len += 1;
        }
        if self.platform != 0 {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Device", len)?;
        if !self.device_id.is_empty() {
            struct_ser.serialize_field("device_id", &self.device_id)?;
        }
        if self.platform != 0 {
            match device::Platform::try_from(self.platform) {
                Ok(v) => struct_ser.serialize_field("platform", &v)?,
                Err(_) => struct_ser.serialize_field("platform", &self.platform)?,
            }
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Device {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "device_id",
            "deviceId",
            "platform",
            "name",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            DeviceId,
            Platform,
            Name,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "deviceId" | "device_id" => Ok(GeneratedField::DeviceId),
                            "platform" => Ok(GeneratedField::Platform),
                            "name" => Ok(GeneratedField::Name),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Device;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Device")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Device, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut device_id__ = None;
                let mut platform__ = None;
                let mut name__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::DeviceId => {
                            if device_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deviceId"));
                            }
                            device_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Platform => {
                            if platform__.is_some() {
                                return Err(serde::de::Error::duplicate_field("platform"));
                            }
                            platform__ = Some(map_.next_value::<device::Platform>()? as i32);
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Device {
                    device_id: device_id__.unwrap_or_default(),
                    platform: platform__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Device", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for device::Platform {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unknown => "UNKNOWN",
            Self::Ios => "IOS",
            Self::Android => "ANDROID",
            Self::Web => "WEB",
            Self::Desktop => "DESKTOP",
            Self::Server => "SERVER",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for device::Platform {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNKNOWN",
            "IOS",
            "ANDROID",
            "WEB",
            "DESKTOP",
            "SERVER",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = device::Platform;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(device::Platform::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(device::Platform::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNKNOWN" => Ok(device::Platform::Unknown),
                    "IOS" => Ok(device::Platform::Ios),
                    "ANDROID" => Ok(device::Platform::Android),
                    "WEB" => Ok(device::Platform::Web),
                    "DESKTOP" => Ok(device::Platform::Desktop),
                    "SERVER" => Ok(device::Platform::Server),
                    _ => Ok(device::Platform::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Done {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("anser.v1.Done", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Done {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Done;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Done")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Done, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Done {
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Done", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Draining {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.reconnect_after_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Draining", len)?;
        if self.reconnect_after_ms != 0 {
            struct_ser.serialize_field("reconnect_after_ms", &self.reconnect_after_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Draining {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "reconnect_after_ms",
            "reconnectAfterMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ReconnectAfterMs,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "reconnectAfterMs" | "reconnect_after_ms" => Ok(GeneratedField::ReconnectAfterMs),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Draining;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Draining")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Draining, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut reconnect_after_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ReconnectAfterMs => {
                            if reconnect_after_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reconnectAfterMs"));
                            }
                            reconnect_after_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Draining {
                    reconnect_after_ms: reconnect_after_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Draining", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Error {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.code != 0 {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if self.retry_after_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Error", len)?;
        if self.code != 0 {
            match error::Code::try_from(self.code) {
                Ok(v) => struct_ser.serialize_field("code", &v)?,
                Err(_) => struct_ser.serialize_field("code", &self.code)?,
            }
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if self.retry_after_ms != 0 {
            struct_ser.serialize_field("retry_after_ms", &self.retry_after_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Error {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "code",
            "message",
            "retry_after_ms",
            "retryAfterMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Code,
            Message,
            RetryAfterMs,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "code" => Ok(GeneratedField::Code),
                            "message" => Ok(GeneratedField::Message),
                            "retryAfterMs" | "retry_after_ms" => Ok(GeneratedField::RetryAfterMs),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Error;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Error")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Error, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut code__ = None;
                let mut message__ = None;
                let mut retry_after_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Code => {
                            if code__.is_some() {
                                return Err(serde::de::Error::duplicate_field("code"));
                            }
                            code__ = Some(map_.next_value::<error::Code>()? as i32);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RetryAfterMs => {
                            if retry_after_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("retryAfterMs"));
                            }
                            retry_after_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Error {
                    code: code__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    retry_after_ms: retry_after_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Error", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for error::Code {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::BadFrame => "BAD_FRAME",
            Self::UnknownRequest => "UNKNOWN_REQUEST",
            Self::BadField => "BAD_FIELD",
            Self::FrameTooLarge => "FRAME_TOO_LARGE",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::PageTooLarge => "PAGE_TOO_LARGE",
            Self::UnsupportedVersion => "UNSUPPORTED_VERSION",
            Self::LoginRequired => "LOGIN_REQUIRED",
            Self::LoginTimeout => "LOGIN_TIMEOUT",
            Self::BadToken => "BAD_TOKEN",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::BadPassword => "BAD_PASSWORD",
            Self::UserDisabled => "USER_DISABLED",
            Self::AlreadyLoggedIn => "ALREADY_LOGGED_IN",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::NotFound => "NOT_FOUND",
            Self::NotMember => "NOT_MEMBER",
            Self::Forbidden => "FORBIDDEN",
            Self::Conflict => "CONFLICT",
            Self::LimitReached => "LIMIT_REACHED",
            Self::Overloaded => "OVERLOADED",
            Self::RateLimited => "RATE_LIMITED",
            Self::BehindFailed => "BEHIND_FAILED",
            Self::StoreFull => "STORE_FULL",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::UnknownOutcome => "UNKNOWN_OUTCOME",
            Self::Internal => "INTERNAL",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for error::Code {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNSPECIFIED",
            "BAD_FRAME",
            "UNKNOWN_REQUEST",
            "BAD_FIELD",
            "FRAME_TOO_LARGE",
            "BODY_TOO_LARGE",
            "PAGE_TOO_LARGE",
            "UNSUPPORTED_VERSION",
            "LOGIN_REQUIRED",
            "LOGIN_TIMEOUT",
            "BAD_TOKEN",
            "TOKEN_EXPIRED",
            "BAD_PASSWORD",
            "USER_DISABLED",
            "ALREADY_LOGGED_IN",
            "TOO_MANY_ATTEMPTS",
            "NOT_FOUND",
            "NOT_MEMBER",
            "FORBIDDEN",
            "CONFLICT",
            "LIMIT_REACHED",
            "OVERLOADED",
            "RATE_LIMITED",
            "BEHIND_FAILED",
            "STORE_FULL",
            "SHUTTING_DOWN",
            "UNKNOWN_OUTCOME",
            "INTERNAL",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = error::Code;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(error::Code::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(error::Code::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNSPECIFIED" => Ok(error::Code::Unspecified),
                    "BAD_FRAME" => Ok(error::Code::BadFrame),
                    "UNKNOWN_REQUEST" => Ok(error::Code::UnknownRequest),
                    "BAD_FIELD" => Ok(error::Code::BadField),
                    "FRAME_TOO_LARGE" => Ok(error::Code::FrameTooLarge),
                    "BODY_TOO_LARGE" => Ok(error::Code::BodyTooLarge),
                    "PAGE_TOO_LARGE" => Ok(error::Code::PageTooLarge),
                    "UNSUPPORTED_VERSION" => Ok(error::Code::UnsupportedVersion),
                    "LOGIN_REQUIRED" => Ok(error::Code::LoginRequired),
                    "LOGIN_TIMEOUT" => Ok(error::Code::LoginTimeout),
                    "BAD_TOKEN" => Ok(error::Code::BadToken),
                    "TOKEN_EXPIRED" => Ok(error::Code::TokenExpired),
                    "BAD_PASSWORD" => Ok(error::Code::BadPassword),
                    "USER_DISABLED" => Ok(error::Code::UserDisabled),
                    "ALREADY_LOGGED_IN" => Ok(error::Code::AlreadyLoggedIn),
                    "TOO_MANY_ATTEMPTS" => Ok(error::Code::TooManyAttempts),
                    "NOT_FOUND" => Ok(error::Code::NotFound),
                    "NOT_MEMBER" => Ok(error::Code::NotMember),
                    "FORBIDDEN" => Ok(error::Code::Forbidden),
                    "CONFLICT" => Ok(error::Code::Conflict),
                    "LIMIT_REACHED" => Ok(error::Code::LimitReached),
                    "OVERLOADED" => Ok(error::Code::Overloaded),
                    "RATE_LIMITED" => Ok(error::Code::RateLimited),
                    "BEHIND_FAILED" => Ok(error::Code::BehindFailed),
                    "STORE_FULL" => Ok(error::Code::StoreFull),
                    "SHUTTING_DOWN" => Ok(error::Code::ShuttingDown),
                    "UNKNOWN_OUTCOME" => Ok(error::Code::UnknownOutcome),
                    "INTERNAL" => Ok(error::Code::Internal),
                    _ => Ok(error::Code::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for GetGroup {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.GetGroup", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetGroup {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetGroup;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.GetGroup")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetGroup, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(GetGroup {
                    group_id: group_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.GetGroup", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetUsers {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.user_ids.is_empty() {
            len += 1;
        }
        if !self.accounts.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.GetUsers", len)?;
        if !self.user_ids.is_empty() {
            struct_ser.serialize_field("user_ids", &self.user_ids.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        if !self.accounts.is_empty() {
            struct_ser.serialize_field("accounts", &self.accounts)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetUsers {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "user_ids",
            "userIds",
            "accounts",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            UserIds,
            Accounts,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "userIds" | "user_ids" => Ok(GeneratedField::UserIds),
                            "accounts" => Ok(GeneratedField::Accounts),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetUsers;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.GetUsers")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetUsers, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut user_ids__ = None;
                let mut accounts__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::UserIds => {
                            if user_ids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userIds"));
                            }
                            user_ids__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::Accounts => {
                            if accounts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("accounts"));
                            }
                            accounts__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(GetUsers {
                    user_ids: user_ids__.unwrap_or_default(),
                    accounts: accounts__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.GetUsers", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Group {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.avatar.is_empty() {
            len += 1;
        }
        if self.owner_id != 0 {
            len += 1;
        }
        if self.member_count != 0 {
            len += 1;
        }
        if self.created_ms != 0 {
            len += 1;
        }
        if self.role != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Group", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.avatar.is_empty() {
            struct_ser.serialize_field("avatar", &self.avatar)?;
        }
        if self.owner_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("owner_id", ToString::to_string(&self.owner_id).as_str())?;
        }
        if self.member_count != 0 {
            struct_ser.serialize_field("member_count", &self.member_count)?;
        }
        if self.created_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("created_ms", ToString::to_string(&self.created_ms).as_str())?;
        }
        if self.role != 0 {
            match group::Role::try_from(self.role) {
                Ok(v) => struct_ser.serialize_field("role", &v)?,
                Err(_) => struct_ser.serialize_field("role", &self.role)?,
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Group {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
            "name",
            "avatar",
            "owner_id",
            "ownerId",
            "member_count",
            "memberCount",
            "created_ms",
            "createdMs",
            "role",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            Name,
            Avatar,
            OwnerId,
            MemberCount,
            CreatedMs,
            Role,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            "name" => Ok(GeneratedField::Name),
                            "avatar" => Ok(GeneratedField::Avatar),
                            "ownerId" | "owner_id" => Ok(GeneratedField::OwnerId),
                            "memberCount" | "member_count" => Ok(GeneratedField::MemberCount),
                            "createdMs" | "created_ms" => Ok(GeneratedField::CreatedMs),
                            "role" => Ok(GeneratedField::Role),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Group;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Group")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Group, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                let mut name__ = None;
                let mut avatar__ = None;
                let mut owner_id__ = None;
                let mut member_count__ = None;
                let mut created_ms__ = None;
                let mut role__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Avatar => {
                            if avatar__.is_some() {
                                return Err(serde::de::Error::duplicate_field("avatar"));
                            }
                            avatar__ = Some(map_.next_value()?);
                        }
                        GeneratedField::OwnerId => {
                            if owner_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ownerId"));
                            }
                            owner_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MemberCount => {
                            if member_count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("memberCount"));
                            }
                            member_count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::CreatedMs => {
                            if created_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("createdMs"));
                            }
                            created_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value::<group::Role>()? as i32);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Group {
                    group_id: group_id__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                    avatar: avatar__.unwrap_or_default(),
                    owner_id: owner_id__.unwrap_or_default(),
                    member_count: member_count__.unwrap_or_default(),
                    created_ms: created_ms__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Group", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for group::Role {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::None => "NONE",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
            Self::Owner => "OWNER",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for group::Role {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "NONE",
            "MEMBER",
            "ADMIN",
            "OWNER",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = group::Role;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(group::Role::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(group::Role::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "NONE" => Ok(group::Role::None),
                    "MEMBER" => Ok(group::Role::Member),
                    "ADMIN" => Ok(group::Role::Admin),
                    "OWNER" => Ok(group::Role::Owner),
                    _ => Ok(group::Role::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for GroupPosition {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        if self.server_msg_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.GroupPosition", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GroupPosition {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
            "server_msg_id",
            "serverMsgId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            ServerMsgId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GroupPosition;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.GroupPosition")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GroupPosition, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                let mut server_msg_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(GroupPosition {
                    group_id: group_id__.unwrap_or_default(),
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.GroupPosition", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Hello {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.version != 0 {
            len += 1;
        }
        if self.device.is_some() {
            len += 1;
        }
        if self.positions.is_some() {
            len += 1;
        }
        if !self.client.is_empty() {
            len += 1;
        }
        if self.credential.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Hello", len)?;
        if self.version != 0 {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if let Some(v) = self.device.as_ref() {
            struct_ser.serialize_field("device", v)?;
        }
        if let Some(v) = self.positions.as_ref() {
            struct_ser.serialize_field("positions", v)?;
        }
        if !self.client.is_empty() {
            struct_ser.serialize_field("client", &self.client)?;
        }
        if let Some(v) = self.credential.as_ref() {
            match v {
                hello::Credential::Token(v) => {
                    struct_ser.serialize_field("token", v)?;
                }
                hello::Credential::Password(v) => {
                    struct_ser.serialize_field("password", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Hello {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "version",
            "device",
            "positions",
            "client",
            "token",
            "password",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Version,
            Device,
            Positions,
            Client,
            Token,
            Password,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "version" => Ok(GeneratedField::Version),
                            "device" => Ok(GeneratedField::Device),
                            "positions" => Ok(GeneratedField::Positions),
                            "client" => Ok(GeneratedField::Client),
                            "token" => Ok(GeneratedField::Token),
                            "password" => Ok(GeneratedField::Password),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Hello;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Hello")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Hello, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut version__ = None;
                let mut device__ = None;
                let mut positions__ = None;
                let mut client__ = None;
                let mut credential__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Device => {
                            if device__.is_some() {
                                return Err(serde::de::Error::duplicate_field("device"));
                            }
                            device__ = map_.next_value()?;
                        }
                        GeneratedField::Positions => {
                            if positions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("positions"));
                            }
                            positions__ = map_.next_value()?;
                        }
                        GeneratedField::Client => {
                            if client__.is_some() {
                                return Err(serde::de::Error::duplicate_field("client"));
                            }
                            client__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Token => {
                            if credential__.is_some() {
                                return Err(serde::de::Error::duplicate_field("token"));
                            }
                            credential__ = map_.next_value::<::std::option::Option<_>>()?.map(hello::Credential::Token);
                        }
                        GeneratedField::Password => {
                            if credential__.is_some() {
                                return Err(serde::de::Error::duplicate_field("password"));
                            }
                            credential__ = map_.next_value::<::std::option::Option<_>>()?.map(hello::Credential::Password)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Hello {
                    version: version__.unwrap_or_default(),
                    device: device__,
                    positions: positions__,
                    client: client__.unwrap_or_default(),
                    credential: credential__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Hello", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for InviteMembers {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        if !self.user_ids.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.InviteMembers", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        if !self.user_ids.is_empty() {
            struct_ser.serialize_field("user_ids", &self.user_ids.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for InviteMembers {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
            "user_ids",
            "userIds",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            UserIds,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            "userIds" | "user_ids" => Ok(GeneratedField::UserIds),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = InviteMembers;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.InviteMembers")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<InviteMembers, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                let mut user_ids__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UserIds => {
                            if user_ids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userIds"));
                            }
                            user_ids__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(InviteMembers {
                    group_id: group_id__.unwrap_or_default(),
                    user_ids: user_ids__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.InviteMembers", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Kicked {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.code != 0 {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Kicked", len)?;
        if self.code != 0 {
            match close::Code::try_from(self.code) {
                Ok(v) => struct_ser.serialize_field("code", &v)?,
                Err(_) => struct_ser.serialize_field("code", &self.code)?,
            }
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Kicked {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "code",
            "reason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Code,
            Reason,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "code" => Ok(GeneratedField::Code),
                            "reason" => Ok(GeneratedField::Reason),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Kicked;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Kicked")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Kicked, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut code__ = None;
                let mut reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Code => {
                            if code__.is_some() {
                                return Err(serde::de::Error::duplicate_field("code"));
                            }
                            code__ = Some(map_.next_value::<close::Code>()? as i32);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Kicked {
                    code: code__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Kicked", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Lagged {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("anser.v1.Lagged", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Lagged {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Lagged;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Lagged")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Lagged, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Lagged {
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Lagged", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LeaveGroup {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.LeaveGroup", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LeaveGroup {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LeaveGroup;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.LeaveGroup")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LeaveGroup, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(LeaveGroup {
                    group_id: group_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.LeaveGroup", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListMembers {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        if self.after != 0 {
            len += 1;
        }
        if self.limit != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.ListMembers", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        if self.after != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("after", ToString::to_string(&self.after).as_str())?;
        }
        if self.limit != 0 {
            struct_ser.serialize_field("limit", &self.limit)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListMembers {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
            "after",
            "limit",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            After,
            Limit,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            "after" => Ok(GeneratedField::After),
                            "limit" => Ok(GeneratedField::Limit),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListMembers;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.ListMembers")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListMembers, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                let mut after__ = None;
                let mut limit__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::After => {
                            if after__.is_some() {
                                return Err(serde::de::Error::duplicate_field("after"));
                            }
                            after__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Limit => {
                            if limit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limit"));
                            }
                            limit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ListMembers {
                    group_id: group_id__.unwrap_or_default(),
                    after: after__.unwrap_or_default(),
                    limit: limit__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.ListMembers", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListSessions {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.after.is_empty() {
            len += 1;
        }
        if self.limit != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.ListSessions", len)?;
        if !self.after.is_empty() {
            struct_ser.serialize_field("after", &self.after)?;
        }
        if self.limit != 0 {
            struct_ser.serialize_field("limit", &self.limit)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListSessions {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "after",
            "limit",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            After,
            Limit,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "after" => Ok(GeneratedField::After),
                            "limit" => Ok(GeneratedField::Limit),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListSessions;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.ListSessions")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListSessions, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut after__ = None;
                let mut limit__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::After => {
                            if after__.is_some() {
                                return Err(serde::de::Error::duplicate_field("after"));
                            }
                            after__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Limit => {
                            if limit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limit"));
                            }
                            limit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ListSessions {
                    after: after__.unwrap_or_default(),
                    limit: limit__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.ListSessions", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for MarkDelivered {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.server_msg_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.MarkDelivered", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for MarkDelivered {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "server_msg_id",
            "serverMsgId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            ServerMsgId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = MarkDelivered;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.MarkDelivered")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<MarkDelivered, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut server_msg_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(MarkDelivered {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.MarkDelivered", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for MarkRead {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.server_msg_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.MarkRead", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for MarkRead {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "server_msg_id",
            "serverMsgId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            ServerMsgId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = MarkRead;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.MarkRead")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<MarkRead, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut server_msg_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(MarkRead {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.MarkRead", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Marked {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.read_mark != 0 {
            len += 1;
        }
        if self.delivered_mark != 0 {
            len += 1;
        }
        if self.unread != 0 {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Marked", len)?;
        if self.read_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("read_mark", ToString::to_string(&self.read_mark).as_str())?;
        }
        if self.delivered_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("delivered_mark", ToString::to_string(&self.delivered_mark).as_str())?;
        }
        if self.unread != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("unread", ToString::to_string(&self.unread).as_str())?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Marked {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "read_mark",
            "readMark",
            "delivered_mark",
            "deliveredMark",
            "unread",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ReadMark,
            DeliveredMark,
            Unread,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "readMark" | "read_mark" => Ok(GeneratedField::ReadMark),
                            "deliveredMark" | "delivered_mark" => Ok(GeneratedField::DeliveredMark),
                            "unread" => Ok(GeneratedField::Unread),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Marked;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Marked")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Marked, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut read_mark__ = None;
                let mut delivered_mark__ = None;
                let mut unread__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ReadMark => {
                            if read_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readMark"));
                            }
                            read_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::DeliveredMark => {
                            if delivered_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deliveredMark"));
                            }
                            delivered_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Unread => {
                            if unread__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unread"));
                            }
                            unread__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Marked {
                    read_mark: read_mark__.unwrap_or_default(),
                    delivered_mark: delivered_mark__.unwrap_or_default(),
                    unread: unread__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Marked", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Member {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.user.is_some() {
            len += 1;
        }
        if self.role != 0 {
            len += 1;
        }
        if self.joined != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Member", len)?;
        if let Some(v) = self.user.as_ref() {
            struct_ser.serialize_field("user", v)?;
        }
        if self.role != 0 {
            match group::Role::try_from(self.role) {
                Ok(v) => struct_ser.serialize_field("role", &v)?,
                Err(_) => struct_ser.serialize_field("role", &self.role)?,
            }
        }
        if self.joined != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("joined", ToString::to_string(&self.joined).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Member {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "user",
            "role",
            "joined",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            User,
            Role,
            Joined,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "user" => Ok(GeneratedField::User),
                            "role" => Ok(GeneratedField::Role),
                            "joined" => Ok(GeneratedField::Joined),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Member;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Member")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Member, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut user__ = None;
                let mut role__ = None;
                let mut joined__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::User => {
                            if user__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            user__ = map_.next_value()?;
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value::<group::Role>()? as i32);
                        }
                        GeneratedField::Joined => {
                            if joined__.is_some() {
                                return Err(serde::de::Error::duplicate_field("joined"));
                            }
                            joined__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Member {
                    user: user__,
                    role: role__.unwrap_or_default(),
                    joined: joined__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Member", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Members {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.members.is_empty() {
            len += 1;
        }
        if self.more {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Members", len)?;
        if !self.members.is_empty() {
            struct_ser.serialize_field("members", &self.members)?;
        }
        if self.more {
            struct_ser.serialize_field("more", &self.more)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Members {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "members",
            "more",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Members,
            More,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "members" => Ok(GeneratedField::Members),
                            "more" => Ok(GeneratedField::More),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Members;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Members")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Members, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut members__ = None;
                let mut more__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Members => {
                            if members__.is_some() {
                                return Err(serde::de::Error::duplicate_field("members"));
                            }
                            members__ = Some(map_.next_value()?);
                        }
                        GeneratedField::More => {
                            if more__.is_some() {
                                return Err(serde::de::Error::duplicate_field("more"));
                            }
                            more__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Members {
                    members: members__.unwrap_or_default(),
                    more: more__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Members", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Message {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.server_msg_id != 0 {
            len += 1;
        }
        if !self.client_msg_id.is_empty() {
            len += 1;
        }
        if self.from_id != 0 {
            len += 1;
        }
        if !self.from_nickname.is_empty() {
            len += 1;
        }
        if self.from_platform != 0 {
            len += 1;
        }
        if !self.from_device_id.is_empty() {
            len += 1;
        }
        if self.r#type != 0 {
            len += 1;
        }
        if !self.content.is_empty() {
            len += 1;
        }
        if !self.attachment.is_empty() {
            len += 1;
        }
        if self.notice.is_some() {
            len += 1;
        }
        if self.client_time_ms != 0 {
            len += 1;
        }
        if self.server_time_ms != 0 {
            len += 1;
        }
        if self.count != 0 {
            len += 1;
        }
        if self.settings.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Message", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        if !self.client_msg_id.is_empty() {
            struct_ser.serialize_field("client_msg_id", &self.client_msg_id)?;
        }
        if self.from_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("from_id", ToString::to_string(&self.from_id).as_str())?;
        }
        if !self.from_nickname.is_empty() {
            struct_ser.serialize_field("from_nickname", &self.from_nickname)?;
        }
        if self.from_platform != 0 {
            match device::Platform::try_from(self.from_platform) {
                Ok(v) => struct_ser.serialize_field("from_platform", &v)?,
                Err(_) => struct_ser.serialize_field("from_platform", &self.from_platform)?,
            }
        }
        if !self.from_device_id.is_empty() {
            struct_ser.serialize_field("from_device_id", &self.from_device_id)?;
        }
        if self.r#type != 0 {
            match message::Type::try_from(self.r#type) {
                Ok(v) => struct_ser.serialize_field("type", &v)?,
                Err(_) => struct_ser.serialize_field("type", &self.r#type)?,
            }
        }
        if !self.content.is_empty() {
            struct_ser.serialize_field("content", &self.content)?;
        }
        if !self.attachment.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("attachment", pbjson::private::base64::encode(&self.attachment).as_str())?;
        }
        if let Some(v) = self.notice.as_ref() {
            struct_ser.serialize_field("notice", v)?;
        }
        if self.client_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("client_time_ms", ToString::to_string(&self.client_time_ms).as_str())?;
        }
        if self.server_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_time_ms", ToString::to_string(&self.server_time_ms).as_str())?;
        }
        if self.count != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("count", ToString::to_string(&self.count).as_str())?;
        }
        if let Some(v) = self.settings.as_ref() {
            struct_ser.serialize_field("settings", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Message {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "server_msg_id",
            "serverMsgId",
            "client_msg_id",
            "clientMsgId",
            "from_id",
            "fromId",
            "from_nickname",
            "fromNickname",
            "from_platform",
            "fromPlatform",
            "from_device_id",
            "fromDeviceId",
            "type",
            "content",
            "attachment",
            "notice",
            "client_time_ms",
            "clientTimeMs",
            "server_time_ms",
            "serverTimeMs",
            "count",
            "settings",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            ServerMsgId,
            ClientMsgId,
            FromId,
            FromNickname,
            FromPlatform,
            FromDeviceId,
            Type,
            Content,
            Attachment,
            Notice,
            ClientTimeMs,
            ServerTimeMs,
            Count,
            Settings,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            "clientMsgId" | "client_msg_id" => Ok(GeneratedField::ClientMsgId),
                            "fromId" | "from_id" => Ok(GeneratedField::FromId),
                            "fromNickname" | "from_nickname" => Ok(GeneratedField::FromNickname),
                            "fromPlatform" | "from_platform" => Ok(GeneratedField::FromPlatform),
                            "fromDeviceId" | "from_device_id" => Ok(GeneratedField::FromDeviceId),
                            "type" => Ok(GeneratedField::Type),
                            "content" => Ok(GeneratedField::Content),
                            "attachment" => Ok(GeneratedField::Attachment),
                            "notice" => Ok(GeneratedField::Notice),
                            "clientTimeMs" | "client_time_ms" => Ok(GeneratedField::ClientTimeMs),
                            "serverTimeMs" | "server_time_ms" => Ok(GeneratedField::ServerTimeMs),
                            "count" => Ok(GeneratedField::Count),
                            "settings" => Ok(GeneratedField::Settings),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Message;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Message")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Message, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut server_msg_id__ = None;
                let mut client_msg_id__ = None;
                let mut from_id__ = None;
                let mut from_nickname__ = None;
                let mut from_platform__ = None;
                let mut from_device_id__ = None;
                let mut r#type__ = None;
                let mut content__ = None;
                let mut attachment__ = None;
                let mut notice__ = None;
                let mut client_time_ms__ = None;
                let mut server_time_ms__ = None;
                let mut count__ = None;
                let mut settings__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ClientMsgId => {
                            if client_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("clientMsgId"));
                            }
                            client_msg_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::FromId => {
                            if from_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromId"));
                            }
                            from_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::FromNickname => {
                            if from_nickname__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromNickname"));
                            }
                            from_nickname__ = Some(map_.next_value()?);
                        }
                        GeneratedField::FromPlatform => {
                            if from_platform__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromPlatform"));
                            }
                            from_platform__ = Some(map_.next_value::<device::Platform>()? as i32);
                        }
                        GeneratedField::FromDeviceId => {
                            if from_device_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromDeviceId"));
                            }
                            from_device_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Type => {
                            if r#type__.is_some() {
                                return Err(serde::de::Error::duplicate_field("type"));
                            }
                            r#type__ = Some(map_.next_value::<message::Type>()? as i32);
                        }
                        GeneratedField::Content => {
                            if content__.is_some() {
                                return Err(serde::de::Error::duplicate_field("content"));
                            }
                            content__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attachment => {
                            if attachment__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attachment"));
                            }
                            attachment__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Notice => {
                            if notice__.is_some() {
                                return Err(serde::de::Error::duplicate_field("notice"));
                            }
                            notice__ = map_.next_value()?;
                        }
                        GeneratedField::ClientTimeMs => {
                            if client_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("clientTimeMs"));
                            }
                            client_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ServerTimeMs => {
                            if server_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverTimeMs"));
                            }
                            server_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Count => {
                            if count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("count"));
                            }
                            count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Settings => {
                            if settings__.is_some() {
                                return Err(serde::de::Error::duplicate_field("settings"));
                            }
                            settings__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Message {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                    client_msg_id: client_msg_id__.unwrap_or_default(),
                    from_id: from_id__.unwrap_or_default(),
                    from_nickname: from_nickname__.unwrap_or_default(),
                    from_platform: from_platform__.unwrap_or_default(),
                    from_device_id: from_device_id__.unwrap_or_default(),
                    r#type: r#type__.unwrap_or_default(),
                    content: content__.unwrap_or_default(),
                    attachment: attachment__.unwrap_or_default(),
                    notice: notice__,
                    client_time_ms: client_time_ms__.unwrap_or_default(),
                    server_time_ms: server_time_ms__.unwrap_or_default(),
                    count: count__.unwrap_or_default(),
                    settings: settings__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Message", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for message::Type {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unknown => "UNKNOWN",
            Self::Text => "TEXT",
            Self::Image => "IMAGE",
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::File => "FILE",
            Self::Location => "LOCATION",
            Self::Custom => "CUSTOM",
            Self::Notice => "NOTICE",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for message::Type {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNKNOWN",
            "TEXT",
            "IMAGE",
            "AUDIO",
            "VIDEO",
            "FILE",
            "LOCATION",
            "CUSTOM",
            "NOTICE",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = message::Type;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(message::Type::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(message::Type::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNKNOWN" => Ok(message::Type::Unknown),
                    "TEXT" => Ok(message::Type::Text),
                    "IMAGE" => Ok(message::Type::Image),
                    "AUDIO" => Ok(message::Type::Audio),
                    "VIDEO" => Ok(message::Type::Video),
                    "FILE" => Ok(message::Type::File),
                    "LOCATION" => Ok(message::Type::Location),
                    "CUSTOM" => Ok(message::Type::Custom),
                    "NOTICE" => Ok(message::Type::Notice),
                    _ => Ok(message::Type::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for MessageEvent {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.message.is_some() {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.MessageEvent", len)?;
        if let Some(v) = self.message.as_ref() {
            struct_ser.serialize_field("message", v)?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for MessageEvent {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "message",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Message,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "message" => Ok(GeneratedField::Message),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = MessageEvent;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.MessageEvent")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<MessageEvent, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut message__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = map_.next_value()?;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(MessageEvent {
                    message: message__,
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.MessageEvent", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Messages {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if !self.messages.is_empty() {
            len += 1;
        }
        if self.more {
            len += 1;
        }
        if self.head != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Messages", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if !self.messages.is_empty() {
            struct_ser.serialize_field("messages", &self.messages)?;
        }
        if self.more {
            struct_ser.serialize_field("more", &self.more)?;
        }
        if self.head != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("head", ToString::to_string(&self.head).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Messages {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "messages",
            "more",
            "head",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            Messages,
            More,
            Head,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "messages" => Ok(GeneratedField::Messages),
                            "more" => Ok(GeneratedField::More),
                            "head" => Ok(GeneratedField::Head),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Messages;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Messages")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Messages, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut messages__ = None;
                let mut more__ = None;
                let mut head__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Messages => {
                            if messages__.is_some() {
                                return Err(serde::de::Error::duplicate_field("messages"));
                            }
                            messages__ = Some(map_.next_value()?);
                        }
                        GeneratedField::More => {
                            if more__.is_some() {
                                return Err(serde::de::Error::duplicate_field("more"));
                            }
                            more__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Head => {
                            if head__.is_some() {
                                return Err(serde::de::Error::duplicate_field("head"));
                            }
                            head__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Messages {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    messages: messages__.unwrap_or_default(),
                    more: more__.unwrap_or_default(),
                    head: head__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Messages", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Notice {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.kind != 0 {
            len += 1;
        }
        if self.operator_id != 0 {
            len += 1;
        }
        if !self.user_ids.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Notice", len)?;
        if self.kind != 0 {
            match notice::Kind::try_from(self.kind) {
                Ok(v) => struct_ser.serialize_field("kind", &v)?,
                Err(_) => struct_ser.serialize_field("kind", &self.kind)?,
            }
        }
        if self.operator_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("operator_id", ToString::to_string(&self.operator_id).as_str())?;
        }
        if !self.user_ids.is_empty() {
            struct_ser.serialize_field("user_ids", &self.user_ids.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Notice {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "operator_id",
            "operatorId",
            "user_ids",
            "userIds",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            OperatorId,
            UserIds,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "operatorId" | "operator_id" => Ok(GeneratedField::OperatorId),
                            "userIds" | "user_ids" => Ok(GeneratedField::UserIds),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Notice;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Notice")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Notice, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut operator_id__ = None;
                let mut user_ids__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<notice::Kind>()? as i32);
                        }
                        GeneratedField::OperatorId => {
                            if operator_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("operatorId"));
                            }
                            operator_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UserIds => {
                            if user_ids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userIds"));
                            }
                            user_ids__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Notice {
                    kind: kind__.unwrap_or_default(),
                    operator_id: operator_id__.unwrap_or_default(),
                    user_ids: user_ids__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Notice", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for notice::Kind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unknown => "UNKNOWN",
            Self::Created => "CREATED",
            Self::Joined => "JOINED",
            Self::Left => "LEFT",
            Self::Removed => "REMOVED",
            Self::OwnerChanged => "OWNER_CHANGED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for notice::Kind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "UNKNOWN",
            "CREATED",
            "JOINED",
            "LEFT",
            "REMOVED",
            "OWNER_CHANGED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = notice::Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(notice::Kind::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok().or_else(|| Some(notice::Kind::default())))
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "UNKNOWN" => Ok(notice::Kind::Unknown),
                    "CREATED" => Ok(notice::Kind::Created),
                    "JOINED" => Ok(notice::Kind::Joined),
                    "LEFT" => Ok(notice::Kind::Left),
                    "REMOVED" => Ok(notice::Kind::Removed),
                    "OWNER_CHANGED" => Ok(notice::Kind::OwnerChanged),
                    _ => Ok(notice::Kind::default()),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Password {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.account.is_empty() {
            len += 1;
        }
        if !self.password.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Password", len)?;
        if !self.account.is_empty() {
            struct_ser.serialize_field("account", &self.account)?;
        }
        if !self.password.is_empty() {
            struct_ser.serialize_field("password", &self.password)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Password {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "account",
            "password",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Account,
            Password,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "account" => Ok(GeneratedField::Account),
                            "password" => Ok(GeneratedField::Password),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Password;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Password")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Password, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut account__ = None;
                let mut password__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Account => {
                            if account__.is_some() {
                                return Err(serde::de::Error::duplicate_field("account"));
                            }
                            account__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Password => {
                            if password__.is_some() {
                                return Err(serde::de::Error::duplicate_field("password"));
                            }
                            password__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Password {
                    account: account__.unwrap_or_default(),
                    password: password__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Password", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Ping {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("anser.v1.Ping", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Ping {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Ok(GeneratedField::__SkipField__)
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Ping;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Ping")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Ping, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Ping {
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Ping", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Pong {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.server_time_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Pong", len)?;
        if self.server_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_time_ms", ToString::to_string(&self.server_time_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Pong {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "server_time_ms",
            "serverTimeMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ServerTimeMs,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "serverTimeMs" | "server_time_ms" => Ok(GeneratedField::ServerTimeMs),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Pong;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Pong")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Pong, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut server_time_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ServerTimeMs => {
                            if server_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverTimeMs"));
                            }
                            server_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Pong {
                    server_time_ms: server_time_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Pong", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Positions {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.log_id != 0 {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        if self.groups_digest != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Positions", len)?;
        if self.log_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("log_id", ToString::to_string(&self.log_id).as_str())?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        if self.groups_digest != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("groups_digest", ToString::to_string(&self.groups_digest).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Positions {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "log_id",
            "logId",
            "mailbox_seq",
            "mailboxSeq",
            "groups_digest",
            "groupsDigest",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            LogId,
            MailboxSeq,
            GroupsDigest,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "logId" | "log_id" => Ok(GeneratedField::LogId),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            "groupsDigest" | "groups_digest" => Ok(GeneratedField::GroupsDigest),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Positions;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Positions")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Positions, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut log_id__ = None;
                let mut mailbox_seq__ = None;
                let mut groups_digest__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::LogId => {
                            if log_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("logId"));
                            }
                            log_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::GroupsDigest => {
                            if groups_digest__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupsDigest"));
                            }
                            groups_digest__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Positions {
                    log_id: log_id__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                    groups_digest: groups_digest__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Positions", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Preview {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.server_msg_id != 0 {
            len += 1;
        }
        if self.from_id != 0 {
            len += 1;
        }
        if !self.from_nickname.is_empty() {
            len += 1;
        }
        if self.r#type != 0 {
            len += 1;
        }
        if !self.content.is_empty() {
            len += 1;
        }
        if self.server_time_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Preview", len)?;
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        if self.from_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("from_id", ToString::to_string(&self.from_id).as_str())?;
        }
        if !self.from_nickname.is_empty() {
            struct_ser.serialize_field("from_nickname", &self.from_nickname)?;
        }
        if self.r#type != 0 {
            match message::Type::try_from(self.r#type) {
                Ok(v) => struct_ser.serialize_field("type", &v)?,
                Err(_) => struct_ser.serialize_field("type", &self.r#type)?,
            }
        }
        if !self.content.is_empty() {
            struct_ser.serialize_field("content", &self.content)?;
        }
        if self.server_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_time_ms", ToString::to_string(&self.server_time_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Preview {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "server_msg_id",
            "serverMsgId",
            "from_id",
            "fromId",
            "from_nickname",
            "fromNickname",
            "type",
            "content",
            "server_time_ms",
            "serverTimeMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ServerMsgId,
            FromId,
            FromNickname,
            Type,
            Content,
            ServerTimeMs,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            "fromId" | "from_id" => Ok(GeneratedField::FromId),
                            "fromNickname" | "from_nickname" => Ok(GeneratedField::FromNickname),
                            "type" => Ok(GeneratedField::Type),
                            "content" => Ok(GeneratedField::Content),
                            "serverTimeMs" | "server_time_ms" => Ok(GeneratedField::ServerTimeMs),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Preview;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Preview")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Preview, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut server_msg_id__ = None;
                let mut from_id__ = None;
                let mut from_nickname__ = None;
                let mut r#type__ = None;
                let mut content__ = None;
                let mut server_time_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::FromId => {
                            if from_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromId"));
                            }
                            from_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::FromNickname => {
                            if from_nickname__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fromNickname"));
                            }
                            from_nickname__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Type => {
                            if r#type__.is_some() {
                                return Err(serde::de::Error::duplicate_field("type"));
                            }
                            r#type__ = Some(map_.next_value::<message::Type>()? as i32);
                        }
                        GeneratedField::Content => {
                            if content__.is_some() {
                                return Err(serde::de::Error::duplicate_field("content"));
                            }
                            content__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ServerTimeMs => {
                            if server_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverTimeMs"));
                            }
                            server_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Preview {
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                    from_id: from_id__.unwrap_or_default(),
                    from_nickname: from_nickname__.unwrap_or_default(),
                    r#type: r#type__.unwrap_or_default(),
                    content: content__.unwrap_or_default(),
                    server_time_ms: server_time_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Preview", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ProfileChanged {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.user.is_some() {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.ProfileChanged", len)?;
        if let Some(v) = self.user.as_ref() {
            struct_ser.serialize_field("user", v)?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ProfileChanged {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "user",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            User,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "user" => Ok(GeneratedField::User),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ProfileChanged;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.ProfileChanged")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ProfileChanged, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut user__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::User => {
                            if user__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            user__ = map_.next_value()?;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ProfileChanged {
                    user: user__,
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.ProfileChanged", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Pull {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.after != 0 {
            len += 1;
        }
        if self.before != 0 {
            len += 1;
        }
        if self.limit != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Pull", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.after != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("after", ToString::to_string(&self.after).as_str())?;
        }
        if self.before != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("before", ToString::to_string(&self.before).as_str())?;
        }
        if self.limit != 0 {
            struct_ser.serialize_field("limit", &self.limit)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Pull {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "after",
            "before",
            "limit",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            After,
            Before,
            Limit,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "after" => Ok(GeneratedField::After),
                            "before" => Ok(GeneratedField::Before),
                            "limit" => Ok(GeneratedField::Limit),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Pull;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Pull")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Pull, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut after__ = None;
                let mut before__ = None;
                let mut limit__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::After => {
                            if after__.is_some() {
                                return Err(serde::de::Error::duplicate_field("after"));
                            }
                            after__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Before => {
                            if before__.is_some() {
                                return Err(serde::de::Error::duplicate_field("before"));
                            }
                            before__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Limit => {
                            if limit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("limit"));
                            }
                            limit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Pull {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    after: after__.unwrap_or_default(),
                    before: before__.unwrap_or_default(),
                    limit: limit__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Pull", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Receipt {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.user_id != 0 {
            len += 1;
        }
        if self.read_mark != 0 {
            len += 1;
        }
        if self.delivered_mark != 0 {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Receipt", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.user_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("user_id", ToString::to_string(&self.user_id).as_str())?;
        }
        if self.read_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("read_mark", ToString::to_string(&self.read_mark).as_str())?;
        }
        if self.delivered_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("delivered_mark", ToString::to_string(&self.delivered_mark).as_str())?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Receipt {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "user_id",
            "userId",
            "read_mark",
            "readMark",
            "delivered_mark",
            "deliveredMark",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            UserId,
            ReadMark,
            DeliveredMark,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "userId" | "user_id" => Ok(GeneratedField::UserId),
                            "readMark" | "read_mark" => Ok(GeneratedField::ReadMark),
                            "deliveredMark" | "delivered_mark" => Ok(GeneratedField::DeliveredMark),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Receipt;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Receipt")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Receipt, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut user_id__ = None;
                let mut read_mark__ = None;
                let mut delivered_mark__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::UserId => {
                            if user_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userId"));
                            }
                            user_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ReadMark => {
                            if read_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readMark"));
                            }
                            read_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::DeliveredMark => {
                            if delivered_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deliveredMark"));
                            }
                            delivered_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Receipt {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    user_id: user_id__.unwrap_or_default(),
                    read_mark: read_mark__.unwrap_or_default(),
                    delivered_mark: delivered_mark__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Receipt", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for RemoveMembers {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.group_id != 0 {
            len += 1;
        }
        if !self.user_ids.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.RemoveMembers", len)?;
        if self.group_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("group_id", ToString::to_string(&self.group_id).as_str())?;
        }
        if !self.user_ids.is_empty() {
            struct_ser.serialize_field("user_ids", &self.user_ids.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for RemoveMembers {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "group_id",
            "groupId",
            "user_ids",
            "userIds",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            GroupId,
            UserIds,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "groupId" | "group_id" => Ok(GeneratedField::GroupId),
                            "userIds" | "user_ids" => Ok(GeneratedField::UserIds),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = RemoveMembers;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.RemoveMembers")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<RemoveMembers, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut group_id__ = None;
                let mut user_ids__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::GroupId => {
                            if group_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupId"));
                            }
                            group_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UserIds => {
                            if user_ids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userIds"));
                            }
                            user_ids__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(RemoveMembers {
                    group_id: group_id__.unwrap_or_default(),
                    user_ids: user_ids__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.RemoveMembers", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Send {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if !self.client_msg_id.is_empty() {
            len += 1;
        }
        if self.r#type != 0 {
            len += 1;
        }
        if !self.content.is_empty() {
            len += 1;
        }
        if !self.attachment.is_empty() {
            len += 1;
        }
        if self.client_time_ms != 0 {
            len += 1;
        }
        if self.settings.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Send", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if !self.client_msg_id.is_empty() {
            struct_ser.serialize_field("client_msg_id", &self.client_msg_id)?;
        }
        if self.r#type != 0 {
            match message::Type::try_from(self.r#type) {
                Ok(v) => struct_ser.serialize_field("type", &v)?,
                Err(_) => struct_ser.serialize_field("type", &self.r#type)?,
            }
        }
        if !self.content.is_empty() {
            struct_ser.serialize_field("content", &self.content)?;
        }
        if !self.attachment.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("attachment", pbjson::private::base64::encode(&self.attachment).as_str())?;
        }
        if self.client_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("client_time_ms", ToString::to_string(&self.client_time_ms).as_str())?;
        }
        if let Some(v) = self.settings.as_ref() {
            struct_ser.serialize_field("settings", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Send {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "client_msg_id",
            "clientMsgId",
            "type",
            "content",
            "attachment",
            "client_time_ms",
            "clientTimeMs",
            "settings",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            ClientMsgId,
            Type,
            Content,
            Attachment,
            ClientTimeMs,
            Settings,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "clientMsgId" | "client_msg_id" => Ok(GeneratedField::ClientMsgId),
                            "type" => Ok(GeneratedField::Type),
                            "content" => Ok(GeneratedField::Content),
                            "attachment" => Ok(GeneratedField::Attachment),
                            "clientTimeMs" | "client_time_ms" => Ok(GeneratedField::ClientTimeMs),
                            "settings" => Ok(GeneratedField::Settings),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Send;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Send")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Send, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut client_msg_id__ = None;
                let mut r#type__ = None;
                let mut content__ = None;
                let mut attachment__ = None;
                let mut client_time_ms__ = None;
                let mut settings__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ClientMsgId => {
                            if client_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("clientMsgId"));
                            }
                            client_msg_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Type => {
                            if r#type__.is_some() {
                                return Err(serde::de::Error::duplicate_field("type"));
                            }
                            r#type__ = Some(map_.next_value::<message::Type>()? as i32);
                        }
                        GeneratedField::Content => {
                            if content__.is_some() {
                                return Err(serde::de::Error::duplicate_field("content"));
                            }
                            content__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attachment => {
                            if attachment__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attachment"));
                            }
                            attachment__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ClientTimeMs => {
                            if client_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("clientTimeMs"));
                            }
                            client_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Settings => {
                            if settings__.is_some() {
                                return Err(serde::de::Error::duplicate_field("settings"));
                            }
                            settings__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Send {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    client_msg_id: client_msg_id__.unwrap_or_default(),
                    r#type: r#type__.unwrap_or_default(),
                    content: content__.unwrap_or_default(),
                    attachment: attachment__.unwrap_or_default(),
                    client_time_ms: client_time_ms__.unwrap_or_default(),
                    settings: settings__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Send", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Sent {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.server_msg_id != 0 {
            len += 1;
        }
        if self.server_time_ms != 0 {
            len += 1;
        }
        if self.count != 0 {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Sent", len)?;
        if self.server_msg_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_msg_id", ToString::to_string(&self.server_msg_id).as_str())?;
        }
        if self.server_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_time_ms", ToString::to_string(&self.server_time_ms).as_str())?;
        }
        if self.count != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("count", ToString::to_string(&self.count).as_str())?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Sent {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "server_msg_id",
            "serverMsgId",
            "server_time_ms",
            "serverTimeMs",
            "count",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ServerMsgId,
            ServerTimeMs,
            Count,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "serverMsgId" | "server_msg_id" => Ok(GeneratedField::ServerMsgId),
                            "serverTimeMs" | "server_time_ms" => Ok(GeneratedField::ServerTimeMs),
                            "count" => Ok(GeneratedField::Count),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Sent;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Sent")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Sent, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut server_msg_id__ = None;
                let mut server_time_ms__ = None;
                let mut count__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ServerMsgId => {
                            if server_msg_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverMsgId"));
                            }
                            server_msg_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ServerTimeMs => {
                            if server_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverTimeMs"));
                            }
                            server_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Count => {
                            if count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("count"));
                            }
                            count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Sent {
                    server_msg_id: server_msg_id__.unwrap_or_default(),
                    server_time_ms: server_time_ms__.unwrap_or_default(),
                    count: count__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Sent", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ServerFrame {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.request_id != 0 {
            len += 1;
        }
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.ServerFrame", len)?;
        if self.request_id != 0 {
            struct_ser.serialize_field("request_id", &self.request_id)?;
        }
        if let Some(v) = self.body.as_ref() {
            match v {
                server_frame::Body::Error(v) => {
                    struct_ser.serialize_field("error", v)?;
                }
                server_frame::Body::Welcome(v) => {
                    struct_ser.serialize_field("welcome", v)?;
                }
                server_frame::Body::Pong(v) => {
                    struct_ser.serialize_field("pong", v)?;
                }
                server_frame::Body::Done(v) => {
                    struct_ser.serialize_field("done", v)?;
                }
                server_frame::Body::Sent(v) => {
                    struct_ser.serialize_field("sent", v)?;
                }
                server_frame::Body::Messages(v) => {
                    struct_ser.serialize_field("messages", v)?;
                }
                server_frame::Body::SyncPage(v) => {
                    struct_ser.serialize_field("sync_page", v)?;
                }
                server_frame::Body::Marked(v) => {
                    struct_ser.serialize_field("marked", v)?;
                }
                server_frame::Body::Sessions(v) => {
                    struct_ser.serialize_field("sessions", v)?;
                }
                server_frame::Body::Group(v) => {
                    struct_ser.serialize_field("group", v)?;
                }
                server_frame::Body::Members(v) => {
                    struct_ser.serialize_field("members", v)?;
                }
                server_frame::Body::Users(v) => {
                    struct_ser.serialize_field("users", v)?;
                }
                server_frame::Body::Message(v) => {
                    struct_ser.serialize_field("message", v)?;
                }
                server_frame::Body::Receipt(v) => {
                    struct_ser.serialize_field("receipt", v)?;
                }
                server_frame::Body::Typing(v) => {
                    struct_ser.serialize_field("typing", v)?;
                }
                server_frame::Body::SessionChanged(v) => {
                    struct_ser.serialize_field("session_changed", v)?;
                }
                server_frame::Body::Lagged(v) => {
                    struct_ser.serialize_field("lagged", v)?;
                }
                server_frame::Body::Kicked(v) => {
                    struct_ser.serialize_field("kicked", v)?;
                }
                server_frame::Body::Draining(v) => {
                    struct_ser.serialize_field("draining", v)?;
                }
                server_frame::Body::Close(v) => {
                    struct_ser.serialize_field("close", v)?;
                }
                server_frame::Body::ProfileChanged(v) => {
                    struct_ser.serialize_field("profile_changed", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ServerFrame {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "request_id",
            "requestId",
            "error",
            "welcome",
            "pong",
            "done",
            "sent",
            "messages",
            "sync_page",
            "syncPage",
            "marked",
            "sessions",
            "group",
            "members",
            "users",
            "message",
            "receipt",
            "typing",
            "session_changed",
            "sessionChanged",
            "lagged",
            "kicked",
            "draining",
            "close",
            "profile_changed",
            "profileChanged",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RequestId,
            Error,
            Welcome,
            Pong,
            Done,
            Sent,
            Messages,
            SyncPage,
            Marked,
            Sessions,
            Group,
            Members,
            Users,
            Message,
            Receipt,
            Typing,
            SessionChanged,
            Lagged,
            Kicked,
            Draining,
            Close,
            ProfileChanged,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "requestId" | "request_id" => Ok(GeneratedField::RequestId),
                            "error" => Ok(GeneratedField::Error),
                            "welcome" => Ok(GeneratedField::Welcome),
                            "pong" => Ok(GeneratedField::Pong),
                            "done" => Ok(GeneratedField::Done),
                            "sent" => Ok(GeneratedField::Sent),
                            "messages" => Ok(GeneratedField::Messages),
                            "syncPage" | "sync_page" => Ok(GeneratedField::SyncPage),
                            "marked" => Ok(GeneratedField::Marked),
                            "sessions" => Ok(GeneratedField::Sessions),
                            "group" => Ok(GeneratedField::Group),
                            "members" => Ok(GeneratedField::Members),
                            "users" => Ok(GeneratedField::Users),
                            "message" => Ok(GeneratedField::Message),
                            "receipt" => Ok(GeneratedField::Receipt),
                            "typing" => Ok(GeneratedField::Typing),
                            "sessionChanged" | "session_changed" => Ok(GeneratedField::SessionChanged),
                            "lagged" => Ok(GeneratedField::Lagged),
                            "kicked" => Ok(GeneratedField::Kicked),
                            "draining" => Ok(GeneratedField::Draining),
                            "close" => Ok(GeneratedField::Close),
                            "profileChanged" | "profile_changed" => Ok(GeneratedField::ProfileChanged),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ServerFrame;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.ServerFrame")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ServerFrame, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut request_id__ = None;
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RequestId => {
                            if request_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestId"));
                            }
                            request_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Error => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("error"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Error)
;
                        }
                        GeneratedField::Welcome => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("welcome"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Welcome)
;
                        }
                        GeneratedField::Pong => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pong"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Pong)
;
                        }
                        GeneratedField::Done => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("done"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Done)
;
                        }
                        GeneratedField::Sent => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sent"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Sent)
;
                        }
                        GeneratedField::Messages => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("messages"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Messages)
;
                        }
                        GeneratedField::SyncPage => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("syncPage"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::SyncPage)
;
                        }
                        GeneratedField::Marked => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("marked"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Marked)
;
                        }
                        GeneratedField::Sessions => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sessions"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Sessions)
;
                        }
                        GeneratedField::Group => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("group"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Group)
;
                        }
                        GeneratedField::Members => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("members"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Members)
;
                        }
                        GeneratedField::Users => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("users"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Users)
;
                        }
                        GeneratedField::Message => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Message)
;
                        }
                        GeneratedField::Receipt => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("receipt"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Receipt)
;
                        }
                        GeneratedField::Typing => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("typing"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Typing)
;
                        }
                        GeneratedField::SessionChanged => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sessionChanged"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::SessionChanged)
;
                        }
                        GeneratedField::Lagged => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lagged"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Lagged)
;
                        }
                        GeneratedField::Kicked => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kicked"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Kicked)
;
                        }
                        GeneratedField::Draining => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("draining"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Draining)
;
                        }
                        GeneratedField::Close => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("close"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::Close)
;
                        }
                        GeneratedField::ProfileChanged => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileChanged"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(server_frame::Body::ProfileChanged)
;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ServerFrame {
                    request_id: request_id__.unwrap_or_default(),
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.ServerFrame", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Session {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.head != 0 {
            len += 1;
        }
        if self.unread != 0 {
            len += 1;
        }
        if self.read_mark != 0 {
            len += 1;
        }
        if self.delivered_mark != 0 {
            len += 1;
        }
        if self.peer_read_mark != 0 {
            len += 1;
        }
        if self.peer_delivered_mark != 0 {
            len += 1;
        }
        if self.first != 0 {
            len += 1;
        }
        if self.last.is_some() {
            len += 1;
        }
        if self.peer.is_some() {
            len += 1;
        }
        if self.group.is_some() {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Session", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.head != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("head", ToString::to_string(&self.head).as_str())?;
        }
        if self.unread != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("unread", ToString::to_string(&self.unread).as_str())?;
        }
        if self.read_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("read_mark", ToString::to_string(&self.read_mark).as_str())?;
        }
        if self.delivered_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("delivered_mark", ToString::to_string(&self.delivered_mark).as_str())?;
        }
        if self.peer_read_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("peer_read_mark", ToString::to_string(&self.peer_read_mark).as_str())?;
        }
        if self.peer_delivered_mark != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("peer_delivered_mark", ToString::to_string(&self.peer_delivered_mark).as_str())?;
        }
        if self.first != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("first", ToString::to_string(&self.first).as_str())?;
        }
        if let Some(v) = self.last.as_ref() {
            struct_ser.serialize_field("last", v)?;
        }
        if let Some(v) = self.peer.as_ref() {
            struct_ser.serialize_field("peer", v)?;
        }
        if let Some(v) = self.group.as_ref() {
            struct_ser.serialize_field("group", v)?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Session {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "head",
            "unread",
            "read_mark",
            "readMark",
            "delivered_mark",
            "deliveredMark",
            "peer_read_mark",
            "peerReadMark",
            "peer_delivered_mark",
            "peerDeliveredMark",
            "first",
            "last",
            "peer",
            "group",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            Head,
            Unread,
            ReadMark,
            DeliveredMark,
            PeerReadMark,
            PeerDeliveredMark,
            First,
            Last,
            Peer,
            Group,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "head" => Ok(GeneratedField::Head),
                            "unread" => Ok(GeneratedField::Unread),
                            "readMark" | "read_mark" => Ok(GeneratedField::ReadMark),
                            "deliveredMark" | "delivered_mark" => Ok(GeneratedField::DeliveredMark),
                            "peerReadMark" | "peer_read_mark" => Ok(GeneratedField::PeerReadMark),
                            "peerDeliveredMark" | "peer_delivered_mark" => Ok(GeneratedField::PeerDeliveredMark),
                            "first" => Ok(GeneratedField::First),
                            "last" => Ok(GeneratedField::Last),
                            "peer" => Ok(GeneratedField::Peer),
                            "group" => Ok(GeneratedField::Group),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Session;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Session")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Session, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut head__ = None;
                let mut unread__ = None;
                let mut read_mark__ = None;
                let mut delivered_mark__ = None;
                let mut peer_read_mark__ = None;
                let mut peer_delivered_mark__ = None;
                let mut first__ = None;
                let mut last__ = None;
                let mut peer__ = None;
                let mut group__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Head => {
                            if head__.is_some() {
                                return Err(serde::de::Error::duplicate_field("head"));
                            }
                            head__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Unread => {
                            if unread__.is_some() {
                                return Err(serde::de::Error::duplicate_field("unread"));
                            }
                            unread__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ReadMark => {
                            if read_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readMark"));
                            }
                            read_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::DeliveredMark => {
                            if delivered_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deliveredMark"));
                            }
                            delivered_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PeerReadMark => {
                            if peer_read_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("peerReadMark"));
                            }
                            peer_read_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PeerDeliveredMark => {
                            if peer_delivered_mark__.is_some() {
                                return Err(serde::de::Error::duplicate_field("peerDeliveredMark"));
                            }
                            peer_delivered_mark__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::First => {
                            if first__.is_some() {
                                return Err(serde::de::Error::duplicate_field("first"));
                            }
                            first__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Last => {
                            if last__.is_some() {
                                return Err(serde::de::Error::duplicate_field("last"));
                            }
                            last__ = map_.next_value()?;
                        }
                        GeneratedField::Peer => {
                            if peer__.is_some() {
                                return Err(serde::de::Error::duplicate_field("peer"));
                            }
                            peer__ = map_.next_value()?;
                        }
                        GeneratedField::Group => {
                            if group__.is_some() {
                                return Err(serde::de::Error::duplicate_field("group"));
                            }
                            group__ = map_.next_value()?;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Session {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    head: head__.unwrap_or_default(),
                    unread: unread__.unwrap_or_default(),
                    read_mark: read_mark__.unwrap_or_default(),
                    delivered_mark: delivered_mark__.unwrap_or_default(),
                    peer_read_mark: peer_read_mark__.unwrap_or_default(),
                    peer_delivered_mark: peer_delivered_mark__.unwrap_or_default(),
                    first: first__.unwrap_or_default(),
                    last: last__,
                    peer: peer__,
                    group: group__,
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Session", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for SessionChanged {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.session.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.SessionChanged", len)?;
        if let Some(v) = self.session.as_ref() {
            struct_ser.serialize_field("session", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for SessionChanged {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "session",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Session,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "session" => Ok(GeneratedField::Session),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = SessionChanged;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.SessionChanged")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<SessionChanged, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut session__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Session => {
                            if session__.is_some() {
                                return Err(serde::de::Error::duplicate_field("session"));
                            }
                            session__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(SessionChanged {
                    session: session__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.SessionChanged", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Sessions {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.sessions.is_empty() {
            len += 1;
        }
        if self.more {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Sessions", len)?;
        if !self.sessions.is_empty() {
            struct_ser.serialize_field("sessions", &self.sessions)?;
        }
        if self.more {
            struct_ser.serialize_field("more", &self.more)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Sessions {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "sessions",
            "more",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Sessions,
            More,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "sessions" => Ok(GeneratedField::Sessions),
                            "more" => Ok(GeneratedField::More),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Sessions;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Sessions")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Sessions, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut sessions__ = None;
                let mut more__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Sessions => {
                            if sessions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sessions"));
                            }
                            sessions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::More => {
                            if more__.is_some() {
                                return Err(serde::de::Error::duplicate_field("more"));
                            }
                            more__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Sessions {
                    sessions: sessions__.unwrap_or_default(),
                    more: more__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Sessions", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Settings {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.uncounted {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Settings", len)?;
        if self.uncounted {
            struct_ser.serialize_field("uncounted", &self.uncounted)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Settings {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "uncounted",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Uncounted,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "uncounted" => Ok(GeneratedField::Uncounted),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Settings;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Settings")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Settings, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut uncounted__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Uncounted => {
                            if uncounted__.is_some() {
                                return Err(serde::de::Error::duplicate_field("uncounted"));
                            }
                            uncounted__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Settings {
                    uncounted: uncounted__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Settings", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Sync {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.mailbox_seq != 0 {
            len += 1;
        }
        if !self.groups.is_empty() {
            len += 1;
        }
        if self.groups_digest.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Sync", len)?;
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        if !self.groups.is_empty() {
            struct_ser.serialize_field("groups", &self.groups)?;
        }
        if let Some(v) = self.groups_digest.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("groups_digest", ToString::to_string(&v).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Sync {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "mailbox_seq",
            "mailboxSeq",
            "groups",
            "groups_digest",
            "groupsDigest",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            MailboxSeq,
            Groups,
            GroupsDigest,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            "groups" => Ok(GeneratedField::Groups),
                            "groupsDigest" | "groups_digest" => Ok(GeneratedField::GroupsDigest),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Sync;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Sync")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Sync, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut mailbox_seq__ = None;
                let mut groups__ = None;
                let mut groups_digest__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Groups => {
                            if groups__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groups"));
                            }
                            groups__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GroupsDigest => {
                            if groups_digest__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupsDigest"));
                            }
                            groups_digest__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Sync {
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                    groups: groups__.unwrap_or_default(),
                    groups_digest: groups_digest__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Sync", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for SyncPage {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.sessions.is_empty() {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        if self.caught_up {
            len += 1;
        }
        if self.profile.is_some() {
            len += 1;
        }
        if self.groups_behind {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.SyncPage", len)?;
        if !self.sessions.is_empty() {
            struct_ser.serialize_field("sessions", &self.sessions)?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        if self.caught_up {
            struct_ser.serialize_field("caught_up", &self.caught_up)?;
        }
        if let Some(v) = self.profile.as_ref() {
            struct_ser.serialize_field("profile", v)?;
        }
        if self.groups_behind {
            struct_ser.serialize_field("groups_behind", &self.groups_behind)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for SyncPage {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "sessions",
            "mailbox_seq",
            "mailboxSeq",
            "caught_up",
            "caughtUp",
            "profile",
            "groups_behind",
            "groupsBehind",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Sessions,
            MailboxSeq,
            CaughtUp,
            Profile,
            GroupsBehind,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "sessions" => Ok(GeneratedField::Sessions),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            "caughtUp" | "caught_up" => Ok(GeneratedField::CaughtUp),
                            "profile" => Ok(GeneratedField::Profile),
                            "groupsBehind" | "groups_behind" => Ok(GeneratedField::GroupsBehind),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = SyncPage;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.SyncPage")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<SyncPage, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut sessions__ = None;
                let mut mailbox_seq__ = None;
                let mut caught_up__ = None;
                let mut profile__ = None;
                let mut groups_behind__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Sessions => {
                            if sessions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sessions"));
                            }
                            sessions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::CaughtUp => {
                            if caught_up__.is_some() {
                                return Err(serde::de::Error::duplicate_field("caughtUp"));
                            }
                            caught_up__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Profile => {
                            if profile__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profile"));
                            }
                            profile__ = map_.next_value()?;
                        }
                        GeneratedField::GroupsBehind => {
                            if groups_behind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupsBehind"));
                            }
                            groups_behind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(SyncPage {
                    sessions: sessions__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                    caught_up: caught_up__.unwrap_or_default(),
                    profile: profile__,
                    groups_behind: groups_behind__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.SyncPage", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Typing {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Typing", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Typing {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Typing;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Typing")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Typing, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Typing {
                    conversation_id: conversation_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Typing", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TypingEvent {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.conversation_id.is_empty() {
            len += 1;
        }
        if self.user_id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.TypingEvent", len)?;
        if !self.conversation_id.is_empty() {
            struct_ser.serialize_field("conversation_id", &self.conversation_id)?;
        }
        if self.user_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("user_id", ToString::to_string(&self.user_id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TypingEvent {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "conversation_id",
            "conversationId",
            "user_id",
            "userId",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ConversationId,
            UserId,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "conversationId" | "conversation_id" => Ok(GeneratedField::ConversationId),
                            "userId" | "user_id" => Ok(GeneratedField::UserId),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TypingEvent;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.TypingEvent")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TypingEvent, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut conversation_id__ = None;
                let mut user_id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ConversationId => {
                            if conversation_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("conversationId"));
                            }
                            conversation_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::UserId => {
                            if user_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userId"));
                            }
                            user_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(TypingEvent {
                    conversation_id: conversation_id__.unwrap_or_default(),
                    user_id: user_id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.TypingEvent", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateProfile {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.nickname.is_some() {
            len += 1;
        }
        if self.avatar.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.UpdateProfile", len)?;
        if let Some(v) = self.nickname.as_ref() {
            struct_ser.serialize_field("nickname", v)?;
        }
        if let Some(v) = self.avatar.as_ref() {
            struct_ser.serialize_field("avatar", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateProfile {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "nickname",
            "avatar",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Nickname,
            Avatar,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "nickname" => Ok(GeneratedField::Nickname),
                            "avatar" => Ok(GeneratedField::Avatar),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateProfile;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.UpdateProfile")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateProfile, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut nickname__ = None;
                let mut avatar__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Nickname => {
                            if nickname__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nickname"));
                            }
                            nickname__ = map_.next_value()?;
                        }
                        GeneratedField::Avatar => {
                            if avatar__.is_some() {
                                return Err(serde::de::Error::duplicate_field("avatar"));
                            }
                            avatar__ = map_.next_value()?;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(UpdateProfile {
                    nickname: nickname__,
                    avatar: avatar__,
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.UpdateProfile", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for User {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.user_id != 0 {
            len += 1;
        }
        if !self.account.is_empty() {
            len += 1;
        }
        if !self.nickname.is_empty() {
            len += 1;
        }
        if !self.avatar.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.User", len)?;
        if self.user_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("user_id", ToString::to_string(&self.user_id).as_str())?;
        }
        if !self.account.is_empty() {
            struct_ser.serialize_field("account", &self.account)?;
        }
        if !self.nickname.is_empty() {
            struct_ser.serialize_field("nickname", &self.nickname)?;
        }
        if !self.avatar.is_empty() {
            struct_ser.serialize_field("avatar", &self.avatar)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for User {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "user_id",
            "userId",
            "account",
            "nickname",
            "avatar",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            UserId,
            Account,
            Nickname,
            Avatar,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "userId" | "user_id" => Ok(GeneratedField::UserId),
                            "account" => Ok(GeneratedField::Account),
                            "nickname" => Ok(GeneratedField::Nickname),
                            "avatar" => Ok(GeneratedField::Avatar),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = User;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.User")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<User, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut user_id__ = None;
                let mut account__ = None;
                let mut nickname__ = None;
                let mut avatar__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::UserId => {
                            if user_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("userId"));
                            }
                            user_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Account => {
                            if account__.is_some() {
                                return Err(serde::de::Error::duplicate_field("account"));
                            }
                            account__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Nickname => {
                            if nickname__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nickname"));
                            }
                            nickname__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Avatar => {
                            if avatar__.is_some() {
                                return Err(serde::de::Error::duplicate_field("avatar"));
                            }
                            avatar__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(User {
                    user_id: user_id__.unwrap_or_default(),
                    account: account__.unwrap_or_default(),
                    nickname: nickname__.unwrap_or_default(),
                    avatar: avatar__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.User", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Users {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.users.is_empty() {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Users", len)?;
        if !self.users.is_empty() {
            struct_ser.serialize_field("users", &self.users)?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Users {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "users",
            "mailbox_seq",
            "mailboxSeq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Users,
            MailboxSeq,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "users" => Ok(GeneratedField::Users),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Users;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Users")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Users, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut users__ = None;
                let mut mailbox_seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Users => {
                            if users__.is_some() {
                                return Err(serde::de::Error::duplicate_field("users"));
                            }
                            users__ = Some(map_.next_value()?);
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Users {
                    users: users__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Users", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Welcome {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.version != 0 {
            len += 1;
        }
        if self.user.is_some() {
            len += 1;
        }
        if self.server_time_ms != 0 {
            len += 1;
        }
        if self.log_id != 0 {
            len += 1;
        }
        if self.mailbox_seq != 0 {
            len += 1;
        }
        if self.mailbox_behind {
            len += 1;
        }
        if self.groups_behind {
            len += 1;
        }
        if self.heartbeat_min_ms != 0 {
            len += 1;
        }
        if self.heartbeat_max_ms != 0 {
            len += 1;
        }
        if !self.token.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("anser.v1.Welcome", len)?;
        if self.version != 0 {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if let Some(v) = self.user.as_ref() {
            struct_ser.serialize_field("user", v)?;
        }
        if self.server_time_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("server_time_ms", ToString::to_string(&self.server_time_ms).as_str())?;
        }
        if self.log_id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("log_id", ToString::to_string(&self.log_id).as_str())?;
        }
        if self.mailbox_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mailbox_seq", ToString::to_string(&self.mailbox_seq).as_str())?;
        }
        if self.mailbox_behind {
            struct_ser.serialize_field("mailbox_behind", &self.mailbox_behind)?;
        }
        if self.groups_behind {
            struct_ser.serialize_field("groups_behind", &self.groups_behind)?;
        }
        if self.heartbeat_min_ms != 0 {
            struct_ser.serialize_field("heartbeat_min_ms", &self.heartbeat_min_ms)?;
        }
        if self.heartbeat_max_ms != 0 {
            struct_ser.serialize_field("heartbeat_max_ms", &self.heartbeat_max_ms)?;
        }
        if !self.token.is_empty() {
            struct_ser.serialize_field("token", &self.token)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Welcome {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "version",
            "user",
            "server_time_ms",
            "serverTimeMs",
            "log_id",
            "logId",
            "mailbox_seq",
            "mailboxSeq",
            "mailbox_behind",
            "mailboxBehind",
            "groups_behind",
            "groupsBehind",
            "heartbeat_min_ms",
            "heartbeatMinMs",
            "heartbeat_max_ms",
            "heartbeatMaxMs",
            "token",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Version,
            User,
            ServerTimeMs,
            LogId,
            MailboxSeq,
            MailboxBehind,
            GroupsBehind,
            HeartbeatMinMs,
            HeartbeatMaxMs,
            Token,
            __SkipField__,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "version" => Ok(GeneratedField::Version),
                            "user" => Ok(GeneratedField::User),
                            "serverTimeMs" | "server_time_ms" => Ok(GeneratedField::ServerTimeMs),
                            "logId" | "log_id" => Ok(GeneratedField::LogId),
                            "mailboxSeq" | "mailbox_seq" => Ok(GeneratedField::MailboxSeq),
                            "mailboxBehind" | "mailbox_behind" => Ok(GeneratedField::MailboxBehind),
                            "groupsBehind" | "groups_behind" => Ok(GeneratedField::GroupsBehind),
                            "heartbeatMinMs" | "heartbeat_min_ms" => Ok(GeneratedField::HeartbeatMinMs),
                            "heartbeatMaxMs" | "heartbeat_max_ms" => Ok(GeneratedField::HeartbeatMaxMs),
                            "token" => Ok(GeneratedField::Token),
                            _ => Ok(GeneratedField::__SkipField__),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Welcome;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct anser.v1.Welcome")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Welcome, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut version__ = None;
                let mut user__ = None;
                let mut server_time_ms__ = None;
                let mut log_id__ = None;
                let mut mailbox_seq__ = None;
                let mut mailbox_behind__ = None;
                let mut groups_behind__ = None;
                let mut heartbeat_min_ms__ = None;
                let mut heartbeat_max_ms__ = None;
                let mut token__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::User => {
                            if user__.is_some() {
                                return Err(serde::de::Error::duplicate_field("user"));
                            }
                            user__ = map_.next_value()?;
                        }
                        GeneratedField::ServerTimeMs => {
                            if server_time_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serverTimeMs"));
                            }
                            server_time_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::LogId => {
                            if log_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("logId"));
                            }
                            log_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxSeq => {
                            if mailbox_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxSeq"));
                            }
                            mailbox_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MailboxBehind => {
                            if mailbox_behind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mailboxBehind"));
                            }
                            mailbox_behind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GroupsBehind => {
                            if groups_behind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("groupsBehind"));
                            }
                            groups_behind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::HeartbeatMinMs => {
                            if heartbeat_min_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("heartbeatMinMs"));
                            }
                            heartbeat_min_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::HeartbeatMaxMs => {
                            if heartbeat_max_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("heartbeatMaxMs"));
                            }
                            heartbeat_max_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Token => {
                            if token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("token"));
                            }
                            token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::__SkipField__ => {
                            let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Welcome {
                    version: version__.unwrap_or_default(),
                    user: user__,
                    server_time_ms: server_time_ms__.unwrap_or_default(),
                    log_id: log_id__.unwrap_or_default(),
                    mailbox_seq: mailbox_seq__.unwrap_or_default(),
                    mailbox_behind: mailbox_behind__.unwrap_or_default(),
                    groups_behind: groups_behind__.unwrap_or_default(),
                    heartbeat_min_ms: heartbeat_min_ms__.unwrap_or_default(),
                    heartbeat_max_ms: heartbeat_max_ms__.unwrap_or_default(),
                    token: token__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("anser.v1.Welcome", FIELDS, GeneratedVisitor)
    }
}
