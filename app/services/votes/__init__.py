"""Votes: make one, answer it, list them, close and settle them, give all back."""

from app.services.votes.answering import Answered, cast_ballot
from app.services.votes.client import (
    ClientPage,
    ClientVote,
    OwnVotes,
    Wanted,
    get_for_client,
    list_for_client,
    own_for_client,
)
from app.services.votes.closing import close_due_votes, void_vote
from app.services.votes.counting import open_by_coin
from app.services.votes.keyed import cast_ballot_once, open_vote_once
from app.services.votes.listing import (
    SORTS,
    Stage,
    VoteCounts,
    VoteFilter,
    VotePage,
    list_votes,
    my_open_counts,
    vote_counts,
)
from app.services.votes.making import (
    Draft,
    StartPrice,
    find_twin,
    made_so_far,
    open_vote,
    start_price,
)
from app.services.votes.of_coin import CoinVotes, votes_on_coin
from app.services.votes.record import (
    Breakdown,
    MyVote,
    MyVotes,
    latest_results,
    my_breakdown,
    my_votes,
    results_before,
    streak,
    waiting_answers,
)
from app.services.votes.settling import (
    DueGroup,
    Evidence,
    due_groups,
    push_back,
    rested_since,
    settle_votes,
    witnessed_price,
)
from app.services.votes.showcase import showcase
from app.services.votes.views import VoteDetail, VoteView, get_vote, get_votes

__all__ = [
    "SORTS",
    "Answered",
    "Breakdown",
    "ClientPage",
    "ClientVote",
    "CoinVotes",
    "Draft",
    "DueGroup",
    "Evidence",
    "MyVote",
    "MyVotes",
    "OwnVotes",
    "Stage",
    "StartPrice",
    "VoteCounts",
    "VoteDetail",
    "VoteFilter",
    "VotePage",
    "VoteView",
    "Wanted",
    "cast_ballot",
    "cast_ballot_once",
    "close_due_votes",
    "due_groups",
    "find_twin",
    "get_for_client",
    "get_vote",
    "get_votes",
    "latest_results",
    "list_for_client",
    "list_votes",
    "made_so_far",
    "my_breakdown",
    "my_open_counts",
    "my_votes",
    "open_by_coin",
    "open_vote",
    "open_vote_once",
    "own_for_client",
    "push_back",
    "rested_since",
    "results_before",
    "settle_votes",
    "showcase",
    "start_price",
    "streak",
    "void_vote",
    "vote_counts",
    "votes_on_coin",
    "waiting_answers",
    "witnessed_price",
]
