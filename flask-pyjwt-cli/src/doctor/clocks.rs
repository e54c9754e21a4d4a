//! The clock of this machine, and those of other servers.

use time::{Duration, OffsetDateTime};

use super::report::{Check, Report, State};
use crate::times;

/// 2026-01-01: before this program was written.
const EARLIEST: i64 = 1_767_225_600;
/// 2100-01-01.
const LATEST: i64 = 4_102_444_800;
/// Clocks that are further apart refuse new tokens of each other.
const NOTICEABLE: Duration = Duration::seconds(2);
/// Clocks that are further apart cannot be meant.
const FAR: Duration = Duration::seconds(60);

/// Whether the local clock can be right.
pub(super) fn check_local(report: &mut Report) {
    let now = OffsetDateTime::now_utc();
    let text = format!("the clock of this machine shows {}", times::exact(now));
    let is_possible = (EARLIEST..LATEST).contains(&now.unix_timestamp());
    report.add(if is_possible {
        Check::new("clock", State::Ok, text)
    } else {
        Check::new("clock", State::Wrong, text).advice("set the clock, and keep it right with NTP")
    });
}

/// Compares the local clock, before and after the question, with that of another server.
pub(super) fn compare(
    report: &mut Report,
    whose: &str,
    before: OffsetDateTime,
    theirs: OffsetDateTime,
    after: OffsetDateTime,
) {
    // Anywhere between the two, there is no difference.
    let difference = if theirs < before {
        before - theirs
    } else if theirs > after {
        theirs - after
    } else {
        Duration::ZERO
    };
    let state = match difference {
        _ if difference > FAR => State::Wrong,
        _ if difference > NOTICEABLE => State::Weak,
        _ => State::Ok,
    };
    let apart = match difference.whole_seconds() {
        0 => "less than a second".to_owned(),
        _ => times::words(difference),
    };
    let text = format!("the clocks of this machine and of {whose} are {apart} apart");
    let check = Check::new("clock", state, text);
    report.add(if state == State::Ok {
        check
    } else {
        check.advice("synchronize both with NTP")
    });
}
