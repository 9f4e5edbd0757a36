"""The whole pipeline in one process, with time, network and processes made of nothing: `python -m streams simulate`.

One seed is one run: what upstream sends, and what goes wrong. The same seed gives the same run, to the last byte, on
every machine. What runs is the product: `Source`, `Transactions`, `Restore`, `Assignment`, the tables, the pipeline and
every room's agents. What is simulated is Kafka (`kafka/`), Faust (`app.py`, `worker.py`), and the world around
(BEY-06).

    kafka/          a broker in memory
    app.py          what agents see of Faust          worker.py     one worker's life, turn by turn
    registry.py     a schema registry                 reference.py  Postgres, as Debezium reports it
    script.py       what upstream sends in a run      faults.py     what goes wrong in it
    adversary.py    carries out the faults            machine.py    where a worker lives and dies
    world.py        whose turn it is, and what time it is
    evidence.py     what the auditor reads            invariants.py what must hold
    upsets.py       what a careless upstream does     run.py        one run
    shrink.py       a smaller run that fails as well  many.py       many runs
    day.py          the demo's day                    command.py    the command
"""
