//! The history of metrics as shards give it, and as operators see it.

use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{HISTORY_MINUTES, METRICS, MetricHistory};

use crate::management::add_up;

/// Writes what a shard gives: how many minutes are known, and a line for each of the [`METRICS`], with commas between
/// its minutes.
pub(crate) fn encode(MetricHistory { minutes, metrics }: &MetricHistory) -> String {
    let mut text = minutes.to_string();
    for values in metrics {
        let values: Vec<String> = values.iter().map(u64::to_string).collect();
        text.push('\n');
        text.push_str(&values.join(","));
    }
    text
}

/// The history of each hub's metrics, of each of its shards and of all of them.
#[derive(Debug)]
pub(crate) struct HistoryList(Writer);

impl HistoryList {
    /// The history of no hub.
    pub(crate) fn new() -> Self {
        Self(Writer::list())
    }

    /// Adds a hub by what [`encode`] has written in each of its shards; `None` of one that did not answer.
    pub(crate) fn add(&mut self, hub: &HubName, answers: &[Option<String>]) {
        let metrics = vec![vec![0; HISTORY_MINUTES as usize]; METRICS.len()];
        let mut total = MetricHistory { minutes: 0, metrics };
        let mut shards = Writer::list();
        for answer in answers {
            let Some(answer) = answer else {
                shards.element("null");
                continue;
            };
            for (sums, line) in total.metrics.iter_mut().zip(answer.lines().skip(1)) {
                add_up(sums, line);
            }
            total.minutes = total.minutes.max(minutes_of(answer));
            shards.element(&show(answer));
        }
        let mut shown = Writer::object();
        shown.text("hub", hub.as_str()).json("total", &show(&encode(&total)));
        shown.json("shards", &shards.finish());
        self.0.element(&shown.finish());
    }

    /// The histories as JSON, up to now.
    pub(crate) fn finish(self, now: Timestamp) -> String {
        let mut shown = Writer::object();
        shown.number("time", now.as_millis()).json("hubs", &self.0.finish());
        shown.finish()
    }
}

fn minutes_of(text: &str) -> u64 {
    text.lines().next().and_then(|minutes| minutes.parse().ok()).unwrap_or(0)
}

/// How many minutes are known, and their values of the metrics that were not 0 throughout.
fn show(text: &str) -> String {
    let minutes = minutes_of(text);
    let unknown = HISTORY_MINUTES.saturating_sub(minutes) as usize;
    let mut metrics = Writer::object();
    for (metric, line) in METRICS.iter().zip(text.lines().skip(1)) {
        if line.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
            let known = line.splitn(unknown + 1, ',').last().unwrap_or_default();
            metrics.json(metric.name, &["[", known, "]"].concat());
        }
    }
    let mut shown = Writer::object();
    shown.number("minutes", minutes).json("metrics", &metrics.finish());
    shown.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answers: &[Option<String>]) -> String {
        let mut list = HistoryList::new();
        list.add(&HubName::parse("chat").unwrap(), answers);
        list.finish(Timestamp::from_millis(7))
    }

    /// What a shard gives that knows the minutes of each of these metrics.
    fn given(metrics: &[&[u64]]) -> Option<String> {
        let minutes = metrics[0].len();
        let padded = |known: &&[u64]| [&vec![0; 60 - minutes][..], known].concat();
        let metrics = metrics.iter().map(padded).collect();
        Some(encode(&MetricHistory { minutes: minutes as u64, metrics }))
    }

    #[test]
    fn shards_are_shown_with_their_sums() {
        let one = given(&[&[1, 2, 3], &[0, 0, 0], &[5, 0, 0]]);
        let other = given(&[&[10], &[0], &[1]]);
        let [first, _, third, ..] = METRICS.map(|metric| metric.name);
        let expected = format!(
            r#"{{"time":7,"hubs":[{{"hub":"chat","total":{{"minutes":3,"metrics":{{"{first}":[1,2,13],"{third}":[5,0,1]}}}},"shards":[{{"minutes":3,"metrics":{{"{first}":[1,2,3],"{third}":[5,0,0]}}}},{{"minutes":1,"metrics":{{"{first}":[10],"{third}":[1]}}}}]}}]}}"#
        );
        assert_eq!(shown(&[one, other]), expected);
    }

    #[test]
    fn a_whole_hour_is_shown_whole() {
        let hour: Vec<String> = (1..=60).map(|minute: u64| minute.to_string()).collect();
        let minutes: Vec<u64> = (1..=60).collect();
        let expected =
            format!(r#"{{"minutes":60,"metrics":{{"{}":[{}]}}}}"#, METRICS[0].name, hour.join(","));
        assert!(shown(&[given(&[&minutes])]).contains(&expected));
    }

    #[test]
    fn a_shard_that_did_not_answer_is_null() {
        let silent = r#"{"minutes":0,"metrics":{}}"#;
        let expected = format!(r#"{{"time":7,"hubs":[{{"hub":"chat","total":{silent},"shards":[null]}}]}}"#);
        assert_eq!(shown(&[None]), expected);
    }

    #[test]
    fn sums_stop_at_the_largest_number() {
        let answer = given(&[&[u64::MAX]]);
        let total = format!(r#""total":{{"minutes":1,"metrics":{{"{}":[{}]}}}}"#, METRICS[0].name, u64::MAX);
        assert!(shown(&[answer.clone(), answer]).contains(&total));
    }
}
