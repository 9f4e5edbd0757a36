"""The work on Quix Streams, exactly once, with its defaults; runs in a virtual environment of its own."""

# mypy: allow-untyped-calls

from typing import Any

from quixstreams import Application

from benchmarks import rule
from benchmarks.task import Start, Task


def main() -> None:
    """Work until SIGTERM."""
    task = Task.from_environment()
    start = Start(task)
    app = Application(
        broker_address=task.kafka,
        consumer_group=task.run,
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        state_dir=f"{task.folder}/state",
        loglevel="WARNING",
    )

    def decide(command: dict[str, Any], state: Any) -> dict[str, Any]:
        start()
        owner = state.get("owner") or rule.new_owner()
        result = rule.decide(owner, command)
        if result != "duplicate":
            state.set("owner", owner)
        return rule.outcome(command, result, owner)

    commands = app.topic(task.commands, key_deserializer="str", value_deserializer="json")
    outcomes = app.topic(task.outcomes, key_serializer="str", value_serializer="json")
    app.dataframe(commands).apply(decide, stateful=True).to_topic(outcomes)
    app.run()


if __name__ == "__main__":
    main()
