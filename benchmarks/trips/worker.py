"""The app as it is, told by a `Task` when to call its first batch the start."""

from typing import Any

from benchmarks.task import Start, Task
from schemas.settings import settings
from streams.pipeline import Pipeline


def main() -> None:
    """Work until SIGTERM, as `python -m streams worker` does."""
    from streams.worker import run

    start, process = Start(Task.from_environment()), Pipeline.process

    def first(pipeline: Pipeline, *batch: Any) -> None:
        start()
        setattr(Pipeline, "process", process)  # noqa: B010  nothing of this remains after the first batch
        process(pipeline, *batch)

    setattr(Pipeline, "process", first)  # noqa: B010
    run(settings(), "bench", 0, "WARN")


if __name__ == "__main__":
    main()
