//! The register of all hubs, which one more directory keeps.

use webpubsub_protocol::name::HubName;
use webpubsub_store::ObjectStore;
use worker::Env;

use crate::directory_paths::{HUBS, REGISTER};
use crate::log;
use crate::objects::Objects;
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
        Objects::directories(env)?.ask_texts(register, HUBS, Some(hub.as_str())).await?;
        object.set_registered()
    };
    let registered: Result<()> = register.await;
    if let Err(error) = registered {
        log::failure("registering a hub", &error);
    }
}

/// The names of all hubs that were ever used, a line each after an empty one.
pub(crate) async fn used_hubs(env: &Env) -> Result<String> {
    let register = vec![REGISTER.to_owned()];
    let hubs = Objects::directories(env)?.ask_texts(register, HUBS, None).await?.concat();
    if hubs.is_empty() { Err(Error::new("the register gave no list")) } else { Ok(hubs) }
}
