"""Every row of the contract and the test that holds it, by the names that rows have there."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent

#: A: the main server. Rules of transport, objects, endpoints in the order of the table.
MAIN = {
    "A1 slash": "test_a1_both_slash_forms_are_answered_directly",
    "A1 authentication": "test_route_answers_everybody_as_the_matrix_says",
    "A1 unauthenticated": "test_a1_strangers_are_told_to_sign_in",
    "A1 validation error": "test_a1_question_that_cannot_be_is_told_by_field",
    "A1 not found": "test_a3_one_coin_is_told_or_404",
    "A1 timestamps": "test_a1_vote_times_are_korean_without_offset",
    "A1 CORS": "test_every_answer_names_the_exact_origin",
    "A1 CSRF": "test_a1_csrf_header_is_taken_and_not_asked_for",
    "A2 coin": "test_a3_one_coin_is_told_or_404",
    "A2 vote": "test_a2_vote_has_every_field_of_the_contract",
    "A2 user": "test_a2_user_is_told_with_the_contracts_names",
    "A3 auth": "test_a3_code_signs_a_new_person_up_and_a_known_one_in",
    "A3 verify": "test_a3_verify_tells_a_missing_header_from_a_bad_token",
    "A3 refresh": "test_a3_refresh_of_a_bad_token_is_401_and_of_none_400",
    "A3 user": "test_a2_user_is_told_with_the_contracts_names",
    "A3 check": "test_a3_nickname_check_of_a_taken_one_is_409_with_a_plain_text",
    "A3 nickname": "test_a3_rename_to_what_cannot_be_is_told_in_a_list",
    "A3 created": "test_a3_own_lists_count_all_whatever_is_asked_for",
    "A3 participated": "test_a3_participated_votes_are_those_one_answered",
    "A3 votes": "test_a3_list_is_newest_first_without_settled_ones",
    "A3 create": "test_a3_too_few_points_are_told_as_uploader_and_participant",
    "A3 vote": "test_a2_settled_vote_tells_price_and_whether_the_crowd_was_right",
    "A3 choice": "test_a3_answer_is_given_back_and_counted",
    "A3 acc-percent": "test_a3_accuracy_of_all_is_a_text_with_one_decimal",
    "A3 coins": "test_a3_coins_need_no_token_and_are_found_by_part",
    "A3 coin": "test_a3_one_coin_is_told_or_404",
    "C coins": "test_c_tracker_tells_prices_in_the_coin_services_shape",
    "C coin_code": "test_c_tracker_picks_codes_and_leaves_out_unknown_ones",
}  # fmt: skip
#: E: what is held where the rule is, and not by a test of the API that bears the row's number.
ELSEWHERE = {
    9: "services/test_identities.py::test_e09_numbered_nickname_that_is_taken_is_passed_by",
    14: "exchanges/test_upbit.py::test_listings_are_the_krw_markets_with_their_warnings",
    16: "jobs/test_minute.py::test_late_run_settles_as_a_punctual_one_would",
    17: "services/test_votes_settling.py::test_candle_of_another_time_is_refused",
    31: "api/test_kakao.py::test_e31_kakao_that_is_down_leaves_no_half_account",
    34: "test_config.py::test_setting_that_cannot_be_is_one_line_that_names_it",
    36: "services/test_points_audit.py::test_books_of_real_deeds_are_right",
    40: "test_config.py::test_defaults_are_the_real_thing_on_this_machine_alone",
}


def source(name: str) -> str:
    return (TESTS / name).read_text("utf-8")


def test_every_row_of_the_main_server_and_the_coin_service_has_its_test() -> None:
    files = [*(TESTS / "api").glob("test_*.py"), TESTS / "security" / "test_matrix.py"]
    there = "".join(file.read_text("utf-8") for file in files)

    assert [row for row, test in MAIN.items() if f"def {test}(" not in there] == []


def test_every_sensitive_spot_has_its_test() -> None:
    there = source("api/test_sensitive_spots.py")

    assert [row for row in range(1, 16) if f"def test_d2_{row:02}_" not in there] == []


def test_every_defect_is_shown_to_be_absent() -> None:
    there = source("api/test_defects.py")
    rows = set(range(1, 41)) - set(ELSEWHERE)

    assert [row for row in rows if f"def test_e{row:02}_" not in there] == []
    for path, _, test in (name.partition("::") for name in ELSEWHERE.values()):
        assert f"def {test}(" in source(path)
