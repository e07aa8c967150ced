//! The user's own devices.

use anser_proto::v1::{self, client_frame::Request, server_frame::Body};

use crate::{
    client::{Client, Error},
    view::Device,
};

/// Asked of the server each time: they are looked at seldom. It fails as with contacts; [`Event::People`](crate::Event::People) tells when they changed.
impl Client {
    /// All devices of the user, last seen first.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        match self.call(Request::ListDevices(v1::ListDevices {})).await? {
            Body::Devices(devices) => Ok(devices.devices.into_iter().map(Device::from).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// Calls a device otherwise, whatever it says of itself: at most 64 characters; empty: what it says when it logs in next.
    pub async fn rename_device(&self, device_id: impl Into<String>, name: impl Into<String>) -> Result<(), Error> {
        let rename = v1::RenameDevice { device_id: device_id.into(), name: name.into() };
        self.call_for_change(Request::RenameDevice(rename)).await
    }

    /// Ends the logins of a device. What it has of messages it keeps, and comes back by a token that is issued later, or by the password.
    pub async fn revoke_device(&self, device_id: impl Into<String>) -> Result<(), Error> {
        self.call_for_change(Request::RevokeDevice(v1::RevokeDevice { device_id: device_id.into() })).await
    }
}
