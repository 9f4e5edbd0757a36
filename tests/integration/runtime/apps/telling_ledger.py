"""The ledger app, which also tells the rows it holds: a question on `<run>-ask` is answered on `<run>-told`."""

from typing import Any

import msgspec
import orjson
from ledger import RUN, accounts, app, locks


@app.agent(app.topic(f"{RUN}-ask"))
async def tell(stream: Any) -> None:
    async for batch in stream:
        for question in batch:
            for table in (accounts, locks):
                rows = table.rows(question.partition())
                told = {"table": table.name, "rows": {key: msgspec.to_builtins(rows[key]) for key in rows}}
                app.outbox.put(f"{RUN}-told", question.key(), orjson.dumps(told), partition=question.partition())


if __name__ == "__main__":
    app.main()
