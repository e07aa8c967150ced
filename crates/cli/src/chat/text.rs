//! Every sentence that the terminal client shows on its screen, in both languages; those without a screen are in `entrance`. What
//! enters is washed already.

mod commands;
mod entry;
mod parts;

use std::path::Path;

use anser_client::{
    CloseCode, ContactState, Error, ErrorCode, GroupChange, HistoryShown, Join, Kind, NoticeKind, Refusal, Role, State,
    StopReason,
};

use super::{command::Wrong, update::OwnAct};
use crate::lang::Lang;

/// Who is named of those who read a message.
const NAMED_MAX: usize = 8;

#[derive(Clone, Copy, Debug)]
pub struct Text(pub Lang);

impl Text {
    pub(super) fn pick(self, en: &'static str, zh: &'static str) -> &'static str {
        self.0.pick(en, zh)
    }

    pub(super) fn choose(self, en: String, zh: String) -> String {
        self.0.pick(en, zh)
    }

    pub fn conversations(self) -> &'static str {
        self.pick("Conversations", "会话")
    }

    pub fn own_notes(self) -> &'static str {
        self.pick("Notes to myself", "我的笔记")
    }

    pub fn you(self) -> &'static str {
        self.pick("You", "我")
    }

    /// As the one to whom something was done.
    pub fn you_whom(self) -> &'static str {
        self.pick("you", "我")
    }

    pub fn somebody(self) -> &'static str {
        self.pick("somebody", "某人")
    }

    pub fn no_conversations(self) -> &'static str {
        self.pick(
            "None yet. Type /to and an account, for example /to bob",
            "还没有会话。输入 /to 和对方账号，例如 /to bob",
        )
    }

    pub fn nothing_open(self) -> &'static str {
        self.pick(
            "Choose a conversation with the arrows and Enter, or type /to ACCOUNT. F1 shows all keys.",
            "用方向键和回车选择会话，或输入 /to 账号。按 F1 查看全部按键。",
        )
    }

    pub fn nothing_said(self) -> &'static str {
        self.pick("Nothing was said here yet. Say hello!", "这里还没有消息，打个招呼吧！")
    }

    pub fn loading(self) -> &'static str {
        self.pick("loading …", "正在加载…")
    }

    pub fn beginning(self) -> &'static str {
        self.pick("this is the beginning", "已到最早的消息")
    }

    pub fn older_missing(self) -> &'static str {
        self.pick("older messages come once connected", "联网后加载更早的消息")
    }

    pub fn unread_from_here(self) -> &'static str {
        self.pick("unread from here", "以下为未读消息")
    }

    pub fn new_below(self, count: usize) -> String {
        let s = if count == 1 { "" } else { "s" };
        self.choose(
            format!("↓ {count} new message{s}: Esc or Ctrl-End"),
            format!("↓ {count} 条新消息：按 Esc 或 Ctrl-End"),
        )
    }

    pub fn further_up(self) -> &'static str {
        self.pick("↓ Esc: back to the newest", "↓ 按 Esc 回到最新")
    }

    pub fn writing(self, names: &[String]) -> String {
        match names {
            [one] => self.choose(format!("{one} is writing …"), format!("{one} 正在输入…")),
            _ => self.choose(format!("{} are writing …", names.join(", ")), format!("{} 正在输入…", names.join("、"))),
        }
    }

    pub fn members(self, count: u32) -> String {
        let s = if count == 1 { "" } else { "s" };
        self.choose(format!("{count} member{s}"), format!("{count} 人"))
    }

    pub fn no_member(self) -> &'static str {
        self.pick("you left", "已退出")
    }

    pub fn write_here(self) -> &'static str {
        self.pick("Write a message, or / for a command", "输入消息，或以 / 开头的命令")
    }

    pub fn too_small(self) -> &'static str {
        self.pick("The window is too small.", "窗口太小。")
    }

    // Ticks.

    pub fn read(self) -> &'static str {
        self.pick("read", "已读")
    }

    pub fn waiting(self) -> &'static str {
        self.pick("waiting", "待发送")
    }

    pub fn not_sent(self) -> &'static str {
        self.pick("not sent", "未发送")
    }

    pub fn fix_failed(self, why: &str) -> String {
        self.choose(
            format!("{why}. /retry tries again, /discard forgets it"),
            format!("{why}。/retry 重试，/discard 丢弃"),
        )
    }

    pub fn failed_in(self, title: &str, why: &str) -> String {
        self.choose(format!("not sent to {title}: {why}"), format!("发给“{title}”的消息未发送：{why}"))
    }

    // Messages that are no text.

    pub fn kind(self, kind: Kind) -> &'static str {
        match kind {
            Kind::Image => self.pick("[image]", "[图片]"),
            Kind::Audio => self.pick("[audio]", "[语音]"),
            Kind::Video => self.pick("[video]", "[视频]"),
            Kind::File => self.pick("[file]", "[文件]"),
            Kind::Location => self.pick("[location]", "[位置]"),
            Kind::Text | Kind::Notice => "",
            _ => self.pick("[message]", "[消息]"),
        }
    }

    /// In the list, where there is no room to say what it was.
    pub fn group_changed(self) -> &'static str {
        self.pick("the group changed", "群成员有变化")
    }

    /// `who` did it, to `whom`.
    pub fn notice(self, kind: NoticeKind, who: &str, whom: &[String]) -> String {
        let (en, zh) = (whom.join(", "), apart(&whom.join("、")));
        let zh_who = apart(who);
        match kind {
            NoticeKind::Created if whom.is_empty() => {
                self.choose(format!("{who} made the group"), format!("{zh_who}创建了群"))
            }
            NoticeKind::Created => {
                self.choose(format!("{who} made the group with {en}"), format!("{zh_who}创建了群，成员有{zh}"))
            }
            NoticeKind::Joined => self.choose(format!("{who} invited {en}"), format!("{zh_who}邀请了{zh}")),
            NoticeKind::Left => self.choose(format!("{who} left"), format!("{zh_who}退出了群")),
            NoticeKind::Removed => self.choose(format!("{who} removed {en}"), format!("{zh_who}移出了{zh}")),
            NoticeKind::OwnerChanged => self.choose(format!("the group's owner is {en} now"), format!("{zh}成为群主")),
            NoticeKind::Promoted => self.choose(format!("{who} made {en} admin"), format!("{zh_who}将{zh}设为管理员")),
            NoticeKind::Demoted => {
                self.choose(format!("{who} made {en} a plain member"), format!("{zh_who}取消了{zh}的管理员身份"))
            }
            NoticeKind::Muted => self.choose(format!("{who} muted {en}"), format!("{zh_who}将{zh}禁言")),
            NoticeKind::Unmuted => {
                self.choose(format!("{who} let {en} speak again"), format!("{zh_who}解除了{zh}的禁言"))
            }
            NoticeKind::Dissolved => self.choose(format!("{who} dissolved the group"), format!("{zh_who}解散了群")),
            _ => self.choose("something changed".into(), "群信息有变化".into()),
        }
        .trim()
        .to_owned()
    }

    /// What `who` changed.
    pub fn group_change(self, who: &str, change: &GroupChange) -> String {
        let mut said = Vec::new();
        if let Some(name) = &change.name {
            said.push(self.choose(format!("named the group {name}"), format!("将群名改为“{name}”")));
        }
        let mut say = |is: bool, en, zh| said.extend(is.then(|| self.pick(en, zh).to_owned()));
        say(change.avatar.is_some(), "changed the picture", "更换了群头像");
        say(change.announcement, "announced something (/announce shows it)", "更新了群公告（/announce 查看）");
        say(change.mute_all == Some(true), "muted all but admins", "开启了全员禁言");
        say(change.mute_all == Some(false), "lets all speak again", "关闭了全员禁言");
        say(change.join == Some(Join::Closed), "closed the group to invitations by members", "关闭了成员邀请");
        say(change.join == Some(Join::Approval), "lets admins decide who comes in", "开启了入群审批");
        say(change.join == Some(Join::Free), "lets members invite", "允许成员邀请");
        match change.history {
            Some(HistoryShown::None) => say(true, "hides what was said from newcomers", "新成员不可见历史消息"),
            Some(_) => say(true, "shows newcomers what was said", "新成员可见历史消息"),
            None => {}
        }
        say(change.members_mention_all == Some(true), "lets members mention all", "允许成员提醒所有人");
        say(change.members_mention_all == Some(false), "lets admins alone mention all", "仅管理员可提醒所有人");
        let zh_who = apart(who);
        self.choose(format!("{who} {}", said.join(", ")), format!("{zh_who}{}", said.join("，")))
    }

    pub fn nothing_announced(self) -> &'static str {
        self.pick("nothing is announced here", "暂无群公告")
    }

    pub fn role(self, role: Role) -> &'static str {
        match role {
            Role::Owner => self.pick("owner", "群主"),
            Role::Admin => self.pick("admin", "管理员"),
            _ => "",
        }
    }

    pub fn contact_state(self, state: ContactState) -> &'static str {
        match state {
            ContactState::Asked => self.pick("asked", "已申请"),
            ContactState::Asking => self.pick("asks you: /add or /drop", "请求添加你：/add 或 /drop"),
            _ => "",
        }
    }

    pub fn is_blocked(self) -> &'static str {
        self.pick("blocked", "已拉黑")
    }

    pub fn contacts_title(self) -> &'static str {
        self.pick("Contacts", "联系人")
    }

    pub fn no_contacts(self) -> &'static str {
        self.pick("none yet: /add ACCOUNT", "还没有：/add 账号")
    }

    // The status line.

    /// The connection's state in words. `store` is the local store's file, if there is one.
    pub fn link(self, state: &State, store: Option<&Path>, now_ms: u64) -> String {
        match state {
            State::Connecting => self.pick("connecting …", "正在连接…").into(),
            State::Connected => self.pick("connected, catching up …", "已连接，正在同步…").into(),
            State::CaughtUp => self.pick("connected", "已连接").into(),
            State::Offline { retry_at_ms } => {
                let seconds = retry_at_ms.saturating_sub(now_ms).div_ceil(1000);
                self.choose(
                    format!("offline, next try in {seconds} s; what you write waits"),
                    format!("离线，{seconds} 秒后重试；消息会先保存"),
                )
            }
            State::Stopped(reason) => self.stopped(reason, store),
            other => format!("{other:?}"),
        }
    }

    /// Why there will be no more attempts, and what helps.
    pub fn stopped(self, reason: &StopReason, store: Option<&Path>) -> String {
        match reason {
            StopReason::Asked => self.pick("closed", "已关闭").into(),
            StopReason::Refused(error) => self.choose(
                format!("login refused: {}", self.refusal(error)),
                format!("登录被拒绝：{}", self.refusal(error)),
            ),
            StopReason::Closed { code, reason } => self.closed(*code, reason),
            StopReason::OtherUser { .. } => {
                let (en, zh) = store.map_or_else(Default::default, |store| {
                    (format!(" {}", store.display()), format!("（{}）", store.display()))
                });
                self.choose(
                    format!("the local store{en} belongs to another user: choose another --device, or --memory"),
                    format!("本地数据{zh}属于另一个用户：请换一个 --device，或使用 --memory"),
                )
            }
            StopReason::NoCredential => self
                .pick(
                    "no login is kept on this machine: log in with --token TOKEN or --password",
                    "本机没有保存登录：请用 --token 令牌 或 --password 登录",
                )
                .into(),
            StopReason::StoreFailed(error) => self.choose(
                format!("the local store takes no more changes ({error}): is the disk full?"),
                format!("本地数据无法写入（{error}）：磁盘满了吗？"),
            ),
            other => format!("{other:?}"),
        }
    }

    fn closed(self, code: u16, reason: &str) -> String {
        match CloseCode::try_from(i32::from(code)) {
            Ok(CloseCode::Replaced) => self
                .pick(
                    "this device is connected from elsewhere: start again with another --device",
                    "此设备已在别处连接：请换一个 --device 重新启动",
                )
                .into(),
            Ok(CloseCode::TokenRanOut) => self.pick("the token ran out: start again", "令牌已过期：请重新启动").into(),
            Ok(CloseCode::VersionRefused) => {
                self.pick("server and client do not fit: update one of them", "服务器与客户端版本不兼容：请更新").into()
            }
            _ => self.choose(
                format!("the server ended the connection for good ({code} {reason})"),
                format!("服务器已断开连接，不再重连（{code} {reason}）"),
            ),
        }
    }

    pub fn hints(self) -> &'static str {
        self.pick("F1 help  Tab list  Ctrl-C quit", "F1 帮助  Tab 列表  Ctrl-C 退出")
    }

    // Notes.

    pub fn error(self, error: &Error) -> String {
        match error {
            Error::Offline => {
                self.pick("not connected: try again when the server is there", "未连接：请在连上服务器后重试").into()
            }
            Error::Lost => self
                .pick("the connection broke: it may have been done or not", "连接中断：操作可能已完成，也可能没有")
                .into(),
            Error::Busy => self.pick("too much at once: wait a moment", "请求太多：请稍候").into(),
            Error::Refused(refusal) => self.refusal(refusal),
            Error::NotQueued(_) => self
                .pick("too many messages wait already: this one was not taken", "待发消息太多：这一条未被接受")
                .into(),
            Error::Store(error) => {
                self.choose(format!("the local store failed: {error}"), format!("本地数据出错：{error}"))
            }
            Error::Closed => self.pick("closed", "已关闭").into(),
            Error::NotWithdrawn(_) => {
                self.pick("it may be on its way already: it cannot be taken back", "可能已在发送途中，无法撤回").into()
            }
            _ => error.to_string(),
        }
    }

    /// What the server's refusal means to a person.
    pub fn refusal(self, error: &Refusal) -> String {
        match error.error_code().unwrap_or_default() {
            ErrorCode::BadToken => self.pick("the server does not believe the token", "服务器不认可该令牌").into(),
            ErrorCode::TokenExpired => self.pick("the token ran out: start again", "令牌已过期：请重新启动").into(),
            ErrorCode::BadPassword => self.pick("no such account, or another password", "账号不存在或密码错误").into(),
            ErrorCode::TooManyAttempts => {
                self.pick("too many wrong passwords: wait a minute", "密码错误次数太多：请稍候一分钟").into()
            }
            ErrorCode::UserDisabled => self.pick("this user may not log in", "该用户已被禁用").into(),
            ErrorCode::NotMember => self.pick("you are no member here", "你不是这里的成员").into(),
            ErrorCode::NotFound => {
                self.pick("there is no such user, group or message", "没有这个用户、群或消息").into()
            }
            ErrorCode::Gone => self.pick("the message is recalled", "消息已被撤回").into(),
            ErrorCode::TooLate => self.pick("it is too late for that", "已超过可更改的时间").into(),
            ErrorCode::Forbidden => {
                self.pick("only the owner and admins may do that", "只有群主和管理员可以这样做").into()
            }
            ErrorCode::Muted => match error.retry_after_ms.div_ceil(60_000) {
                0 => self.pick("only the owner and admins may speak here now", "全员禁言中").into(),
                minutes => self.choose(
                    format!("you may not speak here for another {minutes} min"),
                    format!("你已被禁言，还剩 {minutes} 分钟"),
                ),
            },
            ErrorCode::LimitReached => {
                self.pick("that would be more than the server allows", "超出了服务器的上限").into()
            }
            ErrorCode::BodyTooLarge => self.pick("the message is too long", "消息太长").into(),
            ErrorCode::Overloaded | ErrorCode::RateLimited => {
                self.pick("the server is busy: wait a moment", "服务器繁忙：请稍候").into()
            }
            ErrorCode::StoreFull => self.pick("the server's disk is full", "服务器磁盘已满").into(),
            _ => self.choose(
                format!("the server refused ({}: {})", error.code, error.message),
                format!("服务器拒绝（{}：{}）", error.code, error.message),
            ),
        }
    }

    pub fn wrong(self, wrong: &Wrong) -> String {
        match wrong {
            Wrong::Unknown { typed, near: Some(near) } => self.choose(
                format!("there is no {typed}: do you mean {near}? (// sends a message that begins with /)"),
                format!("没有 {typed} 命令：是想输入 {near} 吗？（以 // 开头可发送 / 开头的消息）"),
            ),
            Wrong::Unknown { typed, near: None } => self.choose(
                format!("there is no {typed}: F1 shows the commands (// sends a message that begins with /)"),
                format!("没有 {typed} 命令：按 F1 查看命令（以 // 开头可发送 / 开头的消息）"),
            ),
            Wrong::Needs(name) => {
                self.choose(format!("write it as {}", self.usage(name)), format!("用法：{}", self.usage(name)))
            }
        }
    }

    pub fn no_account(self, word: &str) -> String {
        self.choose(
            format!("{word} is no account: accounts are visible ASCII"),
            format!("“{word}”不是账号：账号只含可见的 ASCII 字符"),
        )
    }

    pub fn nobody_is(self, accounts: &str) -> String {
        self.choose(format!("there is no user {accounts}"), format!("没有用户 {accounts}"))
    }

    pub fn new_here(self, account: &str) -> String {
        self.choose(
            format!("{account} is a new user, created by this login: nobody had this account (is it a typing error?)"),
            format!("{account} 是新用户，由本次登录创建：此前没有这个账号（是否输错了？）"),
        )
    }

    pub fn no_such_group(self) -> &'static str {
        self.pick("there is no such group, or you are no member", "没有这个群，或你不是成员")
    }

    pub fn will_open(self, account: &str) -> String {
        self.choose(format!("{account} opens once connected"), format!("连接后将打开与 {account} 的会话"))
    }

    pub fn only_in_group(self) -> &'static str {
        self.pick(
            "that works in a group: open one, or create one with /group",
            "此命令只用于群：请先打开一个群，或用 /group 创建",
        )
    }

    pub fn nowhere_to_send(self) -> &'static str {
        self.pick("open a conversation first: /to ACCOUNT", "请先打开会话：/to 账号")
    }

    pub fn too_long(self, bytes: usize, max: usize) -> String {
        self.choose(
            format!("{bytes} bytes are too long: at most {max}"),
            format!("消息太长（{bytes} 字节）：最多 {max} 字节"),
        )
    }

    pub fn nothing_failed(self) -> &'static str {
        self.pick("every message here was sent or waits for its turn", "这里没有发送失败的消息")
    }

    pub fn invited(self) -> &'static str {
        self.pick("invited", "已邀请")
    }

    pub fn removed(self) -> &'static str {
        self.pick("removed", "已移出")
    }

    pub fn left(self) -> &'static str {
        self.pick("you left the group", "你已退出群")
    }

    pub fn asked(self) -> &'static str {
        self.pick("asked, or accepted: /contacts shows it", "已申请或已接受：/contacts 查看")
    }

    pub fn dropped(self) -> &'static str {
        self.pick("no contact any more", "已删除")
    }

    /// What was done.
    pub fn own(self, act: OwnAct) -> &'static str {
        match act {
            OwnAct::Top(true) => self.pick("above the others", "已置顶本会话"),
            OwnAct::Top(false) => self.pick("not above the others any more", "已取消置顶本会话"),
            OwnAct::Snooze(0) => self.pick("it rings again", "已取消免打扰"),
            OwnAct::Snooze(_) => self.pick("nothing here rings until then", "已设为免打扰"),
            OwnAct::MarkUnread => self.pick("marked as unread", "已标为未读"),
            OwnAct::Clear(_) => self.pick("cleared, for you alone", "已清空，仅对自己"),
            OwnAct::Close(_) => self.pick("out of the list until more is said", "已移出列表，直到有新消息"),
            OwnAct::Hide(_) => self.pick("hidden, from you alone", "已删除，仅对自己"),
        }
    }

    pub fn who_read(self, id: u64, read: Vec<String>, unread: Vec<String>) -> String {
        let names = |names: &[String], comma: &str| match names.len() {
            0 => "–".to_owned(),
            1..=NAMED_MAX => names.join(comma),
            all => format!("{} +{}", names[..NAMED_MAX].join(comma), all - NAMED_MAX),
        };
        self.choose(
            format!("#{id} read: {} · not yet: {}", names(&read, ", "), names(&unread, ", ")),
            format!("#{id} 已读：{} · 未读：{}", names(&read, "、"), names(&unread, "、")),
        )
    }

    pub fn not_told_who_read(self) -> &'static str {
        self.pick("that is told of your own messages, to admins of all", "只能查看自己的消息，管理员可查看全部")
    }

    pub fn nothing_here(self) -> &'static str {
        self.pick("nothing was said here yet", "这里还没有消息")
    }

    pub fn blocked(self) -> &'static str {
        self.pick("blocked: they are not told", "已拉黑，对方不会知道")
    }

    pub fn unblocked(self) -> &'static str {
        self.pick("not blocked any more", "已取消拉黑")
    }

    pub fn asks(self, name: &str, account: &str) -> String {
        self.choose(
            format!("{name} asks to be a contact: /add {account}, or /drop {account}"),
            format!("“{name}”请求添加你为联系人：/add {account} 或 /drop {account}"),
        )
    }

    pub fn signed(self) -> &'static str {
        self.pick("your profile says so now", "个性签名已更新")
    }

    pub fn shown(self, nickname: &str, account: &str, signature: &str) -> String {
        let said = if signature.is_empty() {
            String::new()
        } else {
            self.choose(format!(": {signature}"), format!("：{signature}"))
        };
        self.choose(format!("{nickname} ({account}){said}"), format!("{nickname}（{account}）{said}"))
    }

    pub fn renamed(self, nickname: &str) -> String {
        self.choose(format!("you are {nickname} now"), format!("你现在叫“{nickname}”"))
    }

    // Overlays.

    pub fn help_title(self) -> &'static str {
        self.pick("Help", "帮助")
    }

    pub fn close_overlay(self) -> &'static str {
        self.pick("any key closes this", "按任意键关闭")
    }

    pub fn further_down(self) -> &'static str {
        self.pick("↓ more, Esc closes", "↓ 更多，Esc 关闭")
    }

    pub fn more_members(self) -> &'static str {
        self.pick("… and more", "……还有更多")
    }

    /// Keys and what they do.
    pub fn keys(self) -> [(&'static str, &'static str); 9] {
        self.0.pick(
            [
                ("Enter", "send; Alt-Enter or Ctrl-J: new line"),
                ("Tab", "list or input; Enter opens"),
                ("↑ ↓ PgUp PgDn", "read further up or down"),
                ("Ctrl-Home -End", "the oldest, the newest"),
                ("Alt-↑ Alt-↓", "the next conversation"),
                ("Esc", "back"),
                ("Ctrl-W -U -K", "delete word, to start, to end"),
                ("✓ ✓✓ ✓✓ read", "stored, delivered, read"),
                ("Ctrl-C", "quit; what waits is kept"),
            ],
            [
                ("Enter", "发送；Alt-Enter 或 Ctrl-J 换行"),
                ("Tab", "切换列表与输入；回车打开"),
                ("↑ ↓ PgUp PgDn", "向上、向下翻看"),
                ("Ctrl-Home -End", "最早、最新"),
                ("Alt-↑ Alt-↓", "上一个、下一个会话"),
                ("Esc", "返回"),
                ("Ctrl-W -U -K", "删除词、到行首、到行尾"),
                ("✓ ✓✓ ✓✓ 已读", "已保存、已送达、已读"),
                ("Ctrl-C", "退出；待发消息会保留"),
            ],
        )
    }
}

/// Latin letters stand apart from Chinese ones.
fn apart(name: &str) -> String {
    let space = |end: Option<char>| if end.is_some_and(|char| char.is_ascii_alphanumeric()) { " " } else { "" };
    format!("{}{name}{}", space(name.chars().next()), space(name.chars().next_back()))
}
