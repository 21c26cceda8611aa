//! The configuration of an isolate, read once from its variables and secrets.

use std::cell::RefCell;
use std::rc::Rc;

use webpubsub_service::{Config, ConfigError};
use worker::Env;

use crate::platform::variable;

thread_local! {
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

/// The configuration of this isolate, which has one environment as long as it lives.
pub(crate) fn of(env: &Env) -> Result<Rc<Config>, ConfigError> {
    CONFIG.with_borrow_mut(|known| match known {
        Some(config) => Ok(Rc::clone(config)),
        None => Ok(Rc::clone(known.insert(Rc::new(Config::read(&|name| variable(env, name))?)))),
    })
}
