//! What every store has to do, in small cases with names that say what is true.
//!
//! A store is put on a [`Bench`], and [`store_suite!`](crate::store_suite) makes a test of each case:
//!
//! ```ignore
//! hitherto_testkit::store_suite!(Subject::new(my_bench().await));
//! ```
//!
//! The expression makes a new, empty bench for each test. Where it gives an `Option` and that is `None`
//! (a server that was not fetched), the case is passed over.

mod bench;
pub mod folding;
pub mod notation;
mod subject;

pub mod append;
pub mod big;
pub mod clear;
pub mod credentials;
pub mod describe;
pub mod due;
pub mod due_list;
pub mod engine;
pub mod erase;
pub mod folds;
pub mod fork;
pub mod isolation;
pub mod leases;
pub mod once;
pub mod pages;
pub mod paging;
pub mod pop;
pub mod replace;
pub mod retention;
pub mod sessions;
pub mod spoiled;
pub mod stale;
pub mod summaries;
pub mod summary_life;
pub mod ttl;
pub mod unfolded;
pub mod usage;
pub mod users;
pub mod window;

mod together;

pub use bench::{Bench, Junk};
pub use subject::{Chat, Subject, new_id, once as once_key, record, records, secs, ttl as ttl_of, user};
pub use together::{Case, together};

/// One `#[tokio::test]` a case, in a module for each part of the contract.
#[macro_export]
macro_rules! store_suite {
    (@all $then:ident $bench:expr) => {
        $crate::store_suite! { @$then $bench =>
            append {
                numbers_begin_at_one_and_have_no_gaps
                every_session_numbers_its_own_messages
                what_is_read_is_what_was_appended
                a_record_equals_itself_after_a_round_trip
                concurrent_appends_never_interleave
                no_reader_sees_half_an_append
            }
            once {
                a_repeat_gets_the_first_receipt_and_stores_nothing
                a_key_that_stood_for_something_else_is_refused
                a_repeat_changes_no_settings
                concurrent_repeats_store_once
                only_a_repeat_may_be_accepted
                the_same_key_in_another_session_is_another_key
                keys_that_look_alike_are_apart
                a_key_is_forgotten_with_its_cleared_session
                a_key_does_not_outlive_its_expired_session
                a_key_takes_on_a_time_to_live_set_later
                a_key_is_known_after_its_messages_are_gone
                a_key_is_known_for_a_day
                a_key_lives_on_with_a_session_whose_clock_restarts
                a_key_lives_on_with_a_session_that_is_read
                a_key_lives_on_when_the_time_to_live_is_removed
            }
            window {
                turns_are_counted_from_the_end
                messages_are_rounded_up_to_whole_turns
                bytes_are_rounded_up_to_whole_turns
                tools_stay_in_their_turn
                a_turn_may_be_a_single_message
                what_comes_before_the_first_user_is_one_turn
                a_late_system_message_is_inside_its_turn
                deleting_a_user_message_merges_two_turns
                deleted_messages_do_not_count
                a_session_of_deleted_messages_has_an_empty_window
                an_unknown_session_reads_as_an_empty_one
                a_window_of_nothing_is_empty
                a_window_tells_the_bounds_of_the_session
                a_window_shows_edited_messages_in_their_places
            }
            paging {
                after_reads_forwards
                before_reads_backwards_and_gives_oldest_first
                the_edges_of_numbers_are_no_trouble
                deleted_places_are_in_a_page
                pages_begin_after_what_a_maximum_removed
                pages_give_everything_once
            }
            replace {
                an_edit_stands_in_the_place_of_the_original
                the_appended_record_is_what_stands_there
                a_stale_edit_changes_nothing
                an_edit_of_the_wrong_place_changes_nothing
                a_deleted_message_keeps_its_place
                deleted_stays_deleted
                a_deleted_number_is_not_given_again
                one_of_many_concurrent_edits_is_done
            }
            pop {
                a_message_is_taken_from_the_end
                a_turn_is_taken_whole
                what_comes_before_the_first_user_is_popped_last
                an_unknown_session_has_nothing_to_pop
                deleted_messages_at_the_end_are_passed_over
                a_popped_turn_gives_back_what_is_left_of_it
                popped_numbers_are_not_given_again
                what_is_popped_is_what_was_stored
                a_session_that_is_popped_empty_still_exists
                popping_nothing_changes_nothing
                no_message_is_popped_twice
            }
            fork {
                a_whole_session_is_copied
                a_session_is_copied_up_to_a_number
                a_copy_goes_its_own_way
                no_session_is_written_over
                an_emptied_session_is_not_written_over
                a_missing_session_cannot_be_copied
                a_number_that_the_session_has_not_is_an_error
                deleted_places_are_copied
                settings_are_copied
                the_clock_of_a_copy_begins_anew
                an_expired_session_is_neither_source_nor_obstacle
                one_of_many_concurrent_copies_is_made
                the_copy_of_a_session_keeps_a_maximum_of_its_own
            }
            clear {
                clearing_counts_the_messages
                clearing_twice_is_clearing_once
                an_emptied_session_has_no_messages_to_clear
                a_cleared_session_leaves_nothing
                a_session_after_a_clear_begins_at_one
                clearing_one_session_leaves_the_others
                one_of_many_concurrent_clears_counts
            }
            ttl {
                a_session_lives_on_by_default
                a_session_ends_when_its_time_has_run
                every_write_restarts_the_clock
                a_read_restarts_a_clock_of_that_kind
                a_read_leaves_other_clocks_alone
                describing_and_listing_restart_nothing
                an_absolute_clock_is_never_restarted
                repeating_an_absolute_ttl_leaves_its_clock
                setting_an_absolute_ttl_starts_its_clock
                an_append_may_change_the_ttl
                a_removed_ttl_is_gone
                an_expired_session_is_no_session
                an_append_after_expiry_begins_a_new_session
                an_absolute_clock_begins_anew_with_a_new_session
                no_key_outlives_its_session
                the_longest_ttl_is_kept
            }
            retention {
                whole_turns_go_oldest_first
                the_newest_turn_is_never_cut
                what_comes_before_the_first_user_goes_first
                deleted_messages_do_not_count
                every_append_keeps_to_the_maximum
                an_append_larger_than_the_maximum_is_cut_itself
                a_removed_maximum_is_gone
                a_raised_maximum_holds_from_then_on
                what_a_maximum_removed_is_gone
                a_maximum_beyond_all_counts_removes_nothing
            }
            describe {
                a_description_tells_everything
                an_unknown_session_has_no_description
                turns_are_counted_through_every_change
                the_size_follows_what_is_stored
                times_are_those_of_the_first_and_the_last_write
                metadata_is_kept_as_it_was_given
                an_unknown_session_cannot_be_configured
                a_store_that_works_says_so
            }
            sessions {
                the_newest_activity_comes_first
                every_write_is_activity
                a_repeat_is_no_activity
                equal_times_are_ordered_by_id
                a_prefix_is_taken_literally
                pages_give_every_session_once
                the_last_page_has_no_next
                a_place_holds_when_its_session_is_gone
                sessions_are_listed_with_their_descriptions
                expired_sessions_are_not_listed
                a_fork_is_listed
                a_session_is_listed_once
                sessions_are_counted
            }
            isolation {
                hostile_session_ids_never_meet
                tenants_and_memory_keys_never_meet
                one_tenant_cannot_change_anothers_session
                the_longest_names_work
            }
            spoiled {
                junk_is_no_message
                windows_pass_over_junk
                a_spoiled_user_message_begins_no_turn
                appending_goes_on_after_junk
                popping_leaves_junk_where_it_is
                junk_counts_as_a_message
                junk_is_not_replaced
                a_fork_keeps_junk
                a_session_of_junk_is_a_session
                a_maximum_passes_over_junk
            }
            big {
                a_thousand_messages_in_one_append
                a_message_of_a_mebibyte
                ten_thousand_messages
                a_large_session_is_cleared_whole
                payloads_come_back_byte_for_byte
                every_character_comes_back
                long_settings_come_back
                a_long_run_of_deleted_messages
            }
            summaries {
                a_session_begins_without_a_summary
                what_is_committed_is_what_is_read
                a_commit_expects_what_stands_there
                the_version_before_is_the_one_that_is_given
                one_of_many_concurrent_commits_is_done
                a_summary_covers_no_more_than_the_session_has
                an_unknown_session_gets_no_summary
                a_commit_is_no_activity
                an_append_leaves_the_summary_alone
                a_summary_outlives_the_messages_that_a_maximum_removes
                the_summary_and_the_slice_are_of_one_moment
                reading_a_summary_restarts_a_clock_of_that_kind
                summaries_of_two_tenants_never_meet
            }
            stale {
                a_change_of_a_covered_message_makes_a_summary_stale
                a_pop_of_a_covered_message_makes_a_summary_stale
                a_change_that_is_not_made_makes_nothing_stale
                without_a_summary_nothing_is_stale
                the_next_commit_says_whether_it_is_stale
                a_stale_session_is_put_on_the_due_list
            }
            summary_life {
                a_copy_has_the_summary_of_the_original
                a_copy_drops_a_summary_of_more_than_it_has
                a_copy_is_due_as_its_original_is
                a_copy_is_folded_by_nobody
                a_copy_has_the_policy_of_the_original
                a_cleared_session_leaves_no_summary
                a_summary_ends_with_its_session
                a_fold_does_not_outlive_its_session
                a_policy_is_kept_as_it_was_given
            }
            leases {
                a_lease_is_held_by_one
                every_session_has_a_lease_of_its_own
                a_lease_is_for_the_expected_summary
                the_holder_lengthens_its_lease
                one_of_many_concurrent_begins_holds_the_lease
                a_commit_needs_its_lease
                a_lease_that_nobody_took_over_still_commits
                a_commit_keeps_the_lease
                a_commit_by_hand_needs_no_lease
                failures_are_counted
                a_fold_is_no_activity
            }
            folds {
                appends_never_spoil_a_fold
                a_change_of_what_is_folded_spoils_the_fold
                a_change_of_newer_messages_spoils_nothing
                a_change_of_what_the_summary_covers_spoils_the_fold
                a_spoiled_fold_stays_spoiled
                a_new_holder_starts_afresh
                a_lease_may_reach_further
                a_fold_in_pieces_ends_where_it_should
            }
            due {
                a_session_of_so_many_turns_is_due
                a_session_of_so_many_bytes_is_due
                what_is_not_summarised_is_never_due
                what_is_covered_does_not_count
                a_summary_of_more_than_there_is_covers_all
                a_stale_session_is_due_at_the_next_append
                a_repeat_is_not_due
                a_session_may_have_a_hint_of_its_own
                what_a_maximum_removes_counts_on_neither_side
            }
            due_list {
                a_due_session_comes_to_the_list
                a_session_is_given_when_it_is_due
                the_longest_due_comes_first
                a_claimed_session_is_given_again_when_its_claim_has_ended
                a_claim_is_settled
                a_mark_makes_a_session_due_sooner_and_never_later
                a_mark_after_a_claim_survives_settling
                a_change_after_a_claim_survives_settling
                what_another_has_claimed_is_not_settled
                sessions_of_all_scopes_are_on_the_list
                concurrent_claims_give_each_session_once
                what_waits_is_counted
                what_is_gone_can_be_marked_and_settled
                an_append_after_a_clear_marks_again
            }
            unfolded {
                everything_after_the_watermark_comes
                the_turns_that_are_asked_for_come
                no_more_comes_than_the_bound_allows
                a_bound_inside_a_turn_is_rounded_up
                a_watermark_inside_a_turn_brings_the_whole_turn
                what_comes_before_the_first_user_comes_whole
                without_turns_only_what_is_not_covered_comes
                deleted_messages_are_passed_over
                what_a_maximum_removed_does_not_come
                a_long_rest_comes_whole
                an_unknown_session_has_nothing_unfolded
            }
            engine {
                an_append_and_its_window_agree
                a_repeated_append_gets_the_first_ids
                more_tells_of_what_a_window_leaves_out
                an_edit_changes_what_it_names
                a_message_with_its_own_time_is_edited_and_deleted
                missing_messages_say_so
                concurrent_edits_all_succeed
                a_pop_gives_back_messages
                limits_are_held_before_anything_is_stored
                values_that_mean_nothing_are_refused
                the_engine_keeps_times_to_live
            }
            users {
                the_first_append_gives_a_session_its_user
                another_user_is_refused_and_nothing_is_stored
                a_session_without_a_user_takes_the_first
                a_repeat_gives_no_user
                a_copy_has_the_user_of_the_original
                a_user_ends_with_its_session
                one_of_many_concurrent_users_has_the_session
                sessions_are_listed_by_user
                pages_give_every_session_of_a_user_once
                a_list_of_a_user_is_of_one_scope
                what_has_ended_is_on_no_users_list
                hostile_users_never_meet
            }
            erase {
                everything_of_a_user_goes
                erasing_twice_is_erasing_once
                it_goes_under_every_memory_key_and_in_no_other_tenant
                what_is_appended_afterwards_is_a_new_session
                many_sessions_go_in_pieces
                a_large_session_goes_whole
                a_session_goes_whole_or_stays_whole
                a_fold_brings_no_summary_back
                folding_and_erasing_at_once_leaves_nothing
                a_session_that_changed_hands_stays
            }
            usage {
                it_counts_what_there_is
                it_counts_under_every_memory_key
                it_counts_many_sessions_once
            }
            pages {
                a_page_is_full_and_says_whether_there_is_more
                a_page_of_nothing_is_empty
                pages_cross_long_runs_of_deleted_messages
                a_page_of_deleted_messages_is_empty
                unreadable_places_are_counted
                pages_count_each_unreadable_place_once
                pages_begin_after_what_a_maximum_removed
            }
            credentials {
                a_credential_is_found_by_its_token
                no_credential_is_put_over_another
                a_store_knows_whether_it_has_any
                a_revoked_credential_stays_revoked
                pages_give_every_credential
            }
        }
    };
    (@modules $bench:expr => $($module:ident { $($case:ident)* })*) => {
        $(mod $module {
            #[allow(unused_imports)]
            use super::*;
            $crate::store_suite! { @cases $module $bench => $($case)* }
        })*
    };
    (@cases $module:ident $bench:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let subject: Option<$crate::suite::Subject> = ($bench).into();
            if let Some(subject) = subject {
                $crate::suite::$module::$case(subject).await;
            }
        })*
    };
    // All cases as a list of `Case`s.
    (@table $bench:expr => $($module:ident { $($case:ident)* })*) => {
        vec![$($($crate::suite::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |subject| Box::pin($crate::suite::$module::$case(subject)),
        },)*)*]
    };
    ($bench:expr) => {
        $crate::store_suite! { @all modules $bench }
    };
}

#[cfg(test)]
mod tests {
    /// A case that nobody calls is no test, and the compiler says nothing.
    #[test]
    fn every_case_is_in_the_suite() {
        let suite = include_str!("suite.rs");
        for (module, source) in [
            ("append", include_str!("suite/append.rs")),
            ("once", include_str!("suite/once.rs")),
            ("window", include_str!("suite/window.rs")),
            ("paging", include_str!("suite/paging.rs")),
            ("replace", include_str!("suite/replace.rs")),
            ("pop", include_str!("suite/pop.rs")),
            ("fork", include_str!("suite/fork.rs")),
            ("clear", include_str!("suite/clear.rs")),
            ("ttl", include_str!("suite/ttl.rs")),
            ("retention", include_str!("suite/retention.rs")),
            ("describe", include_str!("suite/describe.rs")),
            ("sessions", include_str!("suite/sessions.rs")),
            ("isolation", include_str!("suite/isolation.rs")),
            ("spoiled", include_str!("suite/spoiled.rs")),
            ("big", include_str!("suite/big.rs")),
            ("summaries", include_str!("suite/summaries.rs")),
            ("stale", include_str!("suite/stale.rs")),
            ("summary_life", include_str!("suite/summary_life.rs")),
            ("leases", include_str!("suite/leases.rs")),
            ("folds", include_str!("suite/folds.rs")),
            ("due", include_str!("suite/due.rs")),
            ("due_list", include_str!("suite/due_list.rs")),
            ("unfolded", include_str!("suite/unfolded.rs")),
            ("engine", include_str!("suite/engine.rs")),
            ("pages", include_str!("suite/pages.rs")),
            ("credentials", include_str!("suite/credentials.rs")),
        ] {
            let (_, list) = suite.split_once(&format!(" {module} {{")).unwrap();
            let (list, _) = list.split_once('}').unwrap();
            let listed: Vec<_> = list.split_whitespace().collect();
            let written: Vec<_> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once("(on: Subject)"))
                .map(|(name, _)| name)
                .collect();
            assert_eq!(listed, written, "the cases of suite/{module}.rs");
        }
    }
}
