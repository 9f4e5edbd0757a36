drop table sink.receipt;
drop table sink.acknowledgement;
drop table sink.upload;
drop index sink.adi_line_not_settled;
drop index sink.adi_line_corrects;
alter table sink.adi_line drop column prisoner_id, drop column account, drop column reverses, drop column corrects,
  drop column status, drop column reason;
