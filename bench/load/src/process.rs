//! What a server costs: the CPU time and the memory of its process and of all that it started.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// How many ticks of `/proc/PID/stat` are a second: fixed for programs, whatever the kernel's own
/// clock is.
///
/// As `USER_HZ` in Linux' `include/asm-generic/param.h`.
const TICKS_PER_SECOND: u64 = 100;

/// A process and its descendants. On a system without `/proc` nothing is known about them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessTree(pub(crate) u32);

impl ProcessTree {
    /// The CPU time that they have used so far, those that have ended included.
    pub(crate) fn cpu(self) -> Option<Duration> {
        let all = all();
        let ticks: Vec<u64> = self.members(&all).iter().filter_map(|pid| Some(all.get(pid)?.ticks)).collect();
        let hundredths = ticks.iter().sum::<u64>();
        (!ticks.is_empty()).then(|| Duration::from_millis(hundredths * 1000 / TICKS_PER_SECOND))
    }

    /// Their proportional set size in bytes: what they share with others counts by their share.
    pub(crate) fn memory(self) -> Option<u64> {
        let sizes: Vec<u64> = self.members(&all()).iter().filter_map(|pid| memory(*pid)).collect();
        (!sizes.is_empty()).then(|| sizes.iter().sum())
    }

    fn members(self, all: &BTreeMap<u32, Stat>) -> Vec<u32> {
        let mut members = vec![self.0];
        let mut next = 0;
        while let Some(&parent) = members.get(next) {
            members.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
            next += 1;
        }
        members
    }
}

/// What is of interest in `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Its own ticks in user and kernel mode, and those of its children that have ended.
    ticks: u64,
}

impl Stat {
    /// The name, in parentheses, may hold anything; the fields follow the last one.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let ticks = [11, 12, 13, 14].into_iter().map(number).sum::<Option<u64>>()?;
        Some(Self { parent: fields.get(1)?.parse().ok()?, ticks })
    }
}

fn all() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

fn memory(pid: u32) -> Option<u64> {
    pss(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
}

fn pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_a_process_and_its_ended_children() {
        let text = "77 (a) name (b) S 12 77 77 0 -1 4194560 9 0 0 0 100 20 3 4 20 0 9 0 999 1 1\n";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 12, ticks: 127 }));
        assert_eq!(Stat::parse("77 (cut off"), None);
    }

    #[test]
    fn the_proportional_set_size_is_in_bytes() {
        let text =
            "55d0-7ffd ---p 00000000 00:00 0    [rollup]\nRss:  9000 kB\nPss:    4321 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(pss(text), Some(4321 * 1024));
        assert_eq!(pss(""), None);
    }

    #[test]
    fn descendants_belong_to_a_process_and_its_siblings_do_not() {
        let stat = |parent| Stat { parent, ticks: 0 };
        let all = BTreeMap::from([(1, stat(0)), (5, stat(1)), (6, stat(5)), (7, stat(6)), (8, stat(1))]);
        assert_eq!(ProcessTree(5).members(&all), [5, 6, 7]);
    }
}
