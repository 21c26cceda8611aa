//! Time as the pure crates know it: a number passed in from outside.

use std::time::Duration;

/// The whole milliseconds in a duration, up to nearly 2^64.
///
/// [`Duration::as_millis`] has 128 bits, for which wasm has no instructions.
#[must_use]
#[inline(never)]
pub fn whole_millis(duration: Duration) -> u64 {
    // Nor does it have any for a product that may be too large.
    let seconds = duration.as_secs().min(u64::MAX / 1000);
    (seconds * 1000).saturating_add(duration.subsec_millis().into())
}

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// A moment `milliseconds` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down: the unit of a token's claims.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The moment `duration` later, or the last one there is.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment as `2026-01-31T23:59:59Z`, in whole seconds.
    #[must_use]
    pub fn to_utc(self) -> String {
        let days = self.as_seconds() / 86_400;
        let second = self.as_seconds() % 86_400;
        // Years that begin in March have their leap day at the end.
        let shifted = days + 719_468;
        let (era, day) = (shifted / 146_097, shifted % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let year = year + era * 400 + u64::from(month >= 10);
        let month = if month < 10 { month + 3 } else { month - 9 };
        let mut text = year.to_string();
        for (before, number) in
            [('-', month), ('-', day), ('T', second / 3600), (':', second / 60 % 60), (':', second % 60)]
        {
            text.push(before);
            if number < 10 {
                text.push('0');
            }
            text.push_str(&number.to_string());
        }
        text.push('Z');
        text
    }

    /// Reads a date as HTTP's cookies have it: `Wed, 21 Oct 2026 07:28:00 GMT`, or with dashes and two
    /// digits for the year. What is before the Unix epoch is read as that.
    ///
    /// Source: docs/spec/cloudevents.md#requests.
    #[must_use]
    pub(crate) fn from_http_date(text: &str) -> Option<Self> {
        const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
        let mut words = text.split([' ', ',', '-', ':']).filter(|word| !word.is_empty()).skip(1);
        let mut next = || words.next();
        let day = number(next(), 32).filter(|day| *day > 0)?;
        let month = next()?.to_ascii_lowercase();
        let month = (0..).zip(MONTHS.chunks(3)).find(|(_, name)| *name == month.as_bytes())?.0;
        let year = number(next(), 10_000)?;
        let year = year
            + if year < 70 {
                2000
            } else if year < 100 {
                1900
            } else {
                0
            };
        let second = number(next(), 24)? * 3600 + number(next(), 60)? * 60 + number(next(), 60)?;
        // Counted from March, as above.
        let year = if month < 2 { year - 1 } else { year };
        let month = (month + 10) % 12;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
        Some(Self::from_millis((days.saturating_sub(719_468) * 86_400 + second) * 1000))
    }
}

/// A number below a limit.
fn number(word: Option<&str>, limit: u64) -> Option<u64> {
    word?.parse().ok().filter(|number| *number < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_999, "2000-02-29T00:00:00Z"),
            (1_700_000_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ];
        for (milliseconds, text) in cases {
            assert_eq!(Timestamp::from_millis(milliseconds).to_utc(), text);
        }
        assert!(Timestamp::from_millis(u64::MAX).to_utc().ends_with('Z'));
    }

    #[test]
    fn dates_of_cookies_are_read_in_their_many_forms() {
        let cases = [
            ("Tue, 14 Nov 2023 22:13:20 GMT", Some(1_700_000_000)),
            ("Tue, 14-Nov-23 22:13:20 GMT", Some(1_700_000_000)),
            ("tuesday,14-NOV-2023 22:13:20", Some(1_700_000_000)),
            ("Tue Nov 14 22:13:20 2023", None),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400)),
            ("Thu, 01-Jan-70 00:00:00 GMT", Some(0)),
            ("Mon, 01 Jan 1601 00:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Tue, 14 Nov 2023", None),
            ("Tue, 14 Nov 2023 24:00:00", None),
            ("Tue, 32 Nov 2023 00:00:00", None),
            ("Tue, 0 Nov 2023 00:00:00", None),
            ("Tue, 1 Nov 18446744073709551615 00:00:00", None),
            ("Tue, 1 Jan 0 00:00:00", Some(946_684_800)),
            ("::: Jan", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            let read = Timestamp::from_http_date(text);
            assert_eq!(read.map(Timestamp::as_seconds), seconds, "{text}");
        }
    }
}
