-- What the sinks keep: their positions in Kafka, the numbers they gave, and one manifest row for every file (PIPE-08).

create schema sink;

-- Where each sink goes on reading. Moved in the transaction that holds the effect of what was read.
create table sink.position (
  sink        text    not null,
  topic       text    not null,
  partition   integer not null,
  next_offset bigint  not null check (next_offset >= 0),
  primary key (sink, topic, partition)
);

-- The last number that a series gave, and the hash that its next file will be chained to.
create table sink.series (
  series      text primary key,
  last_number bigint not null check (last_number > 0),
  last_sha256 text check (last_sha256 ~ '^[0-9a-f]{64}$')
);

-- One row for every file, written once and never changed (BEY-02). It is the last row that a transaction writes, so
-- references to it are checked at the commit.
create table sink.manifest (
  name            text primary key,                  -- where it lies under the blob address
  kind            text    not null,
  series          text    not null references sink.series,
  number          bigint  not null check (number > 0),
  topic           text    not null,
  sources         jsonb   not null,                  -- [{"partition", "first", "last"}]: the offsets it derives from
  sha256          text    not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size_bytes      bigint  not null check (size_bytes > 0),
  previous_sha256 text,                              -- of the series' previous file; null for its first
  totals          jsonb   not null,
  edition         text    not null,                  -- of the program that made the bytes
  made_at         timestamptz not null,              -- event time, no clock
  unique (series, number),
  check ((number = 1) = (previous_sha256 is null))
);

-- Bytes that are committed but perhaps not stored yet. Gone as soon as the blob storage has them.
create table sink.outgoing (
  name    text primary key references sink.manifest,
  content bytea not null
);
alter table sink.outgoing alter column content set storage external;  -- already compressed

-- Records, or parts of files, that could not be carried out. They wait here for `python -m sinks retry`.
create table sink.parked (
  sink          text    not null,
  topic         text    not null,
  partition     integer not null,
  record_offset bigint  not null,
  subject       text    not null default '',         -- '': the record itself; else what of it, for example a file
  reason        text    not null,
  problem       text    not null,
  primary key (sink, topic, partition, record_offset, subject)
);

-- Who issues invoices. Upserted by whoever onboards an operator; an invoice keeps the values that it was printed with.
create table sink.issuer (
  issuer_id  text primary key,                       -- the msp_id of a vehicle's price
  code       text not null unique check (code ~ '^[A-Z0-9]{2,12}$'),  -- begins its numbers; never given to another
  legal_name text not null,
  address    text[] not null check (cardinality(address) between 1 and 4),
  country    text not null check (country ~ '^[A-Z]{2}$'),
  vat_number text not null,
  zone       text not null,                          -- IANA name; the zone of the dates on its invoices
  contact    text not null default ''
);

create table sink.invoice (
  trip_id       text primary key,                    -- one invoice a trip
  name          text not null unique references sink.manifest deferrable initially deferred,
  topic         text    not null,
  partition     integer not null,
  record_offset bigint  not null,
  content       jsonb   not null,                    -- everything that is printed
  unique (topic, partition, record_offset)
);

-- Lines for the general ledger, as they arrive; `file` when they are cut into one (PRI-11).
create table sink.adi_line (
  line_id         text primary key,
  topic           text    not null,
  partition       integer not null,
  record_offset   bigint  not null,
  transaction_id  text    not null,
  prison_id       text    not null,
  accounting_date date    not null,
  cost_centre     text    not null,
  gl_account      text    not null,
  side            text    not null check (side in ('debit', 'credit')),
  amount_minor    bigint  not null check (amount_minor > 0),
  description     text    not null,
  file            text references sink.manifest deferrable initially deferred,
  unique (topic, partition, record_offset)
);
create index adi_line_of_day on sink.adi_line (accounting_date, prison_id);
create index adi_line_of_file on sink.adi_line (file);

-- "No line of this day follows in this partition", with the control totals that were announced.
create table sink.adi_close (
  topic           text    not null,
  partition       integer not null,
  accounting_date date    not null,
  record_offset   bigint  not null,
  lines           bigint  not null,
  debit_minor     bigint  not null,
  credit_minor    bigint  not null,
  primary key (topic, partition, accounting_date)
);

-- The workbook and its CSV twin are two manifest rows and two of these.
create table sink.adi_file (
  name            text primary key references sink.manifest deferrable initially deferred,
  lines_of        text    not null references sink.manifest deferrable initially deferred,  -- the workbook, as in adi_line
  accounting_date date    not null,
  prison_id       text    not null,
  part            integer not null check (part > 0),
  initials        text    not null
);
create index adi_file_of_day on sink.adi_file (accounting_date, prison_id);

-- What the finance office decides about the files. One row.
create table sink.adi_setting (
  only_row boolean primary key default true check (only_row),
  initials text not null check (initials ~ '^[A-Z]{2,4}$')
);
insert into sink.adi_setting (initials) values ('MR');
