//! The delivery records of a whole hub, out of those of its shards and its directory.

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::time::Timestamp;

/// The most delivery records that are shown.
const MOST_SHOWN: usize = 200;

/// Joins lists of delivery records, each of which is JSON: the newest first, with their times in words.
#[must_use]
pub(crate) fn join_deliveries(lists: &[String]) -> String {
    let mut newest: Vec<(u64, Members<'_>)> = Vec::new();
    for record in lists.iter().filter_map(|list| Json::parse(list)?.elements()).flatten() {
        let Some(members) = Members::parse(record.as_str()) else { continue };
        let time = members.get("time").and_then(Json::unsigned).unwrap_or(0);
        let place = newest.partition_point(|(other, _)| *other >= time);
        if place < MOST_SHOWN {
            newest.truncate(MOST_SHOWN - 1);
            newest.insert(place, (time, members));
        }
    }
    let mut shown = Writer::list();
    for (time, Members(members)) in &newest {
        let mut record = Writer::object();
        for (name, value) in members {
            if name == "time" {
                record.text(name, &in_words(*time));
            } else {
                record.json(name, value.as_str());
            }
        }
        shown.element(&record.finish());
    }
    let mut joined = Writer::object();
    joined.json("deliveries", &shown.finish());
    joined.finish()
}

/// A time with its milliseconds.
fn in_words(time: u64) -> String {
    let seconds = Timestamp::from_millis(time).to_utc();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), time % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_first_whatever_list_they_are_in() {
        let lists =
            [r#"[{"time":5,"event":"a"},{"time":1,"event":"b"}]"#, "[]", r#"[{"time":1500,"event":"c"}]"#];
        let joined = join_deliveries(&lists.map(str::to_owned));
        assert_eq!(
            joined,
            r#"{"deliveries":[{"time":"1970-01-01T00:00:01.500Z","event":"c"},{"time":"1970-01-01T00:00:00.005Z","event":"a"},{"time":"1970-01-01T00:00:00.001Z","event":"b"}]}"#
        );
    }

    #[test]
    fn two_hundred_are_shown() {
        let list = format!("[{}]", vec![r#"{"time":1}"#; 150].join(","));
        assert_eq!(join_deliveries(&[list.clone(), list]).matches("time").count(), MOST_SHOWN);
    }
}
