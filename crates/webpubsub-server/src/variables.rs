//! The variables and secrets that the service is configured with.

use std::collections::BTreeMap;
use std::env;

/// Names that are read from the environment where the command line does not have them.
const FROM_ENVIRONMENT: [&str; 3] =
    ["WEBPUBSUB_ACCESS_KEY", "WEBPUBSUB_ACCESS_KEY_SECONDARY", "PORTAL_SECRET"];
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

    /// Returns a variable or secret by its name.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}
