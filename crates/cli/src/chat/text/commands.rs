//! What the help says of each command.

use super::Text;

impl Text {
    pub fn devices_title(self) -> &'static str {
        self.pick("Your devices", "已登录的设备")
    }

    pub fn device_state(self, current: bool, connected: bool) -> &'static str {
        match (current, connected) {
            (true, _) => self.pick("this one", "本机"),
            (false, true) => self.pick("connected", "在线"),
            (false, false) => "",
        }
    }

    pub fn no_device(self, begins: &str) -> String {
        let words = format!("no one device begins with {begins}: /devices shows them");
        self.choose(words, format!("没有唯一以 {begins} 开头的设备：/devices 查看"))
    }

    pub fn revoked(self) -> &'static str {
        self.pick("logged out there", "已让该设备下线")
    }

    /// Whom a text names.
    pub fn naming(self) -> (&'static str, &'static str) {
        let what = self.pick("in a group: name somebody, or everybody", "群里提到某人，或所有人");
        (self.pick("@ACCOUNT, @all", "@账号、@all"), what)
    }

    /// A command as it is written.
    pub fn usage(self, name: &str) -> &'static str {
        match name {
            "/to" => self.pick("/to ACCOUNT", "/to 账号"),
            "/reply" => self.pick("/reply [#N] TEXT", "/reply [#编号] 内容"),
            "/edit" => self.pick("/edit [#N] TEXT", "/edit [#编号] 内容"),
            "/recall" => self.pick("/recall [#N]", "/recall [#编号]"),
            "/react" => self.pick("/react [#N] EMOJI …", "/react [#编号] 表情…"),
            "/hide" => self.pick("/hide [#N]", "/hide [#编号]"),
            "/read" => self.pick("/read [#N]", "/read [#编号]"),
            "/pin" => self.pick("/pin [#N]", "/pin [#编号]"),
            "/unpin" => self.pick("/unpin [#N]", "/unpin [#编号]"),
            "/pins" => "/pins",
            "/top" => "/top on|off",
            "/snooze" => self.pick("/snooze MINUTES", "/snooze 分钟"),
            "/unread" => "/unread",
            "/clear" => "/clear",
            "/close" => "/close",
            "/group" => self.pick("/group NAME ACCOUNT …", "/group 群名 账号…"),
            "/invite" => self.pick("/invite ACCOUNT …", "/invite 账号…"),
            "/remove" => self.pick("/remove ACCOUNT …", "/remove 账号…"),
            "/promote" => self.pick("/promote ACCOUNT …", "/promote 账号…"),
            "/demote" => self.pick("/demote ACCOUNT …", "/demote 账号…"),
            "/transfer" => self.pick("/transfer ACCOUNT", "/transfer 账号"),
            "/contacts" => "/contacts",
            "/add" => self.pick("/add ACCOUNT WORDS", "/add 账号 附言"),
            "/drop" => self.pick("/drop ACCOUNT", "/drop 账号"),
            "/block" => self.pick("/block ACCOUNT", "/block 账号"),
            "/unblock" => self.pick("/unblock ACCOUNT", "/unblock 账号"),
            "/rename" => self.pick("/rename NAME", "/rename 群名"),
            "/announce" => self.pick("/announce TEXT", "/announce 公告"),
            "/mute" => self.pick("/mute MINUTES ACCOUNT …", "/mute 分钟 账号…"),
            "/muteall" => "/muteall on|off",
            "/entry" => "/entry free|approval|closed",
            "/history" => "/history none|all|N",
            "/ban" => self.pick("/ban ACCOUNT …", "/ban 账号…"),
            "/unban" => self.pick("/unban ACCOUNT …", "/unban 账号…"),
            "/waiting" => "/waiting",
            "/approve" => self.pick("/approve ACCOUNT …", "/approve 账号…"),
            "/reject" => self.pick("/reject ACCOUNT …", "/reject 账号…"),
            "/link" => self.pick("/link [USES]", "/link [次数]"),
            "/unlink" => "/unlink",
            "/join" => self.pick("/join TOKEN WORDS", "/join 令牌 附言"),
            "/alias" => self.pick("/alias NAME", "/alias 群昵称"),
            "/dissolve" => "/dissolve",
            "/devices" => "/devices",
            "/revoke" => self.pick("/revoke DEVICE", "/revoke 设备"),
            "/nick" => self.pick("/nick NAME", "/nick 昵称"),
            "/about" => self.pick("/about TEXT", "/about 文字"),
            "/whois" => self.pick("/whois ACCOUNT", "/whois 账号"),
            "/leave" => "/leave",
            "/members" => "/members",
            "/retry" => "/retry",
            "/discard" => "/discard",
            "/help" => "/help",
            _ => "/quit",
        }
    }

    pub fn purpose(self, name: &str) -> &'static str {
        match name {
            "/to" => self.pick("talk to somebody, or group_ID", "与某人聊天，或 group_群号"),
            "/reply" => self.pick("answer a message: the newest, or #N", "回复消息：最新一条或指定编号"),
            "/edit" => self.pick("change what you wrote", "修改自己的消息"),
            "/recall" => self.pick("take a message back for everybody", "为所有人撤回消息"),
            "/react" => self.pick("your emojis below it; none: take back", "添加表情；留空则取消"),
            "/hide" => self.pick("a message from yourself, for good", "仅为自己删除消息，不可恢复"),
            "/read" => self.pick("who has read it, in a group", "群消息的已读成员"),
            "/pin" => self.pick("a message, for all here", "为所有人置顶消息"),
            "/unpin" => self.pick("not any more", "取消置顶消息"),
            "/pins" => self.pick("what is pinned here", "查看置顶的消息"),
            "/top" => self.pick("this conversation above the others", "置顶本会话"),
            "/snooze" => self.pick("nothing here rings; 0: again", "消息免打扰；0 为取消"),
            "/unread" => self.pick("mark as unread", "标为未读"),
            "/clear" => self.pick("all here, for yourself, for good", "仅为自己清空记录，不可恢复"),
            "/close" => self.pick("out of the list until more is said", "移出列表，直到有新消息"),
            "/group" => self.pick("create a group (\"with spaces\")", "建群（名称含空格时加引号）"),
            "/invite" => self.pick("into this group", "邀请入群"),
            "/remove" => self.pick("from this group", "移出本群"),
            "/promote" => self.pick("to admin", "设为管理员"),
            "/demote" => self.pick("to plain member", "取消管理员"),
            "/transfer" => self.pick("the group to a new owner", "转让群主"),
            "/contacts" => self.pick("contacts, requests, blocks", "联系人、申请与黑名单"),
            "/add" => self.pick("ask to be a contact, or accept", "添加联系人，或接受申请"),
            "/drop" => self.pick("end it, or say no", "删除联系人，或拒绝申请"),
            "/block" => self.pick("take no messages of theirs", "拉黑，不再收其消息"),
            "/unblock" => self.pick("take them again", "取消拉黑"),
            "/rename" => self.pick("this group", "修改群名"),
            "/announce" => self.pick("to all here; alone: show it", "发布公告；不带内容则查看"),
            "/mute" => self.pick("0 lets them speak again", "禁言；0 为解除"),
            "/muteall" => self.pick("admins alone write", "全员禁言"),
            "/entry" => self.pick("who lets others in", "入群方式"),
            "/history" => self.pick("what newcomers see of before", "新成员可见的历史消息"),
            "/ban" => self.pick("remove, and keep out", "移出并禁止再入群"),
            "/unban" => self.pick("let them come back", "解除禁止"),
            "/waiting" => self.pick("who waits to be let in", "待审批的申请"),
            "/approve" => self.pick("let them in", "同意入群"),
            "/reject" => self.pick("turn them away", "拒绝入群"),
            "/link" => self.pick("a link into this group", "创建入群链接"),
            "/unlink" => self.pick("end your links", "撤销入群链接"),
            "/join" => self.pick("a group by a link", "通过链接入群"),
            "/alias" => self.pick("your name in this group", "修改自己的群昵称"),
            "/dissolve" => self.pick("end this group for all", "解散本群"),
            "/devices" => self.pick("where you are logged in", "查看已登录的设备"),
            "/revoke" => self.pick("log a device out", "让设备下线"),
            "/nick" => self.pick("change your name", "修改昵称"),
            "/about" => self.pick("what your profile says", "修改个性签名"),
            "/whois" => self.pick("a profile", "查看资料"),
            "/leave" => self.pick("leave this group", "退出本群"),
            "/members" => self.pick("who is in this group", "查看群成员"),
            "/retry" => self.pick("send again what failed", "重发失败的消息"),
            "/discard" => self.pick("forget what failed", "丢弃失败的消息"),
            "/help" => self.pick("this", "本帮助"),
            _ => self.pick("the same as Ctrl-C", "退出"),
        }
    }
}
