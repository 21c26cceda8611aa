//! The views of hubs that this isolate caches, asked of the hubs' directories.

use std::cell::RefCell;
use std::rc::Rc;

use webpubsub_protocol::name::HubName;
use webpubsub_service::{Config, HubView, SharedLoads, ViewCache};
use webpubsub_shard::AnonymousConnectPolicy;
use worker::Env;

use crate::objects::ask_view;
use crate::platform::{Result, now};
use crate::register::used_hubs;

thread_local! {
    static CACHE: RefCell<ViewCache> = const { RefCell::new(ViewCache::new()) };
}

/// The view of a hub, no older than `MAP_TTL_MS`.
pub(crate) async fn of(env: &Env, config: &Config, hub: &HubName) -> Result<Rc<HubView>> {
    if let Some(view) = CACHE.with_borrow(|cache| cache.get(now(), config.map_ttl, hub)) {
        return Ok(view);
    }
    let asked = now();
    let view = ask_view(env, hub).await?;
    Ok(CACHE.with_borrow_mut(|cache| cache.put(asked, hub, view)))
}

/// The view of a hub for a caller without a token; `None` for a hub that has never been used and that the
/// variables do not open to such callers. Its directory is not asked, since an object that is asked for
/// anything has a database from then on.
pub(crate) async fn for_anyone(env: &Env, config: &Config, hub: &HubName) -> Result<Option<Rc<HubView>>> {
    let is_open = config.settings.of(hub).anonymous_connect == AnonymousConnectPolicy::Allow;
    if is_open || is_used(env, config, hub).await? {
        return Ok(Some(of(env, config, hub).await?));
    }
    Ok(None)
}

/// Whether the register has a hub, by a list of its hubs that is no older than `MAP_TTL_MS`.
async fn is_used(env: &Env, config: &Config, hub: &HubName) -> Result<bool> {
    let cached = || CACHE.with_borrow(|cache| cache.is_used(now(), config.map_ttl, hub));
    if let Some(is_used) = cached() {
        return Ok(is_used);
    }
    let (asked, hubs) = (now(), used_hubs(env).await?);
    CACHE.with_borrow_mut(|cache| cache.put_used(asked, &hubs));
    Ok(hubs.lines().any(|name| name == hub.as_str()))
}

/// What is known of how full the shards of a hub are; nothing where its view is not cached.
pub(crate) fn loads(hub: &HubName) -> SharedLoads {
    CACHE.with_borrow(|cache| cache.loads(hub))
}

/// Removes what is cached of a hub, and of which hubs are used.
pub(crate) fn forget(hub: &HubName) {
    CACHE.with_borrow_mut(|cache| cache.forget(hub));
}
