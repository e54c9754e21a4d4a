//! Tests of the rules of [`SessionStore`], for any implementation.

mod adoption;
mod first_use;
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

pub use self::{
    adoption::{
        adopted_sessions_continue_unchanged,
        an_adoption_is_remembered_until_the_sessions_have_to_end,
        one_of_fifty_concurrent_adoptions_takes_place, sessions_are_adopted_only_once,
        sessions_of_the_store_win_over_adopted_ones,
    },
    first_use::{a_message_is_used_once, one_of_fifty_concurrent_uses_is_the_first},
    limits::{
        a_list_is_no_longer_than_requested, a_list_skips_ended_sessions,
        a_login_beyond_the_limit_evicts_the_least_recently_refreshed_session,
        a_replaced_session_ends_before_any_is_evicted,
        a_thousand_revoked_tokens_leave_room_for_other_revocations,
        an_ended_session_does_not_count_towards_the_limit,
        fifty_concurrent_logins_with_a_limit_of_two_leave_two_sessions,
        on_a_tie_the_session_with_the_smaller_id_is_evicted,
        revoking_a_subject_ends_a_thousand_sessions,
    },
    lost_answers::{
        a_lost_answer_gives_the_same_pair_again,
        a_repetition_after_the_lost_answer_window_is_a_replay,
        a_repetition_after_the_successor_was_rotated_is_a_replay,
        parallel_tabs_share_a_lost_answer, repeating_the_same_attempt_wins_again,
        setting_the_clock_back_does_not_make_a_lost_answer, two_lost_answers_in_a_row_are_a_replay,
    },
    marks::{
        a_mark_and_a_concurrent_repetition_are_serialized,
        a_repetition_after_the_successor_was_presented_is_a_replay,
        marking_a_token_that_is_not_current_changes_nothing,
        marking_a_token_twice_changes_nothing_else,
    },
    races::{
        a_revocation_wins_over_concurrent_rotations, concurrent_logins_all_open_their_sessions,
        one_of_a_thousand_concurrent_rotations_wins,
        one_of_several_concurrent_revocations_ends_a_session,
    },
    revocation::{
        revocations_last_as_long_as_requested, revoking_a_session_ends_only_that_session,
        revoking_a_subject_ends_its_sessions_and_earlier_tokens,
        revoking_a_token_leaves_its_session_open,
    },
    rotation::{
        a_replay_after_the_grace_window_ends_the_session,
        a_retry_within_the_grace_window_gets_the_same_successor, a_session_expires,
        a_token_of_an_unknown_session_is_revoked,
        an_opened_session_is_listed_and_its_tokens_are_good,
        only_the_winning_rotation_changes_claims, setting_the_clock_back_revives_nothing,
        several_rotations_can_be_retried_within_the_grace_window,
        without_a_grace_window_every_retry_is_a_replay,
    },
    texts::texts_are_stored_unchanged,
};
use self::{
    adoption::{check_adoption, make_an_adoption},
    fixture::NOW,
    marks::{check_mark, make_a_mark},
    revocation::{check_changes, make_changes},
};
use super::SessionStore;

/// A store under test.
pub type Store = Arc<dyn SessionStore>;

/// Runs one test with a new store.
pub fn run<S, Fresh, Rule>(fresh: impl FnOnce() -> Fresh, rule: impl FnOnce(Store) -> Rule)
where
    S: SessionStore,
    Fresh: Future<Output = S>,
    Rule: Future<Output = ()>,
{
    System::new().block_on(async {
        let store = fresh().await;
        rule(Arc::new(store)).await;
    });
}

/// Runs the test for stores that survive a restart: acknowledged changes are there when the store
/// is opened again.
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
        let left = make_changes(Arc::clone(&store) as Store, NOW).await;
        make_a_mark(Arc::clone(&store) as Store).await;
        make_an_adoption(Arc::clone(&store) as Store).await;
        let store = Arc::try_unwrap(store).expect("nobody else has it");
        let store = Arc::new(reopen(store).await);
        check_changes(Arc::clone(&store) as Store, left, NOW).await;
        check_mark(Arc::clone(&store) as Store).await;
        check_adoption(store).await;
    });
}

/// Tests your own [`SessionStore`](crate::store::SessionStore) against its rules. The macro
/// generates a module with one `#[test]` for each rule.
///
/// The first expression creates an empty store in a `Future`, each time it is called. The optional
/// second expression is for stores that survive a restart. It takes a store, closes it, and opens
/// it again, if possible in the same way as after a crash.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{MemoryStore, store_conformance};
///
/// store_conformance!(memory_store, || async { MemoryStore::default() });
/// ```
///
/// A store without [`SessionStore::adopt`](crate::store::SessionStore::adopt) passes the tests about it,
/// because nothing can be moved into that store.
///
/// A store in which a rotated token can win again fails the test
/// `one_of_a_thousand_concurrent_rotations_wins`.
#[macro_export]
macro_rules! store_conformance {
    ($name:ident, $fresh:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "what the expression needs")]
            use super::*;
            $crate::store_conformance!(@rules $fresh,
                an_opened_session_is_listed_and_its_tokens_are_good
                a_token_of_an_unknown_session_is_revoked
                a_retry_within_the_grace_window_gets_the_same_successor
                several_rotations_can_be_retried_within_the_grace_window
                a_replay_after_the_grace_window_ends_the_session
                without_a_grace_window_every_retry_is_a_replay
                repeating_the_same_attempt_wins_again
                a_lost_answer_gives_the_same_pair_again
                parallel_tabs_share_a_lost_answer
                a_repetition_after_the_successor_was_rotated_is_a_replay
                a_repetition_after_the_successor_was_presented_is_a_replay
                a_repetition_after_the_lost_answer_window_is_a_replay
                two_lost_answers_in_a_row_are_a_replay
                setting_the_clock_back_does_not_make_a_lost_answer
                marking_a_token_twice_changes_nothing_else
                marking_a_token_that_is_not_current_changes_nothing
                a_mark_and_a_concurrent_repetition_are_serialized
                a_session_expires
                only_the_winning_rotation_changes_claims
                setting_the_clock_back_revives_nothing
                revoking_a_token_leaves_its_session_open
                revoking_a_session_ends_only_that_session
                revoking_a_subject_ends_its_sessions_and_earlier_tokens
                revocations_last_as_long_as_requested
                one_of_a_thousand_concurrent_rotations_wins
                a_revocation_wins_over_concurrent_rotations
                one_of_several_concurrent_revocations_ends_a_session
                concurrent_logins_all_open_their_sessions
                a_replaced_session_ends_before_any_is_evicted
                a_login_beyond_the_limit_evicts_the_least_recently_refreshed_session
                on_a_tie_the_session_with_the_smaller_id_is_evicted
                an_ended_session_does_not_count_towards_the_limit
                fifty_concurrent_logins_with_a_limit_of_two_leave_two_sessions
                a_list_is_no_longer_than_requested
                a_list_skips_ended_sessions
                revoking_a_subject_ends_a_thousand_sessions
                a_thousand_revoked_tokens_leave_room_for_other_revocations
                texts_are_stored_unchanged
                adopted_sessions_continue_unchanged
                sessions_are_adopted_only_once
                an_adoption_is_remembered_until_the_sessions_have_to_end
                sessions_of_the_store_win_over_adopted_ones
                one_of_fifty_concurrent_adoptions_takes_place
                a_message_is_used_once
                one_of_fifty_concurrent_uses_is_the_first
            );
        }
    };
    ($name:ident, $fresh:expr, $reopen:expr $(,)?) => {
        $crate::store_conformance!($name, $fresh);
        #[test]
        fn acknowledged_changes_survive_a_restart() {
            $crate::__private::conformance::run_reopened($fresh, $reopen);
        }
    };
    (@rules $fresh:expr, $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::__private::conformance::run($fresh, $crate::__private::conformance::$rule);
            }
        )*
    };
}
