DROP TRIGGER no_truncate ON reference.suppliers;
DROP TRIGGER no_truncate ON reference.prisoners;
DROP TRIGGER no_truncate ON reference.dealers;
DROP TRIGGER no_truncate ON reference.group_members;
DROP PUBLICATION millrace_reference;
