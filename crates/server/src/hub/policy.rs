//! How many devices of a class a user may have connected at one time, and which of them yields.

use anser_proto::v1::device::Platform;

use crate::{
    cluster::envelope::PresentDevice,
    config::{Devices, Yields},
};

pub struct Policy(Devices);

impl Policy {
    pub fn new(devices: &Devices) -> Self {
        Self(devices.clone())
    }

    /// Those of these devices, each named once, for which there is no room beside the others.
    pub fn yielding(&self, devices: &[PresentDevice]) -> Vec<PresentDevice> {
        let Devices { mobile, desktop, web, yields } = self.0;
        let classes: [(u32, &[Platform]); 3] =
            [(mobile, &[Platform::Ios, Platform::Android]), (desktop, &[Platform::Desktop]), (web, &[Platform::Web])];
        let mut yielding = Vec::new();
        for (max, platforms) in classes.into_iter().filter(|(max, _)| *max > 0) {
            let is_of_class = |device: &&PresentDevice| platforms.iter().any(|of| *of as i32 == device.platform);
            let mut same: Vec<_> = devices.iter().filter(is_of_class).cloned().collect();
            same.sort_unstable_by_key(|device| device.accepted);
            let beyond = same.len().saturating_sub(max as usize);
            yielding.extend(match yields {
                Yields::Oldest => same.drain(..beyond),
                Yields::Newest => same.drain(same.len() - beyond..),
            });
        }
        yielding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accepted::Accepted;

    /// The devices are as old as they stand, the first the oldest.
    fn check(yields: Yields, devices: &[Platform], expected: &[usize]) {
        let policy = Policy::new(&Devices { mobile: 1, desktop: 2, web: 0, yields });
        let device = |(age, platform): (usize, &Platform)| PresentDevice {
            device_id: age.to_string().into(),
            accepted: Accepted::at(age as u64),
            platform: *platform as i32,
        };
        let devices: Vec<_> = devices.iter().enumerate().map(device).collect();
        let mut yielding: Vec<usize> =
            policy.yielding(&devices).iter().map(|device| device.device_id.parse().expect("a number")).collect();
        yielding.sort_unstable();
        assert_eq!(yielding, expected);
    }

    #[test]
    fn of_each_class_so_many_stay_and_the_others_yield() {
        use Platform::{Android, Desktop, Ios, Server, Unknown, Web};
        let devices = [Ios, Desktop, Android, Desktop, Desktop, Ios];
        check(Yields::Oldest, &devices, &[0, 1, 2]);
        check(Yields::Newest, &devices, &[2, 4, 5]);
        check(Yields::Oldest, &[Web, Web, Web, Unknown, Unknown, Server, Server, Ios, Desktop], &[]);
        check(Yields::Oldest, &[], &[]);
    }
}
