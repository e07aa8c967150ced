//! Times as people read them, in their own zone. Milliseconds since 1970 enter, words leave.

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

use crate::lang::Lang;

/// The day of a moment.
pub fn day(zone: &TimeZone, ms: u64) -> Date {
    zoned(zone, ms).date()
}

/// `14:03`.
pub fn clock(zone: &TimeZone, ms: u64) -> String {
    zoned(zone, ms).strftime("%H:%M").to_string()
}

/// For programs: `2026-11-23T14:03:09+08:00`.
pub fn exact(zone: &TimeZone, ms: u64) -> String {
    zoned(zone, ms).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// For a line of the list: the time today, else the day, as short as can be told apart.
pub fn short(lang: Lang, zone: &TimeZone, now_ms: u64, ms: u64) -> String {
    let (today, that) = (day(zone, now_ms), day(zone, ms));
    if today == that {
        return clock(zone, ms);
    }
    if today.yesterday().is_ok_and(|yesterday| yesterday == that) {
        return lang.pick("yesterday", "昨天").into();
    }
    if today.year() == that.year() {
        return that.strftime(lang.pick("%-d %b", "%-m月%-d日")).to_string();
    }
    that.strftime("%Y-%m-%d").to_string()
}

/// For the line between two days.
pub fn heading(lang: Lang, zone: &TimeZone, now_ms: u64, that: Date) -> String {
    let today = day(zone, now_ms);
    if today == that {
        return lang.pick("Today", "今天").into();
    }
    if today.yesterday().is_ok_and(|yesterday| yesterday == that) {
        return lang.pick("Yesterday", "昨天").into();
    }
    match lang {
        Lang::En if today.year() == that.year() => that.strftime("%A, %-d %B").to_string(),
        Lang::En => that.strftime("%A, %-d %B %Y").to_string(),
        Lang::Zh => {
            let weekday = ["日", "一", "二", "三", "四", "五", "六"][that.weekday().to_sunday_zero_offset() as usize];
            let year = if today.year() == that.year() { String::new() } else { format!("{}年", that.year()) };
            format!("{year}{}月{}日 星期{weekday}", that.month(), that.day())
        }
    }
}

/// A time that no calendar holds (a server may say anything) is shown as 1970.
fn zoned(zone: &TimeZone, ms: u64) -> Zoned {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.unwrap_or_default().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 16:30 UTC, a Monday.
    const NOW: u64 = 1_795_451_400_000;
    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_day_is_a_day_of_the_readers_zone() {
        let shanghai = TimeZone::fixed(jiff::tz::offset(8));
        let check = |zone: &TimeZone, ms, en: &str, zh: &str| {
            assert_eq!(short(Lang::En, zone, NOW, ms), en);
            assert_eq!(short(Lang::Zh, zone, NOW, ms), zh);
        };
        check(&TimeZone::UTC, NOW - HOUR, "15:30", "15:30");
        check(&shanghai, NOW - HOUR, "yesterday", "昨天");
        check(&TimeZone::UTC, NOW - 48 * HOUR, "21 Nov", "11月21日");
        check(&TimeZone::UTC, NOW - 8_760 * HOUR, "2025-11-23", "2025-11-23");
    }

    #[test]
    fn headings_name_the_day() {
        let check = |ms, en: &str, zh: &str| {
            let that = day(&TimeZone::UTC, ms);
            assert_eq!(heading(Lang::En, &TimeZone::UTC, NOW, that), en);
            assert_eq!(heading(Lang::Zh, &TimeZone::UTC, NOW, that), zh);
        };
        check(NOW, "Today", "今天");
        check(NOW - 24 * HOUR, "Yesterday", "昨天");
        check(NOW - 48 * HOUR, "Saturday, 21 November", "11月21日 星期六");
        check(NOW - 8_760 * HOUR, "Sunday, 23 November 2025", "2025年11月23日 星期日");
    }

    #[test]
    fn any_number_is_some_time() {
        assert_eq!(exact(&TimeZone::UTC, u64::MAX), "1970-01-01T00:00:00+00:00");
        assert_eq!(exact(&TimeZone::UTC, NOW), "2026-11-23T16:30:00+00:00");
    }
}
