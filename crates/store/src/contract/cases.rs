//! The list of all cases, once: for the suite's own table, and for the tests that an implementation makes of it.

/// Makes a test of each case for the stores that a function of type [`Make`](crate::contract::Make) makes:
///
/// ```text
/// mod memory {
///     anser_store::store_contract!(tests of crate::make_memory);
/// }
/// ```
///
/// They are named like `memory::append::a_retry_gets_the_first_place_again`. The caller needs tokio with its macros.
#[macro_export]
macro_rules! store_contract {
    (tests of $make:path) => {
        $crate::store_contract! { @cases tests $make }
    };
    (table) => {
        $crate::store_contract! { @cases table }
    };

    (@tests $make:path { $($area:ident { $($case:ident)* })* }) => {
        $(mod $area {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::contract::run(concat!(stringify!($area), "::", stringify!($case)), $make).await;
            })*
        })*
    };
    // A case that is missing in the list below is dead code, which the compiler reports.
    (@table { $($area:ident { $($case:ident)* })* }) => {
        &[$($((concat!(stringify!($area), "::", stringify!($case)), |room| Box::pin($area::$case(room))),)*)*]
    };

    (@cases $to:ident $($make:path)?) => {
        $crate::store_contract! { @$to $($make)? {
            change {
                a_recalled_message_has_no_body_for_anybody
                changes_that_come_together_are_all_made
                an_edited_message_has_its_new_body_in_both_copies
                reactions_are_the_whole_set_of_each_user
                who_reacted_is_named_as_long_as_they_are_few
                a_silent_entry_takes_a_place_and_is_not_shown
                a_silent_entry_moves_no_marks_and_stamps_both_sessions
                ones_own_mark_over_a_silent_entry_tells_nobody_else
                a_silent_entry_leaves_the_last_message_of_the_list
                what_is_recalled_is_not_unread
                what_changes_nothing_makes_no_entry
                a_retry_of_a_change_gets_its_first_place
                a_retry_of_a_message_that_is_gone_gets_its_first_place
                another_change_under_a_known_client_msg_id_is_refused
                only_the_author_edits
                who_stands_above_the_author_recalls
                the_time_for_changes_ends
                a_message_is_edited_a_bounded_number_of_times
                different_emojis_are_bounded
                an_edit_of_what_was_changed_since_is_refused
                a_recalled_message_is_gone_for_edits_reactions_and_replies
                what_one_may_not_see_cannot_be_changed_or_answered
                an_own_message_is_named_by_its_client_msg_id
                a_page_tells_what_was_changed_before_it
                changed_messages_take_room_of_a_page
                a_page_tells_what_its_messages_answer
                a_newcomer_is_told_nothing_of_what_was_before
                silent_entries_take_no_places_of_a_page
                many_silent_entries_are_passed_over_in_few_pages
                who_is_blocked_takes_back_their_words_and_changes_nothing_else
                changes_outlive_reopening
            }
            pin {
                a_pin_is_a_notice_that_is_shown_and_does_not_count
                what_is_unpinned_is_not_listed
                who_pins_what_is_pinned_makes_no_entry
                a_retry_of_a_pin_gets_its_first_place
                a_recall_unpins_and_an_edit_does_not
                notices_and_silent_entries_cannot_be_pinned
                the_owner_and_admins_of_a_group_pin
                both_of_two_pin_unless_one_blocks_the_other
                pins_of_a_conversation_are_bounded
                pins_are_listed_to_who_sees_them
                pages_of_pins_lead_through_all
                a_page_tells_what_was_pinned_before_it
                pins_outlive_reopening
                who_sees_a_message_sees_who_reacted
                pages_of_reactions_lead_through_all
            }
            parts {
                an_edit_keeps_to_the_parts_of_the_messages_type
            }
            mention {
                who_is_named_finds_it_in_their_list_until_they_read_it
                a_message_comes_out_with_whom_it_names
                all_are_named_by_those_who_may
                who_is_named_with_all_is_named_once
                a_recall_takes_the_mentions_back
                an_edit_names_others_in_place_of_those_before
                an_added_mention_counts_for_who_has_not_read_the_message
                an_edit_names_all_anew_by_those_who_may
                what_is_put_away_names_nobody
                whom_one_blocked_names_one_in_vain
                mentions_that_do_not_count_are_shown_and_not_unread
                who_is_no_member_is_named_without_effect
                mentions_are_part_of_what_makes_a_retry_the_same
                what_is_changed_in_the_batch_in_which_it_was_sent_names_whom_it_names_then
                mentions_are_counted_up_to_a_bound
                mentions_outlive_reopening
            }
            append {
                ids_are_dense_in_the_order_of_the_batch
                ids_go_on_from_batch_to_batch
                batches_are_stored_in_the_order_in_which_they_were_called
                batches_of_many_tasks_are_dense_and_keep_each_senders_order
                a_large_batch_is_stored_whole
                a_batch_of_the_largest_bodies_is_stored_whole
                an_empty_batch_has_no_answers
                what_nobody_waits_for_any_more_is_not_stored
                a_message_comes_out_as_it_went_in
                a_retry_gets_the_first_place_again
                a_retry_within_the_batch_gets_the_first_place_again
                a_retry_after_reopening_gets_the_first_place_again
                a_retry_after_leaving_gets_the_first_place_again
                two_tasks_with_one_client_msg_id_get_one_place
                a_client_msg_id_is_one_message_per_conversation_and_sender
                client_msg_ids_that_differ_in_case_are_two
                another_body_under_a_known_client_msg_id_is_refused
                another_body_within_the_batch_is_refused
                who_is_no_party_is_refused
                who_is_no_member_is_refused
                a_batch_in_which_all_are_refused_is_answered_whole
                who_writes_while_he_is_removed_and_invited_writes_as_a_member
                a_peer_who_does_not_exist_is_not_found
                a_group_that_does_not_exist_is_like_one_of_others
                the_time_is_that_of_the_clock_and_never_goes_back
                the_time_never_goes_back_over_notices_and_reopening
                each_message_bears_the_number_of_counted_ones
                a_refusal_concerns_its_message_alone
                a_message_of_a_login_that_is_over_is_refused
                a_retry_by_a_login_that_is_over_gets_the_first_place_again
            }
            log {
                both_parties_see_all_of_a_one_to_one_conversation
                who_writes_to_himself_sees_each_message_once
                conversations_of_one_user_do_not_mix
                a_member_sees_what_was_appended_while_he_was_one
                an_owner_who_left_does_not_see_who_took_his_place
                who_joins_again_where_he_left_sees_each_message_once
                every_stretch_of_a_one_to_one_conversation_is_the_one_asked_for
                every_stretch_of_a_group_is_the_one_asked_for
                bounds_as_large_as_a_number_can_be_are_bounds
                a_page_ends_with_the_message_that_reaches_the_bytes
                pages_by_one_lead_through_the_whole_log
                the_head_is_the_last_that_the_reader_may_see
                a_conversation_in_which_nothing_was_said_is_empty
                what_one_may_not_see_cannot_be_told_from_what_is_not_there
                who_was_acknowledged_sees_his_message_while_others_write
            }
            mark {
                a_message_takes_its_senders_marks_along
                a_mark_moves_forward_and_never_back
                a_mark_beyond_the_head_stops_there
                the_read_mark_takes_the_delivered_mark_along
                unread_is_exactly_what_counts_behind_the_read_mark
                unread_leaves_out_what_was_said_before_and_after_ones_time
                who_was_a_member_may_still_mark_what_he_saw
                who_joins_again_has_nothing_unread
                unread_is_exact_through_leaving_and_joining_again
                a_read_mark_stamps_both_parties
                a_delivered_mark_stamps_the_peer_alone
                in_a_group_a_read_mark_stamps_its_user_alone
                a_mark_that_does_not_move_changes_nothing
                a_conversation_without_messages_has_nothing_to_mark
                who_never_was_a_party_or_member_cannot_mark
                marks_of_many_tasks_end_at_the_farthest
            }
            changes {
                a_one_to_one_message_takes_the_next_number_of_both_mailboxes
                each_message_of_a_batch_takes_its_own_number
                a_message_to_oneself_takes_one_number
                a_group_message_touches_no_mailbox
                every_change_takes_the_next_number
                positions_tell_the_digest_of_the_groups_and_their_heads
                an_unknown_user_has_no_positions
                changes_are_the_sessions_stamped_behind_since_in_order
                changes_end_exactly_where_nothing_is_behind
                a_page_that_ends_with_the_last_session_is_at_the_mailbox
                the_profile_comes_if_it_changed_behind_since
                a_since_beyond_the_mailbox_is_taken_for_0
                joining_and_leaving_are_changes
                pages_give_every_session_that_changed_while_others_write
                a_device_that_syncs_beside_many_writers_misses_nothing
                groups_with_another_head_have_moved
                groups_that_one_left_have_moved
                groups_of_others_are_left_out_of_those_that_moved
            }
            session {
                sessions_come_in_order_of_conversation_ids
                pages_of_sessions_lead_through_the_list
                a_page_of_sessions_begins_behind_what_is_not_in_the_list_too
                groups_that_one_left_are_in_the_list
                a_conversation_in_which_nothing_was_said_is_not_in_the_list
                what_is_not_in_the_list_is_not_found
                a_one_to_one_session_tells_of_the_other_party
                who_writes_to_himself_is_his_own_peer
                a_group_session_tells_of_the_group_and_ones_role
                the_first_that_one_may_see_stays_after_joining_again
                the_preview_is_of_the_last_message_that_one_may_see
                a_preview_is_cut_by_characters
                a_preview_goes_on_behind_a_zero_character
            }
            group {
                a_group_is_told_in_its_log
                the_creator_is_the_owner
                a_new_group_stamps_the_sessions_of_all
                the_creator_and_who_is_named_twice_count_once
                a_second_call_returns_the_first_group
                a_second_call_after_reopening_and_leaving_returns_the_first_group
                a_client_group_id_is_one_group_per_creator
                the_id_of_another_group_is_refused
                unknown_users_are_refused_as_first_members
                a_group_has_no_more_members_than_it_may
                a_user_has_no_more_groups_than_he_may
                others_take_a_part_of_a_users_groups_and_no_more
                whom_a_user_has_written_to_finds_a_place_whatever_strangers_do
                many_acquaintances_without_a_place_join_at_once
                who_answers_or_leaves_has_a_place_again_at_once
                who_joins_again_has_not_answered
                only_present_members_see_a_group_and_its_members
                pages_of_members_lead_through_all
                a_member_is_shown_as_the_user_he_is_now
                member_ids_are_the_present_members_and_where_each_joined_with_the_version
                the_version_goes_up_with_every_change_of_the_members
            }
            members {
                every_member_may_invite
                who_is_a_member_already_is_passed_over
                when_nobody_is_left_to_change_nothing_is_appended_and_nothing_stamped
                who_joins_does_not_see_what_was_said_before
                who_joins_again_joins_anew
                inviting_moves_nobody_elses_marks
                unknown_users_are_refused_by_an_invitation
                the_owner_may_remove_anyone
                nobody_may_remove_himself
                a_plain_member_may_remove_nobody
                a_member_may_leave
                when_the_owner_leaves_the_longest_standing_member_takes_his_place
                of_members_who_came_together_the_smallest_id_becomes_owner
                the_heir_of_a_group_is_not_disabled
                the_heir_takes_the_place_of_an_owner_who_is_disabled
                an_owner_who_is_enabled_before_somebody_took_his_place_keeps_it
                a_group_of_disabled_members_has_an_owner_too
                an_owner_who_comes_back_is_a_plain_member
                the_last_member_leaves_an_empty_group
                who_is_no_member_changes_no_members
                who_has_left_leaves_again_without_a_change
                notices_do_not_count_as_unread
                a_notice_takes_no_client_msg_id_from_its_operator
                one_invited_by_many_at_once_joins_once
            }
            roles {
                the_owner_alone_says_who_is_an_admin
                a_role_that_is_there_already_is_passed_over
                a_group_has_no_more_admins_than_it_may
                an_admin_removes_plain_members_alone
                the_owner_transfers_the_group_and_is_an_admin_then
                a_transfer_is_to_a_member_and_by_the_owner
                a_transfer_to_who_is_owner_changes_nothing
                a_transfer_makes_no_admin_too_many
                when_the_owner_leaves_the_longest_standing_admin_comes_first
                an_heir_who_is_disabled_comes_after_a_plain_member
                who_joins_again_is_a_plain_member
                of_transfers_at_once_each_rests_on_the_one_before
                a_group_has_one_owner_whatever_happens_at_once
            }
            speech {
                who_is_muted_writes_nothing_until_their_time_is_over
                a_retry_of_what_was_stored_before_a_mute_gets_the_first_place_again
                muting_acts_downwards_in_rank
                a_mute_that_is_there_already_is_passed_over
                who_is_muted_may_leave_and_read_and_invites_nobody
                who_becomes_owner_is_not_muted
                under_mute_all_the_owner_and_admins_alone_write
                member_ids_tell_who_may_not_speak
            }
            update {
                the_owner_and_admins_change_a_group
                one_notice_tells_what_is_other_than_before
                an_announcement_is_told_to_who_asks_for_the_group
                a_change_that_changes_nothing_is_told_nobody
                into_a_closed_group_members_invite_nobody
                of_changes_at_once_the_last_notice_is_how_it_is
            }
            bans {
                who_is_banned_is_removed_and_cannot_be_invited
                for_who_is_banned_it_is_as_if_the_group_were_not_there
                who_is_no_member_may_be_banned
                whoever_may_remove_may_ban
                pages_of_bans_lead_through_all
                a_group_has_a_bounded_number_of_bans
            }
            history {
                a_newcomer_sees_nothing_all_or_the_last_of_before
                a_later_change_of_the_setting_moves_nobody
                who_comes_back_sees_by_the_setting_of_then_and_each_message_once
                what_a_newcomer_sees_of_before_they_react_and_reply_to
                silent_entries_are_none_of_the_last_messages
            }
            requests {
                whom_a_member_names_waits_for_approval
                admins_put_users_in_where_members_propose
                the_second_answer_finds_what_the_first_one_did
                many_answers_at_once_let_each_in_once
                who_becomes_an_admin_while_some_wait_is_told
                who_is_banned_waits_no_more
                whom_the_proposer_may_not_put_there_any_more_does_not_join
                approval_bears_the_limit_of_members
                who_asks_by_a_link_is_told_with_their_words
                pages_of_requests_lead_through_all
                as_many_wait_as_may
            }
            crowd {
                all_who_oversee_are_told_and_all_who_wait_are_answered
                all_who_left_are_banned
                all_that_neither_of_two_sees_goes_with_what_stands_below_it
                much_that_is_put_away_at_once_is_counted_once
                many_of_the_largest_messages_change_at_once
            }
            links {
                who_comes_by_a_link_joins_by_themselves
                a_members_use_counts_nothing
                what_lets_nobody_in_looks_alike
                whoever_may_let_others_in_has_links
                a_group_has_as_many_living_links_as_it_may
                a_link_bears_the_limits_of_group_and_user
                of_fifty_at_once_as_many_join_as_the_link_says
                who_races_with_a_ban_or_the_end_is_judged_by_the_log
            }
            nickname {
                a_members_own_name_is_told_by_a_silent_entry
                a_page_tells_whose_own_names_changed_in_it
                a_retry_of_a_name_gets_its_first_place
                who_is_muted_or_no_member_keeps_the_name_they_have
            }
            dissolve {
                a_dissolved_group_ends_with_its_last_notice
                a_dissolved_group_is_read_and_marked_by_who_saw_it
                nobody_acts_in_a_dissolved_group
                whoever_dissolved_a_group_does_so_again_without_a_change
                a_dissolved_group_takes_no_place_of_a_user
                nobody_writes_behind_the_end_of_a_group
            }
            user {
                a_user_comes_out_as_he_went_in
                an_account_or_id_is_not_given_twice
                accounts_that_differ_in_case_are_two
                users_are_those_that_exist_each_once
                pages_of_users_lead_through_all
                a_profile_changes_what_is_named
                a_profile_without_a_difference_is_not_changed
                of_profiles_that_are_known_only_those_come_that_are_others_now
                a_password_is_kept_and_replaced
                a_disabled_user_keeps_his_data
                a_new_password_and_each_disabling_end_the_logins
                a_login_that_is_over_changes_nothing
                an_unknown_user_is_not_found
            }
            device {
                devices_come_last_seen_first
                a_device_that_changed_is_kept_as_it_is_now
                a_device_seen_again_on_the_same_day_is_not_written
                the_device_longest_unseen_is_forgotten
                a_device_just_seen_is_not_the_one_forgotten
                many_devices_are_forgotten_at_once
                a_device_of_nobody_is_not_found
                the_others_are_told_when_the_list_of_devices_is_another
                a_device_is_called_as_its_user_says
                what_a_revoked_device_still_says_is_not_stored
                a_revoked_device_comes_back_by_what_was_issued_later
                who_revokes_very_many_devices_loses_the_logins_of_before
            }
            lists {
                flags_are_changed_one_by_one_and_are_the_users_alone
                what_is_marked_unread_is_so_until_the_user_reads_writes_or_clears
                pinned_conversations_are_bounded
                a_cleared_log_begins_behind_the_last_that_was_cleared
                the_mark_of_a_clear_is_a_receipt_as_any_other
                a_removed_conversation_is_so_up_to_a_place
                a_hidden_message_is_on_no_page
                what_is_hidden_does_not_count_and_is_not_the_last
                thousands_of_hidden_messages_are_passed_over
                what_is_hidden_or_cleared_cannot_be_changed_or_answered
                a_message_that_neither_of_two_sees_is_known_when_it_comes_again
                who_left_puts_away_what_they_saw
                who_has_no_part_in_it_puts_nothing_away
                another_device_is_told_what_was_put_away
            }
            people {
                who_is_asked_may_accept
                who_asks_again_replaces_the_words
                two_who_ask_each_other_are_contacts
                whose_request_is_rejected_sees_it_as_open_and_asks_again_unheard_for_a_day
                whom_one_rejected_and_then_asks_is_a_contact
                a_request_taken_back_is_gone_for_both
                a_contact_that_one_removes_ends_for_both
                a_remark_is_its_users_alone
                what_is_not_there_is_not_found
                a_user_has_no_more_contacts_and_requests_than_they_may
                a_block_ends_the_contact_and_only_its_user_sees_it
                a_block_drops_requests_and_who_asked_sees_theirs_as_open
                while_a_block_stands_neither_writes_to_the_other
                a_block_before_the_first_word_holds_and_lists_nothing
                while_a_block_stands_marks_are_not_shown
                while_a_block_stands_neither_puts_the_other_into_a_group
                where_only_contacts_may_write_strangers_may_not
                after_any_order_of_block_unblock_add_and_remove_all_can_be_undone
                each_thing_that_changed_comes_once_as_it_is_now
                a_change_of_people_takes_the_next_numbers
                pages_of_contacts_and_blocks_lead_through_all
                settings_of_privacy_change_what_is_named
                who_may_put_somebody_into_a_group_is_theirs_to_say
                whoever_hides_their_read_marks_is_shown_none
                who_may_know_that_somebody_is_there_is_theirs_to_say
            }
            receipt {
                who_read_follows_from_the_marks
                the_audience_is_who_was_there_and_still_is
                members_ask_about_their_own_and_admins_about_all
                whoever_hides_their_marks_is_told_as_not_having_read
                in_a_large_group_nobody_is_told_who_read
            }
            life {
                everything_is_there_after_reopening
                another_store_has_another_log_id
                a_refused_batch_changes_nothing
                an_id_as_large_as_a_number_can_be_is_only_unknown
                a_dropped_append_is_stored_whole_or_not_at_all
                a_dropped_change_of_members_is_done_whole_or_not_at_all
                a_probe_changes_nothing
                stats_tell_what_was_stored
                after_closing_everything_is_refused
                closing_ends_the_work_that_was_taken
                a_wiped_sequencer_costs_attempts_and_never_a_hole
                a_sequencer_that_runs_ahead_costs_attempts_and_never_a_hole
                a_sequencer_that_falls_behind_costs_attempts_and_never_a_double
                a_sequencer_of_absurd_numbers_costs_attempts_and_never_a_hole
                a_sequencer_that_fails_costs_attempts_and_never_a_message
                the_sequencer_is_not_asked_of_logs_to_which_nothing_comes
            }
        } }
    };
}
