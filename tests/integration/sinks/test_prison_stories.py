"""Stories of prison finance on three partitions, through Kafka and the ADI sink: each authorised entry in one file."""

from random import Random

import pytest

from schemas.general_ledger import CorrectLines, LineRefusal, LinesProcessed, LinesRefused
from tests.integration.sinks.world import PARTITIONS, World
from tests.laws.prison import files
from tests.laws.prison.cabinet import Authorised, check
from tests.laws.prison.naive import DAY_US, london
from tests.laws.prison.story import Story
from tests.laws.prison.teller import VERBS, opening

VERBS_OF_A_DAY = ["credit", "move", "submit", "buy", "buy", "buy", "authorise", "cancel", "refund", "write_off",
                  "submit_batch", "authorise_batch", "deliver", "again", "other_content", "edit_prisoner",
                  "edit_code"]  # fmt: skip


class Partition:
    """A story whose lines and closings go to one partition of the topic."""

    def __init__(self, number: int, seed: int) -> None:
        self.number, self.dice = number, Random(1_000 * seed + number)
        self.story = Story(tuple(f"{letter}{number}" for letter in "ABC"), first_code=1_000 * (number + 1))
        self._posted = 0
        opening(self.story)

    def days_pass(self, days: int) -> None:
        for _ in range(days):
            for _ in range(12):
                VERBS[self.dice.choice(VERBS_OF_A_DAY)](self.story, self.dice)
            self.story.wait(DAY_US)

    def post(self, world: World) -> None:
        """What the room has written since."""
        news = self.story.records[self._posted :]
        self._posted += len(news)
        world.post(*((self.number, record) for record in news))

    def hear_of(self, world: World) -> None:
        """The general ledger refuses every third transaction that it got; some are corrected, most are not refused."""
        filed = {row[0] for row in world.query("select line_id from sink.adi_line where status = 'filed'")}
        for who, transaction in list(self.story.model.transactions):
            lines = tuple(line.id for line in self.story.model.transactions[who, transaction]["open"])
            if not lines or not filed.issuperset(lines):
                continue
            name = {"prisoner_id": who, "transaction_id": transaction, "file": self.story.fresh("file")}
            if self.dice.random() < 0.33:
                self.story.send(LinesRefused(**name, reasons=(LineRefusal(line_id=lines[0], reason="closed"),)))
                _mark(world, "refused", lines)
                if self.dice.random() < 0.7:
                    correction = self.story.fresh("K")
                    self.story.send(CorrectLines(correction_id=correction, prisoner_id=who, transaction_id=transaction))
            elif self.dice.random() < 0.7:
                self.story.send(LinesProcessed(**name, line_ids=lines))
                _mark(world, "processed", lines)


def _mark(world: World, status: str, lines: tuple[str, ...]) -> None:
    """As the upload does with what the general ledger says."""
    world.query("update sink.adi_line set status = %s where line_id = any(%s)", status, list(lines))


@pytest.mark.requirement("PRI-10", "PRI-11")
@pytest.mark.parametrize("seed", [1, 2])
def test_every_authorised_entry_is_in_exactly_one_file_whichever_partition_it_came_from(
    world: World, seed: int
) -> None:
    partitions = [Partition(number, seed) for number in range(PARTITIONS)]
    for _ in range(3):
        for partition in partitions:
            partition.days_pass(2)
            partition.story.wait(2 * DAY_US)
            partition.post(world)
        world.run("adi")
        for partition in partitions:
            partition.hear_of(world)
    for partition in partitions:
        partition.story.end()
    last = max(partition.story.now for partition in partitions)
    for partition in partitions:
        partition.story.wait(last - partition.story.now + DAY_US)
        assert partition.story.model.open_day > london(last)
        partition.post(world)
    world.run("adi")

    assert world.query("select problem from sink.parked") == []
    found = files.read(world.files())
    stories = [partition.story for partition in partitions]
    lines = [line for story in stories for line in story.model.lines]
    assert any(line.corrects for line in lines)
    check(found, lines, _all(stories), {code: of for story in stories for code, of in story.edit.account_of.items()})
    assert world.differences("adi") == []


def _all(stories: list[Story]) -> Authorised:
    every = Authorised()
    for story in stories:
        every.sums.update(story.authorised.sums)  # whose prisoners are others
        every.debits += story.authorised.debits
        every.paid |= story.authorised.paid
        every.voided |= story.authorised.voided
    return every
