//! The variables and secrets that the service is configured with.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

use webpubsub_service::Config;

use crate::start_error::StartError;

/// Names that are read from the environment where the command line does not have them.
const FROM_ENVIRONMENT: [&str; 3] =
    ["WEBPUBSUB_ACCESS_KEY", "WEBPUBSUB_ACCESS_KEY_SECONDARY", "PORTAL_SECRET"];
/// HMAC-SHA256's own size: a shorter key is easier to guess than a signature is to forge.
const LEAST_KEY_BYTES: usize = 32;
/// How the names of event handlers' secrets begin, which are read from the environment, too.
const HANDLER_SECRET: &str = "HANDLER_SECRET_";

/// Variables and secrets by their names.
#[derive(Clone, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of the command line, and the secrets of the environment.
    pub(crate) fn new(given: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_read = |name: &str| FROM_ENVIRONMENT.contains(&name) || name.starts_with(HANDLER_SECRET);
        let mut all: BTreeMap<_, _> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| is_read(name))
            .collect();
        all.extend(given);
        Self(all)
    }

    /// Sets a variable that is not set.
    pub(crate) fn set_default(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_insert(value);
    }

    /// Reads the configuration, which asks for every variable that there is.
    ///
    /// # Errors
    /// What is wrong with a variable, or that there is none of a name.
    pub(crate) fn configure(&self) -> Result<Config, StartError> {
        let asked = RefCell::new(BTreeSet::new());
        let config = Config::read(&|name| {
            asked.borrow_mut().insert(name.to_owned());
            self.get(name)
        })?;
        let asked = asked.into_inner();
        let is_known = |name: &&String| asked.contains(*name) || name.starts_with(HANDLER_SECRET);
        let Some(name) = self.0.keys().find(|name| !is_known(name)) else { return Ok(config) };
        // Others can read the command line, so secrets are not named for it.
        let is_secret = |name: &String| FROM_ENVIRONMENT.contains(&&**name);
        let known: Vec<_> = asked.into_iter().filter(|name| !is_secret(name)).collect();
        Err(StartError::NoVariable { name: name.clone(), known: known.join(", ") })
    }

    /// What is wrong with each access key that can be guessed.
    pub(crate) fn weak_keys(&self) -> impl Iterator<Item = String> {
        let [primary, secondary, _] = FROM_ENVIRONMENT;
        let is_weak =
            |name: &&str| self.0.get(*name).is_some_and(|key| (1..LEAST_KEY_BYTES).contains(&key.len()));
        [primary, secondary].into_iter().filter(is_weak).map(|name| {
            format!("{name} has fewer than {LEAST_KEY_BYTES} bytes and can be guessed: that is good enough on this machine only")
        })
    }

    /// Returns a variable or secret by its name.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configure(name: &str, value: &str) -> Result<Config, StartError> {
        let key = ("WEBPUBSUB_ACCESS_KEY".to_owned(), "a".repeat(32));
        Variables::new([key, (name.to_owned(), value.to_owned())]).configure()
    }

    #[test]
    fn a_variable_that_there_is_not_ends_the_start() {
        let Err(error) = configure("SHARD", "4") else { panic!("it is taken") };
        assert!(error.is_usage());
        let said = error.to_string();
        assert!(said.starts_with("--var SHARD: there is no such variable, only ACCEPTED_HOSTS, "), "{said}");
        assert!(said.contains(", SHARDS, ") && !said.contains("KEY"), "{said}");
    }

    #[test]
    fn an_access_key_that_can_be_guessed_is_said() {
        let weak = |name: &str, key: &str| {
            Variables::new([(name.to_owned(), key.to_owned())])
                .weak_keys()
                .filter(|weak| weak.starts_with(&format!("{name} ")))
                .count()
        };
        assert_eq!(weak("WEBPUBSUB_ACCESS_KEY", &"a".repeat(31)), 1);
        assert_eq!(weak("WEBPUBSUB_ACCESS_KEY", &"a".repeat(32)), 0);
        assert_eq!(weak("WEBPUBSUB_ACCESS_KEY_SECONDARY", "b"), 1);
        assert_eq!(weak("WEBPUBSUB_ACCESS_KEY_SECONDARY", ""), 0, "there is none");
    }

    #[test]
    fn a_handlers_secret_has_any_name() {
        assert!(configure("HANDLER_SECRET_SHOP", "s").is_ok());
    }
}
