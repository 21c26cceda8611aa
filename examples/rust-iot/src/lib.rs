//! What devices and their console say to each other.
//!
//! | group | what is in it |
//! | --- | --- |
//! | `telemetry` | a [`Reading`] of a device now and then |
//! | `devices` | the state of each device that is there |
//! | `commands-NAME` | [`Command`]s to one device |
//! | `samples` | streams: what a device measured quickly |

use serde::{Deserialize, Serialize};

/// The group of readings.
pub const TELEMETRY: &str = "telemetry";

/// The group in which devices show their states.
pub const DEVICES: &str = "devices";

/// The group of streams of samples.
pub const SAMPLES: &str = "samples";

/// The group of commands to one device.
#[must_use]
pub fn commands_to(device: &str) -> String {
    format!("commands-{device}")
}

/// What a device has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    /// Which device.
    pub device: String,
    /// 1, 2, 3, … without gaps, however often the link was lost.
    pub number: u64,
    /// The temperature.
    pub celsius: f64,
}

/// What a device is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// Send a reading as often as this.
    Every {
        /// The pause in between, in milliseconds.
        milliseconds: u64,
    },
    /// Measure as fast as can be, and send all of it as one stream.
    Sample {
        /// How many samples.
        count: u32,
    },
    /// Stop.
    Stop,
}
