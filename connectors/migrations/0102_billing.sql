-- Calls of dealers' books that the external Billing is to carry out, and its answers (DLR-01, DLR-02, DLR-03, DLR-05).

-- One row for every call. The table of its states stands in sinks/billing/call.py. What a call says holds a dealer's
-- legal and bank details: it is gone once Billing has answered, and lies in bytes, which no error message spells out.
create table sink.billing_call (
  call_id        text primary key,                   -- derived from what is wanted; Billing's idempotency key
  position       bigint generated always as identity unique,  -- the order in which an account's calls go out
  topic          text    not null,
  partition      integer not null,
  record_offset  bigint  not null,
  dealer_id      text    not null,
  account        text    not null,
  kind           text    not null,
  bill_id        text,                               -- what the call is about, for its answer
  lot_id         text,
  sha256         text    not null check (sha256 ~ '^[0-9a-f]{64}$'),
  content        bytea,
  correlation_id text    not null,
  causation_id   text    not null,
  state          text    not null default 'waiting'
    check (state in ('waiting', 'sending', 'in doubt', 'parked', 'done', 'refused')),
  attempts       integer not null default 0,         -- how often it was sent, or would have been but for a crash
  failures       integer not null default 0,         -- in a row: how long to wait before the next try
  asked_at       timestamptz not null default now(), -- when it came to us
  due_at         timestamptz not null default now(), -- not before
  sent_at        timestamptz,
  problem        text,                               -- of the last try
  answered_at    timestamptz,
  billing_id     text,                               -- done: of what Billing has made or changed
  url            text,
  code           text,                               -- refused: Billing's words
  words          text,
  published_at   timestamptz,                        -- the answer, into Kafka
  unique (topic, partition, record_offset),
  check ((state in ('done', 'refused')) = (answered_at is not null)),
  check ((answered_at is null) = (content is not null)),
  check ((state = 'done') = (billing_id is not null)),
  check ((state = 'refused') = (code is not null) and (code is null) = (words is null)),
  check (published_at is null or answered_at is not null)
);
create index billing_call_open on sink.billing_call (dealer_id, account, position) where answered_at is null;
create index billing_call_to_publish on sink.billing_call (answered_at, position)
  where answered_at is not null and published_at is null;
