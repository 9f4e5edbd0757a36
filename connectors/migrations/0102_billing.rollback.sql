drop table sink.billing_call;
