//! The laws of [`SessionStore`], as tests that any implementation can run.

mod fixture;
mod limits;
mod lost_answers;
mod marks;
mod races;
mod revocation;
mod rotation;
mod texts;

use std::{fmt, future::Future, sync::Arc};

use actix_web::rt::System;

use self::{
    fixture::NOW,
    marks::{is_marked_still, leave_a_mark},
    revocation::{is_all_there, leave_something},
};
pub use self::{
    limits::{
        a_list_has_every_live_session_beside_those_that_have_ended,
        a_list_is_no_longer_than_it_is_asked_for,
        a_session_that_is_replaced_makes_room_before_any_other,
        a_subject_with_many_sessions_is_revoked_like_one_with_few, an_ended_session_takes_no_place,
        fifty_openings_at_once_with_a_limit_of_two_leave_two,
        of_sessions_refreshed_at_the_same_time_the_lesser_ids_end_first,
        of_too_many_sessions_those_refreshed_the_longest_ago_end,
        revoking_many_tokens_of_one_subject_leaves_room_for_every_other_revocation,
    },
    lost_answers::{
        a_clock_that_is_set_back_makes_no_lost_answer, a_lost_answer_gives_the_same_pair_again,
        a_pair_whose_refresh_token_was_used_is_no_lost_answer,
        after_the_window_nothing_is_a_lost_answer, parallel_tabs_share_a_lost_answer,
        the_same_attempt_again_wins_again, two_lost_answers_in_a_row_are_a_replay,
    },
    marks::{
        a_mark_and_a_repetition_at_the_same_time_are_one_after_the_other,
        a_mark_is_made_once_and_changes_nothing_else,
        a_mark_of_a_token_that_is_not_current_changes_nothing,
        a_pair_of_which_a_token_was_presented_is_no_lost_answer,
    },
    races::{
        a_revocation_wins_against_a_rotation_at_the_same_time,
        of_a_thousand_rotations_at_once_one_wins,
        sessions_that_open_at_the_same_time_are_all_there,
    },
    revocation::{
        a_revoked_session_is_gone_and_nothing_else,
        a_revoked_subject_has_no_session_and_no_earlier_token, a_revoked_token_is_revoked_alone,
        revocations_are_kept_as_long_as_they_say,
    },
    rotation::{
        a_clock_that_is_set_back_brings_nothing_to_life,
        a_replay_after_the_grace_window_ends_the_session,
        a_retry_within_the_grace_window_gets_the_same_successor, a_session_ends_by_itself,
        a_token_of_no_known_session_is_revoked,
        a_whole_line_can_be_retried_within_the_grace_window, an_opened_session_is_there,
        claims_change_only_by_the_rotation_that_wins,
        without_a_grace_window_every_retry_is_a_replay,
    },
    texts::texts_come_back_as_they_were,
};
use super::SessionStore;

/// A store under test.
pub type Store = Arc<dyn SessionStore>;

/// Runs one law on a store that was made for it.
pub fn run<S, Fresh, Law>(fresh: impl FnOnce() -> Fresh, law: impl FnOnce(Store) -> Law)
where
    S: SessionStore,
    Fresh: Future<Output = S>,
    Law: Future<Output = ()>,
{
    System::new().block_on(async {
        let store = fresh().await;
        law(Arc::new(store)).await;
    });
}

/// Runs the law about stores that outlive their process: what was acknowledged is there when the
/// store is opened again.
pub fn run_reopened<S, Fresh, Reopened>(
    fresh: impl FnOnce() -> Fresh,
    reopen: impl FnOnce(S) -> Reopened,
) where
    S: SessionStore + fmt::Debug,
    Fresh: Future<Output = S>,
    Reopened: Future<Output = S>,
{
    System::new().block_on(async {
        let store = Arc::new(fresh().await);
        let left = leave_something(Arc::clone(&store) as Store, NOW).await;
        leave_a_mark(Arc::clone(&store) as Store).await;
        let store = Arc::try_unwrap(store).expect("nobody else has it");
        let store = Arc::new(reopen(store).await);
        is_all_there(Arc::clone(&store) as Store, left, NOW).await;
        is_marked_still(store).await;
    });
}

/// Tests a [`SessionStore`](crate::store::SessionStore) against its laws: each is one `#[test]` in a module of the
/// name given.
///
/// The first expression makes an empty store, each time it is called, in a `Future`. The second one,
/// for stores that outlive their process, takes a store, closes it and opens it again: as a crash
/// would, if it can.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{MemoryStore, store_conformance};
///
/// store_conformance!(memory_store, || async { MemoryStore::default() });
/// ```
///
/// A store that lets a rotated token win again does not pass:
/// `of_a_thousand_rotations_at_once_one_wins` fails.
#[macro_export]
macro_rules! store_conformance {
    ($name:ident, $fresh:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "what the expression needs")]
            use super::*;
            $crate::store_conformance!(@laws $fresh,
                an_opened_session_is_there
                a_token_of_no_known_session_is_revoked
                a_retry_within_the_grace_window_gets_the_same_successor
                a_whole_line_can_be_retried_within_the_grace_window
                a_replay_after_the_grace_window_ends_the_session
                without_a_grace_window_every_retry_is_a_replay
                the_same_attempt_again_wins_again
                a_lost_answer_gives_the_same_pair_again
                parallel_tabs_share_a_lost_answer
                a_pair_whose_refresh_token_was_used_is_no_lost_answer
                a_pair_of_which_a_token_was_presented_is_no_lost_answer
                after_the_window_nothing_is_a_lost_answer
                two_lost_answers_in_a_row_are_a_replay
                a_clock_that_is_set_back_makes_no_lost_answer
                a_mark_is_made_once_and_changes_nothing_else
                a_mark_of_a_token_that_is_not_current_changes_nothing
                a_mark_and_a_repetition_at_the_same_time_are_one_after_the_other
                a_session_ends_by_itself
                claims_change_only_by_the_rotation_that_wins
                a_clock_that_is_set_back_brings_nothing_to_life
                a_revoked_token_is_revoked_alone
                a_revoked_session_is_gone_and_nothing_else
                a_revoked_subject_has_no_session_and_no_earlier_token
                revocations_are_kept_as_long_as_they_say
                of_a_thousand_rotations_at_once_one_wins
                a_revocation_wins_against_a_rotation_at_the_same_time
                sessions_that_open_at_the_same_time_are_all_there
                a_session_that_is_replaced_makes_room_before_any_other
                of_too_many_sessions_those_refreshed_the_longest_ago_end
                of_sessions_refreshed_at_the_same_time_the_lesser_ids_end_first
                an_ended_session_takes_no_place
                fifty_openings_at_once_with_a_limit_of_two_leave_two
                a_list_is_no_longer_than_it_is_asked_for
                a_list_has_every_live_session_beside_those_that_have_ended
                a_subject_with_many_sessions_is_revoked_like_one_with_few
                revoking_many_tokens_of_one_subject_leaves_room_for_every_other_revocation
                texts_come_back_as_they_were
            );
        }
    };
    ($name:ident, $fresh:expr, $reopen:expr $(,)?) => {
        $crate::store_conformance!($name, $fresh);
        #[test]
        fn what_was_acknowledged_is_there_when_it_is_opened_again() {
            $crate::__private::conformance::run_reopened($fresh, $reopen);
        }
    };
    (@laws $fresh:expr, $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $crate::__private::conformance::run($fresh, $crate::__private::conformance::$law);
            }
        )*
    };
}
