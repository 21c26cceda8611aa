//! The rules of the directory of one hub: its settings, how many shards it has, and which of its event
//! handlers want events.
//!
//! A host gives a [`Directory`] what happened ([`Input`]) and does what it returns ([`Output`]), in order.
//! What has to outlive the memory of the host leaves as [`Output::Store`] and comes back through
//! [`Directory::restore`].

use std::time::Duration;

use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{HubSettings, SettingsError, ShardMap};

pub use crate::config::DirectoryConfig;
use crate::view::HubView;

/// How much longer than a host caches a view each step of a change of the shards waits for the one before,
/// for answers with the old map that are still on their way. The shards are asked again as often meanwhile.
/// It is as long as the views are cached, within these bounds.
const MARGIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// The directory of one hub.
///
/// A change of the settings is stored and delivered to every shard, again and again until each has answered.
/// A change of the number of shards takes steps, each of which waits until every shard knows the one before
/// and every host has forgotten it: see [`ShardMap`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    config: DirectoryConfig,
    view: HubView,
    /// The handlers that are being validated.
    under_way: Vec<Handler>,
}

/// An event handler, as its validation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The URL that is validated.
    pub url: String,
    /// The hosts of the service that it is to allow, separated by commas.
    pub origin: String,
}

/// What is stored of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The settings, if they were changed over the API.
    Settings,
    /// When they were changed last.
    Since,
    /// The shards, if their number was ever changed.
    Map,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Settings, Self::Since, Self::Map];

    /// The name by which it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Since => "since",
            Self::Map => "map",
        }
    }
}

/// What happened to a directory.
#[derive(Debug)]
pub enum Input {
    /// The settings are to be these; `None` for those of the configuration.
    ChangeSettings(Option<HubSettings>),
    /// The shards have answered [`Output::Deliver`].
    Delivered {
        /// [`ShardMap::version`] of the view.
        version: u64,
        /// [`HubView::since`] of the view.
        since: u64,
        /// What each shard still has to do, in their order; `None` for one that failed.
        loads: Vec<Option<u64>>,
    },
    /// The time of [`Output::SetAlarm`] has come.
    Timeout,
    /// A caller has to know whether a handler wants events.
    Validate {
        /// The handler.
        handler: Handler,
        /// What is stored of its last validation.
        known: Option<Validation>,
    },
    /// [`Output::Validate`] has ended.
    Validated {
        /// The handler.
        handler: Handler,
        /// What is stored of the validation before.
        known: Option<Validation>,
        /// Whether it wants events; `None` where it could not be asked.
        allowed: Option<bool>,
    },
}

/// What the host of a directory does.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Store a value for a fact, in the place of what is there.
    Store(Fact, String),
    /// Store a validation, in the place of one of the same handler.
    StoreValidation(Handler, Validation),
    /// Deliver the view to each shard that is reached. The answers come as [`Input::Delivered`].
    Deliver,
    /// Whether every shard has taken the view that was delivered.
    Taken(bool),
    /// Wake the directory at this time, and at no other.
    SetAlarm(Timestamp),
    /// Do not wake the directory.
    ClearAlarm,
    /// Validate a handler, of which this is stored. The outcome comes as [`Input::Validated`].
    Validate(Handler, Option<Validation>),
    /// Whether the handler of [`Input::Validate`] wants events. Where this is missing, it is what the
    /// validation under way comes to.
    Allowed(bool),
}

impl Directory {
    /// Puts a directory together from what was stored of each of [`Fact::ALL`].
    ///
    /// Settings that cannot be read are returned as an error beside the directory, which then has those of
    /// the configuration.
    #[must_use]
    pub fn restore(config: DirectoryConfig, facts: [Option<&str>; 3]) -> (Self, Option<SettingsError>) {
        let [settings, since, map] = facts;
        // `null` where they were taken back.
        let (settings, error) = match settings.filter(|settings| *settings != "null").map(HubSettings::decode)
        {
            Some(Ok(settings)) => (Some(settings), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let view = HubView {
            map: map.and_then(ShardMap::decode).unwrap_or(ShardMap::new(config.shards)),
            settings,
            since: since.and_then(|since| since.parse().ok()).unwrap_or(0),
        };
        (Self { config, view, under_way: Vec::new() }, error)
    }

    /// What hosts and shards are given.
    #[must_use]
    pub const fn view(&self) -> &HubView {
        &self.view
    }

    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way a directory acts"]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::ChangeSettings(settings) => self.change(now, settings, &mut outputs),
            Input::Timeout => self.deliver(now, &mut outputs),
            Input::Delivered { version, since, loads } => {
                let loads: Option<Vec<u64>> = loads.into_iter().collect();
                outputs.push(Output::Taken(loads.is_some()));
                if let Some(loads) = loads
                    // They may have been changed meanwhile.
                    && (version, since) == (self.view.map.version, self.view.since)
                {
                    self.advance(now, &loads, &mut outputs);
                }
            }
            Input::Validate { handler, known } => self.validate(now, handler, known, &mut outputs),
            Input::Validated { handler, known, allowed } => {
                self.under_way.retain(|other| *other != handler);
                if let Some(allowed) = allowed {
                    let validation = Validation::next(known, now, allowed);
                    outputs.push(Output::StoreValidation(handler, validation));
                }
            }
        }
        outputs
    }

    /// Takes the settings, and begins to have as many shards as they say.
    fn change(&mut self, now: Timestamp, settings: Option<HubSettings>, outputs: &mut Vec<Output>) {
        let shards = settings.as_ref().and_then(|settings| settings.shards);
        let text = settings.as_ref().map_or_else(|| "null".to_owned(), HubSettings::encode);
        outputs.push(Output::Store(Fact::Settings, text));
        let view = &mut self.view;
        view.settings = settings;
        view.since = now.as_millis().max(view.since + 1);
        outputs.push(Output::Store(Fact::Since, view.since.to_string()));
        view.map.resize(now, shards.unwrap_or(self.config.shards));
        if !view.map.is_settled() {
            outputs.push(Output::Store(Fact::Map, view.map.encode()));
        }
        self.deliver(now, outputs);
    }

    /// Delivers the view to every shard, and again later should an answer be missing.
    fn deliver(&self, now: Timestamp, outputs: &mut Vec<Output>) {
        outputs.push(self.alarm(now));
        outputs.push(Output::Deliver);
    }

    /// Takes the next step, now that every shard knows the view.
    fn advance(&mut self, now: Timestamp, loads: &[u64], outputs: &mut Vec<Output>) {
        let held = self.config.map_ttl + self.margin();
        let map = &mut self.view.map;
        let before = map.version;
        map.advance(now, held, loads);
        if map.version != before {
            outputs.push(Output::Store(Fact::Map, map.encode()));
            outputs.push(self.alarm(now));
        } else if map.is_settled() {
            outputs.push(Output::ClearAlarm);
        }
    }

    fn alarm(&self, now: Timestamp) -> Output {
        Output::SetAlarm(now.after(self.view.map.pause(now, self.margin())))
    }

    fn margin(&self) -> Duration {
        let [least, most] = MARGIN;
        self.config.map_ttl.clamp(least, most)
    }

    /// Answers by the last validation of a handler, or by the first if there has been none yet. One that is
    /// due begins, unless it is under way.
    fn validate(
        &mut self,
        now: Timestamp,
        handler: Handler,
        known: Option<Validation>,
        outputs: &mut Vec<Output>,
    ) {
        outputs.extend(known.map(|known| Output::Allowed(known.allowed)));
        let is_due = known.is_none_or(|known| known.due <= now);
        if is_due && !self.under_way.contains(&handler) {
            self.under_way.push(handler.clone());
            outputs.push(Output::Validate(handler, known));
        }
    }
}
