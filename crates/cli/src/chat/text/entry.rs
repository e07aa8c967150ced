//! What is said of who comes into a group.

use super::Text;

impl Text {
    pub fn banned(self) -> &'static str {
        self.pick("banned", "已禁止入群")
    }

    pub fn unbanned(self) -> &'static str {
        self.pick("they may come back", "已解除禁止")
    }

    pub fn answered(self) -> &'static str {
        self.pick("answered", "已处理")
    }

    pub fn linked(self, token: &str) -> String {
        self.choose(format!("others join with: /join {token}"), format!("他人可用此命令入群：/join {token}"))
    }

    pub fn unlinked(self) -> &'static str {
        self.pick("the links lead nowhere any more", "链接已失效")
    }

    pub fn waits(self) -> &'static str {
        self.pick("you wait to be let in", "已申请，等待审批")
    }

    pub fn who_waits(self, names: &str) -> String {
        match names.is_empty() {
            true => self.pick("nobody waits", "没有待审批的申请").to_owned(),
            false => self.choose(format!("waiting: {names}"), format!("待审批：{names}")),
        }
    }
}
