-- How often Billing has answered a call with what is of no use. Failures of other kinds are no reason to give it up.

alter table sink.billing_call add column if not exists useless integer not null default 0;
