alter table sink.billing_call drop column useless;
