-- What follows the ADI files: uploads to the general ledger, its answers, and receipts by e-mail (PRI-11, PRI-13).

alter table sink.adi_line
  add column prisoner_id text,
  add column account  text,                          -- of the prisoner's book
  add column reverses text,                          -- the purchase that a refund takes back
  add column corrects text,                          -- line id of a refused line, in whose place this one goes up
  add column status   text not null default 'appended'
    check (status in ('appended', 'filed', 'uploaded', 'processed', 'refused', 'reversed')),
  add column reason   text;                          -- the general ledger's, of a refused line, corrected or not

-- Line ids begin with the prisoner's id. What was in a file before there were uploads is filed, and goes up.
update sink.adi_line set prisoner_id = split_part(line_id, '/', 1),
  status = case when file is null then 'appended' else 'filed' end;
alter table sink.adi_line alter column prisoner_id set not null;

-- A line is corrected once, and few lines are on their way or refused at a time.
create unique index adi_line_corrects on sink.adi_line (corrects);
create index adi_line_not_settled on sink.adi_line (status, accounting_date)
  where status in ('appended', 'filed', 'uploaded', 'refused');

-- One row for every file that goes up. The table of its states stands in sinks/general_ledger/upload.py.
create table sink.upload (
  name        text primary key references sink.manifest,
  lines_of    text    not null references sink.manifest,  -- the workbook, as in adi_line
  prison_id   text    not null,
  number      bigint  not null,                      -- in the series of its prison: the order of going up
  state       text    not null default 'waiting'
    check (state in ('waiting', 'sending', 'in doubt', 'accepted', 'accepted in part', 'refused')),
  attempts    integer not null default 0,            -- how often bytes were sent, or would have been but for a crash
  failures    integer not null default 0,            -- in a row: how long to wait before the next try
  due_at      timestamptz not null default now(),    -- not before
  sent_at     timestamptz,
  answered_at timestamptz,
  reference   text,                                  -- the general ledger's own, of what it wrote
  problem     text,                                  -- of the last try, or why the file was refused
  unique (prison_id, number),
  check ((state in ('accepted', 'accepted in part', 'refused')) = (answered_at is not null))
);

-- What goes back into Kafka, written with the answer and published afterwards.
create table sink.acknowledgement (
  event_id       text primary key,                   -- follows from file, transaction and lines
  position       bigint generated always as identity unique,  -- the order of publishing
  file           text    not null references sink.upload,
  prisoner_id    text    not null,
  transaction_id text    not null,
  outcome        text    not null check (outcome in ('processed', 'refused')),
  lines          jsonb   not null,                   -- [{"line_id", "reason"}], a reason only where it was refused
  said_at        timestamptz not null,
  published_at   timestamptz
);
create index acknowledgement_to_publish on sink.acknowledgement (position) where published_at is null;

-- One row for every receipt. Address and text are personal data: both are gone once the mail server has them.
create table sink.receipt (
  message_id    text primary key,                    -- follows from the event's source and id
  topic         text    not null,
  partition     integer not null,
  record_offset bigint  not null,
  purchase_id   text    not null,
  sha256        text    not null check (sha256 ~ '^[0-9a-f]{64}$'),
  recipient     text,
  content       bytea,
  failures      integer not null default 0,
  due_at        timestamptz not null default now(),
  problem       text,
  sent_at       timestamptz,
  unique (topic, partition, record_offset),
  check ((sent_at is null) = (content is not null) and (content is null) = (recipient is null))
);
create index receipt_to_send on sink.receipt (due_at) where sent_at is null;
