//! The access keys: known before a token is checked, and changed by operators.

use std::time::Duration;

use webpubsub_auth::{KeyRole, access_key};
use webpubsub_protocol::rest::Response;

use super::management::json;
use super::{Gateway, GatewayError, Host, Incoming};
use crate::keys::KeyChange;
use crate::management::show_keys;
use crate::object_api::{DirectoryCall, REGISTER};
use crate::objects::ask_directory;

impl<H: Host> Gateway<'_, H> {
    /// Has the keys be known that hold, or held so long ago. Returns whether any are, since the register has answered.
    pub(super) async fn know_keys(&self, age: Duration) -> bool {
        let Self { host, config, .. } = self;
        let ask = ask_directory(host.objects(), REGISTER, DirectoryCall::Keys);
        config.keys.no_older(host.now(), age, ask).await;
        config.keys.is_known()
    }

    /// Makes a new key: the one of this role, or for `None` the primary one, which then is the secondary.
    pub(super) async fn change_keys(
        &self,
        role: Option<KeyRole>,
        asked: Incoming<'_>,
    ) -> Result<Response, H::Error> {
        let mut random = [0; 48];
        self.host.fill_random(&mut random)?;
        let key = access_key(random);
        let change = match role {
            Some(role) => KeyChange::Regenerate(role, key),
            None => KeyChange::Rotate(key),
        };
        let (now, call) = (self.host.now(), DirectoryCall::ChangeKeys(change));
        let stored = ask_directory(self.host.objects(), REGISTER, call).await;
        if !self.config.keys.learn(now, stored.as_deref()) {
            return Err(GatewayError::NoKeys.into());
        }
        let keys = self.config.keys.get();
        let mut response = json(show_keys(&keys.texts, true));
        // It has ended the session that it was asked with.
        if asked.authorization.is_empty()
            && let Some(session) = &keys.session
        {
            response.headers.push(self.session_cookie(asked, session));
        }
        Ok(response)
    }
}
