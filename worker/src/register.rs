//! The register of all hubs, which one more directory keeps.

use webpubsub_protocol::name::HubName;
use webpubsub_service::{DirectoryCall, REGISTER};
use webpubsub_store::ObjectStore;
use worker::Env;

use crate::log;
use crate::objects::ask_directories;
use crate::platform::{Error, Result};
use crate::sql::Sql;

/// Has the register know a hub, unless this object's tables say that it does. What fails is logged, and tried
/// again by whoever calls this next.
pub(crate) async fn register(env: &Env, object: &ObjectStore<Sql>, hub: &HubName) {
    let register = async {
        if object.is_registered()? {
            return Ok(());
        }
        let register = vec![REGISTER.to_owned()];
        match ask_directories(env, register, &DirectoryCall::AddHub(hub.clone())).await?.pop() {
            Some(Some(_)) => object.set_registered(),
            Some(None) | None => Err(Error::new("the register did not take a hub")),
        }
    };
    let registered: Result<()> = register.await;
    if let Err(error) = registered {
        log::failure("registering a hub", &error);
    }
}

/// The names of all hubs that were ever used, a line each.
pub(crate) async fn used_hubs(env: &Env) -> Result<String> {
    let register = vec![REGISTER.to_owned()];
    let hubs = ask_directories(env, register, &DirectoryCall::Hubs).await?.pop().flatten();
    hubs.ok_or_else(|| Error::new("the register gave no list"))
}
