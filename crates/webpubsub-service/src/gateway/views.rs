//! What a host knows of hubs: asked of their directories and of the register, and cached.

use std::sync::Arc;

use webpubsub_protocol::name::HubName;
use webpubsub_shard::AnonymousConnectPolicy;

use super::{Gateway, GatewayError, Host};
use crate::object_api::{DirectoryCall, REGISTER};
use crate::objects::{ask_directory, ask_view};
use crate::view::HubView;

impl<H: Host> Gateway<'_, H> {
    /// The view of a hub, no older than `MAP_TTL_MS`.
    pub(super) async fn view(&self, hub: &HubName) -> Result<Arc<HubView>, H::Error> {
        let asked = self.host.now();
        let cached = self.host.with_views(|views| views.get(asked, self.config.map_ttl, hub));
        if let Some(view) = cached {
            return Ok(view);
        }
        let view = ask_view(self.host.objects(), hub).await.ok_or(GatewayError::NoView)?;
        Ok(self.host.with_views(|views| views.put(asked, hub, view)))
    }

    /// The view of a hub for a caller without a token; `None` for a hub that has never been used and that the
    /// configuration does not open to such callers. Its directory is not asked, since an object that is asked
    /// for anything has a database from then on.
    pub(super) async fn view_for_anyone(&self, hub: &HubName) -> Result<Option<Arc<HubView>>, H::Error> {
        let is_open = self.config.settings.of(hub).anonymous_connect == AnonymousConnectPolicy::Allow;
        Ok(if is_open || self.is_used(hub).await? { Some(self.view(hub).await?) } else { None })
    }

    /// Whether the register has a hub, by a list of its hubs that is no older than `MAP_TTL_MS`.
    async fn is_used(&self, hub: &HubName) -> Result<bool, H::Error> {
        let asked = self.host.now();
        let cached = self.host.with_views(|views| views.is_used(asked, self.config.map_ttl, hub));
        if let Some(is_used) = cached {
            return Ok(is_used);
        }
        let hubs = self.used_hubs().await?;
        self.host.with_views(|views| views.put_used(asked, &hubs));
        Ok(hubs.lines().any(|name| name == hub.as_str()))
    }

    /// The names of all hubs that were ever used, a line each.
    pub(super) async fn used_hubs(&self) -> Result<String, H::Error> {
        let hubs = ask_directory(self.host.objects(), REGISTER, DirectoryCall::Hubs).await;
        Ok(hubs.ok_or(GatewayError::NoRegister)?)
    }

    /// Removes what is cached of a hub, and of which hubs are used.
    pub(super) fn forget(&self, hub: &HubName) {
        self.host.with_views(|views| views.forget(hub));
    }
}
