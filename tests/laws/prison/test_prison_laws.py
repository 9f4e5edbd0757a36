"""Over random sequences of all commands of prison finance: books conserve money, pending never exceeds funds, ADI's
debits are its credits and the authorised postings, and every authorised entry is in exactly one file."""

import sys
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sinks.adi import journal
from tests.laws import searched

from .rules import RULES
from .story import Story
from .teller import VERBS, opening

FILE_LINES = 8
"""So that a day of a prison often needs several files."""

dice = st.randoms(use_true_random=False)


@searched(examples=50, steps=40)
class Prison(RuleBasedStateMachine):
    """Each rule is a kind of thing that happens; what it is exactly, and to whom, is drawn by its dice."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(journal, "FILE_LINES", FILE_LINES)
        self.story = Story()
        opening(self.story)

    @rule(verb=st.sampled_from(["credit", "move"]), dice=dice)
    def money(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["buy", "buy", "lend", "submit", "submit", "authorise", "cancel"]), dice=dice)
    def shop(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["submit_batch", "authorise_batch", "cancel_batch", "deliver", "deliver"]), dice=dice)
    def batches(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["refund", "refund", "write_off"]), dice=dice)
    def afterwards(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["processed", "refused", "correct"]), dice=dice)
    def general_ledger(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["again", "other_content"]), dice=dice)
    def repetition(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["edit_prisoner", "edit_prison", "edit_officer", "edit_code"]), dice=dice)
    def reference_data(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @rule(verb=st.sampled_from(["wait", "payday"]), dice=dice)
    def time(self, verb: str, dice: Random) -> None:
        VERBS[verb](self.story, dice)

    @invariant()
    def books_conserve_money(self) -> None:
        self.story.books_stand_as_they_should()

    @invariant()
    def pending_never_exceeds_funds(self) -> None:
        self.story.nothing_is_overdrawn_and_pending_never_exceeds_funds()

    @invariant()
    def processes_stand_as_they_should(self) -> None:
        self.story.processes_stand_as_they_should()

    @invariant()
    def every_line_was_written_once(self) -> None:
        self.story.every_line_was_written_once()

    def teardown(self) -> None:
        """At a story's end: the files."""
        try:
            if sys.exc_info()[0] is None:
                self.story.end()
        finally:
            self.patch.undo()


@pytest.mark.requirement(*(f"PRI-{number:02}" for number in range(1, 14)))
class TestPrison(Prison.TestCase):  # type: ignore[name-defined,misc]
    pass


COMMANDS = {*RULES, "SubmitBatch", "AuthoriseBatch", "CancelBatch"}
BETWEEN_BOOKS = {"BatchedSubmit", "BatchedAuthorise", "BatchedCancel"}
REASONS = {
    "currency_mismatch", "unknown_prisoner", "unknown_supplier", "already_exists", "not_found", "wrong_state",
    "not_permitted", "no_advance_policy", "not_authorised", "no_gl_account", "over_limit", "insufficient_funds",
    "advance_too_large", "exceeds_purchase",
}  # fmt: skip


@pytest.fixture(scope="module")
def long_stories() -> Iterator[list[Story]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "FILE_LINES", FILE_LINES)
        yield [long_story(seed) for seed in (1, 2, 3, 4)]


def long_story(seed: int) -> Story:
    story, fortune = Story(), Random(seed)
    opening(story)
    verbs = sorted([*VERBS, *["again", "other_content"] * 4, *["buy", "refund"] * 2])
    for _ in range(400):
        VERBS[fortune.choice(verbs)](story, fortune)
    story.end()
    return story


@pytest.mark.requirement("PRI-10", "PRI-11", "PIPE-05")
def test_in_long_stories_every_command_is_accepted_refused_and_repeated(long_stories: list[Story]) -> None:
    outcomes = sum((story.outcomes for story in long_stories), Counter[tuple[str, str]]())
    for command in COMMANDS:
        assert outcomes[command, "accepted"], command
    for command in COMMANDS - BETWEEN_BOOKS:
        assert outcomes[command, "duplicate"], command
    for command in COMMANDS - BETWEEN_BOOKS - {"AuthoriseBatch"}:  # which says nothing but its id
        assert outcomes[command, "other_content_under_this_id"], command
    assert {reason for _, reason in outcomes} >= REASONS


@pytest.mark.requirement("PRI-11", "PRI-12", "PRI-13")
def test_the_files_of_long_stories_have_lines_of_every_kind(long_stories: list[Story]) -> None:
    lines = [line for story in long_stories for line in story.model.lines]
    files = [file for story in long_stories for file in story.cabinet.files]
    kinds = {line.transaction.partition("/")[0] for line in lines if "/" in line.transaction}
    assert kinds == {"refund", "repayment", "write-off"}
    assert any(line.corrects for line in lines)
    assert {line.account for line in lines} >= {"spends", "cash", "owed", "advance", "written_off", "supplier/BT"}
    assert {file.prison for file in files} == {"LEI", "MDI"}
    assert any(file.name.endswith("-2") for file in files)
