"""What `verify` compares of the uploads: each line's status with its file's and with what was told of it, and what was
told with what Kafka has (BEY-02)."""

from collections.abc import Iterator

from schemas.codec import Codec
from schemas.topics import Topic
from sinks import told
from sinks.database import Connection
from sinks.general_ledger import outbox, tables
from sinks.progress import Say, unheard

_STATUS = """
  select line_id, line.status,
    coalesce(upload.state, case when file is null then 'in no file' else 'waiting' end) as state
  from sink.adi_line as line left join sink.upload on upload.lines_of = line.file
"""
_POSSIBLE = """
  (values ('in no file', 'appended'), ('waiting', 'filed'), ('sending', 'uploaded'), ('in doubt', 'uploaded'),
    ('accepted', 'processed'), ('accepted in part', 'processed'), ('accepted in part', 'refused'),
    ('accepted in part', 'reversed'), ('refused', 'refused'), ('refused', 'reversed')) as possible (state, status)
"""
_TOLD = """
  select line.line_id, case line.status when 'reversed' then 'refused' else line.status end as status,
    count(told.line_id) as times, min(told.outcome) as outcome
  from sink.adi_line as line
  left join (select each->>'line_id' as line_id, outcome
    from sink.acknowledgement, jsonb_array_elements(lines) as each) as told using (line_id)
  where line.status in ('processed', 'refused', 'reversed') or told.line_id is not null
  group by 1, 2
"""


def differences(connection: Connection) -> Iterator[str]:
    """In sentences; none, if every line has had one fate, its transaction's, everybody concerned was told of it, and
    corrections match.

    Workers may go on meanwhile: each comparison is one statement, and so looks at one moment.
    """
    for line_id, status, state in connection.execute(
        f"select line_id, status, state from ({_STATUS}) as found"
        f" where (state, status) not in (select * from {_POSSIBLE}) order by 1"
    ):
        yield f"line {line_id} is {status}, but its file is {state}"
    for line_id, status, times, outcome in connection.execute(
        f"select * from ({_TOLD}) as found where times <> 1 or outcome <> status order by 1"
    ):
        yield f"line {line_id} is {status}, and was told {times} times ({outcome or 'never'})"
    for prisoner_id, transaction_id, file in connection.execute(
        "select prisoner_id, transaction_id, file from sink.adi_line"
        " where status in ('processed', 'refused', 'reversed') group by 1, 2, 3"
        " having bool_or(status = 'processed') and bool_or(status <> 'processed') order by 1, 2, 3"
    ):
        yield f"transaction {prisoner_id}/{transaction_id} is processed in part, and refused in part, in {file}"
    for (line_id,) in connection.execute(
        "select line_id from sink.adi_line as line where (status = 'reversed')"
        " <> exists (select from sink.adi_line as other where other.corrects = line.line_id) order by 1"
    ):
        yield f"line {line_id} is reversed without a line in its place, or has one and is not"


def untold(connection: Connection, codec: Codec, kafka: str, topic: Topic, say: Say = unheard) -> Iterator[str]:
    """Where Kafka does not say what the tables do, in sentences: every acknowledgement that is marked as published is
    there, as it was given, and no other. Raises `KafkaUnavailable`.

    Workers may go on meanwhile: what is marked is asked before Kafka is read, and what was given afterwards.
    """
    given = (
        (f"acknowledgement {row.event_id} of {row.transaction_id}", outbox.event(row, topic))
        for row in tables.acknowledgements(connection)
    )
    yield from told.untold(
        "acknowledgement", tables.published_ids(connection), given, codec, kafka, topic, outbox.SOURCE, say
    )
